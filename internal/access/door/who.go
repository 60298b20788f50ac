package door

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/access"
)

// Why somebody is not believed.
var (
	errNotKnown = errors.New("the token is not known, or has expired or been revoked")
	errScheme   = errors.New("credentials come as Authorization: Bearer TOKEN")
	errNoOrigin = errors.New("a browser that writes says where the request comes from")
)

// login is somebody who is believed, for how long, and why.
type login struct {
	principal access.Principal
	token     access.Hash
	expires   time.Time
}

// who sends a request. Credentials that are shown and not believed are an error, also
// where none are asked for; a session that has ended is none.
func (d *Door) who(r *http.Request) (access.Principal, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return access.Principal{}, errScheme
		}
		l, err := d.believe(r.Context(), strings.TrimSpace(token))
		return l.principal, err
	}
	if key := r.Header.Get("X-API-Key"); key != "" { // as clients of OFREP may send it
		l, err := d.believe(r.Context(), strings.TrimSpace(key))
		return l.principal, err
	}
	p, ok := d.ofSession(cookieOf(r, d.cookieName()))
	switch {
	case !ok:
		return d.anonymous(), nil
	case access.Writes(r.Method) && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "":
		return access.Principal{}, errNoOrigin // the door's check has let it through as no browser's
	}
	return p, nil
}

// believe takes a token: the one of the terminal, one of ours, or a JWT.
func (d *Door) believe(ctx context.Context, token string) (login, error) {
	if access.IsToken(token) {
		return d.ofToken(access.HashOf(token))
	}
	if d.cfg.JWT == nil {
		return login{}, errNotKnown
	}
	p, expires, err := d.cfg.JWT.Verify(ctx, token)
	if err != nil {
		return login{}, err
	}
	p.Groups = append(slices.Clone(p.Groups), d.cfg.Owners.Of(p.Name, p.Groups)...)
	return login{principal: p, expires: expires}, nil
}

func (d *Door) ofToken(h access.Hash) (login, error) {
	if t := d.cfg.Terminal; t != nil && t.Hash == h {
		return login{access.Principal{Name: t.Name, Role: access.Admin, Login: "terminal"}, h, time.Time{}}, nil
	}
	t, ok := d.cfg.Tokens.Find(h)
	if !ok || !d.cfg.Now().Before(t.Expires) {
		return login{}, errNotKnown
	}
	p := t.Principal()
	p.Groups = d.cfg.Owners.Of(p.Name, nil)
	return login{p, h, t.Expires}, nil
}

// ofSession is who a session belongs to. One that was made with a token lives and
// changes with it: a token that is revoked ends its sessions.
func (d *Door) ofSession(value string) (access.Principal, bool) {
	s, ok := d.sessions.find(value)
	if !ok {
		return access.Principal{}, false
	}
	p := s.principal
	if s.token != (access.Hash{}) {
		l, err := d.ofToken(s.token)
		if err != nil {
			return access.Principal{}, false
		}
		p = l.principal
	}
	if p.Login != "terminal" {
		p.Login = "session"
	}
	return p, true
}

// cookieOf is what a cookie holds; "" without it, which no session is called.
func cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

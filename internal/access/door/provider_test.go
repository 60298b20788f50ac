package door

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/access"
)

// people is an identity provider: it believes the code "good" of a browser that kept
// what it was given.
type people struct{ redirect string }

func (p *people) Begin(_ context.Context, redirect, next string) (address, kept string, err error) {
	p.redirect = redirect
	return "https://id.example.com/authorize?state=1", "sealed " + next, nil
}

func (p *people) Finish(_ context.Context, redirect, kept string, answer url.Values) (access.Principal, string, error) {
	next, ok := strings.CutPrefix(kept, "sealed ")
	if !ok || redirect != p.redirect || answer.Get("code") != "good" {
		return access.Principal{}, next, errors.New("the provider has refused it")
	}
	return access.Principal{Name: "ada@example.com", Role: access.Owner, Groups: []string{"eng"}, Login: "oidc"}, next, nil
}

func (p *people) LogoutAddress(_ context.Context, back string) string {
	return "https://id.example.com/out?back=" + url.QueryEscape(back)
}

// TestProvider: a person is sent to the provider and back, gets a session with the owners
// that they are among, and goes on to where they wanted; and can log out at both.
func TestProvider(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Provider, c.Secure = &people{}, true })
	name := host("assay.example.com")
	if page := s.ask("GET", "/login?next=/decisions", name).Body.String(); !strings.Contains(page, `href="/login/start?next=%2fdecisions"`) {
		t.Errorf("the page: %s", page)
	}
	w := s.ask("GET", "/login/start?next=%2Fdecisions", name)
	sent := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "https://id.example.com/authorize?state=1" || len(sent) != 1 {
		t.Fatalf("%d to %s with %v", w.Code, w.Header().Get("Location"), sent)
	}
	if c := sent[0]; c.Name != "__Host-assay_login" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 600 {
		t.Errorf("the cookie: %+v", c)
	}
	back := func(code string, cookies ...*http.Cookie) (string, []*http.Cookie, int) {
		w := s.ask("GET", "/login/callback?state=1&code="+code, name, header("Sec-Fetch-Site", "cross-site"), func(r *http.Request) {
			for _, c := range cookies {
				r.AddCookie(c)
			}
		})
		return w.Body.String(), w.Result().Cookies(), w.Code
	}
	for what, c := range map[string]struct {
		code    string
		cookies []*http.Cookie
	}{"a bad code": {"bad", sent}, "another browser": {"good", nil}} {
		page, cookies, status := back(c.code, c.cookies...)
		if status != http.StatusUnauthorized || len(cookies) != 1 || cookies[0].MaxAge >= 0 || !strings.Contains(page, "the provider has refused it") {
			t.Errorf("%s: %d with %v: %s", what, status, cookies, page)
		}
	}
	page, cookies, status := back("good", sent...)
	if status != http.StatusOK || len(cookies) != 2 || !strings.Contains(page, `content="0; url=/decisions"`) {
		t.Fatalf("%d with %v: %s", status, cookies, page)
	}
	session := cookies[1]
	if session.Name != "__Host-assay_session" || session.SameSite != http.SameSiteStrictMode || !session.HttpOnly || !session.Secure {
		t.Errorf("the session's cookie: %+v", session)
	}
	with := func(r *http.Request) { r.AddCookie(session) }
	if s.want("a kill", s.ask("POST", kill, name, with, header("Sec-Fetch-Site", "same-origin")), http.StatusNoContent); s.seen.Name != "ada@example.com" || s.seen.Login != "session" {
		t.Errorf("seen %+v", s.seen)
	}
	out := s.ask("POST", "/logout", name, with, header("Sec-Fetch-Site", "same-origin"))
	page = s.ask("GET", out.Header().Get("Location"), name).Body.String()
	if !strings.Contains(page, "https://id.example.com/out?back=https%3A%2F%2Fassay.example.com%2Flogin") {
		t.Errorf("logged out: %s", page)
	}
	s.want("after logging out", s.ask("POST", kill, name, with, header("Sec-Fetch-Site", "same-origin")), http.StatusUnauthorized)
}

// TestProviderIsBounded: answers that are not believed are few from one address, and
// without a provider nobody is sent anywhere.
func TestProviderIsBounded(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Provider = &people{} })
	statuses := map[int]int{}
	for range failuresBurst + 5 {
		statuses[s.ask("GET", "/login/callback?code=bad").Code]++
	}
	if statuses[http.StatusUnauthorized] != failuresBurst || statuses[http.StatusTooManyRequests] != 5 {
		t.Errorf("answers %v", statuses)
	}
	if log := s.log.String(); strings.Contains(log, "code=bad") {
		t.Errorf("a code is in the log: %s", log)
	}
	none := newSite(t, nil)
	for _, path := range []string{"/login/start", "/login/callback?code=good"} {
		if w := none.ask("GET", path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if page := none.ask("GET", "/login").Body.String(); strings.Contains(page, "identity provider</a>") {
		t.Error("a provider is offered that is not there")
	}
}

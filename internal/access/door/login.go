package door

import (
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/access"
)

//go:embed assets
var assets embed.FS

// Routes are the door's own pages by their patterns.
func (d *Door) Routes() (map[string]http.Handler, error) {
	page, err := template.ParseFS(assets, "assets/login.html")
	if err != nil {
		return nil, err
	}
	return map[string]http.Handler{
		"GET /login":        d.loginPage(page),
		"GET /login/who":    http.HandlerFunc(d.tellWho),
		"GET /login/{file}": http.HandlerFunc(loginFile),
		"POST /login":       d.logIn(page),
		"POST /logout":      http.HandlerFunc(d.logOut),

		"GET /login/start":    d.leave(page),
		"GET /login/callback": d.comeBack(page),
	}, nil
}

// toLogin leads a browser that opens a page to where it can log in. One that follows
// a link of another site keeps the cookie back; the page there asks again with it.
func toLogin(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet || !strings.Contains(r.Header.Get("Accept"), "text/html") || r.Header.Get("HX-Request") != "" {
		return false
	}
	http.Redirect(w, r, "/login?next="+template.URLQueryEscaper(r.URL.RequestURI()), http.StatusSeeOther)
	return true
}

// loginView is what the page shows.
type loginView struct {
	Next   string
	Failed string
	Who    string // logged in already
	Login  bool   // everything needs a login

	Provider bool   // people can log in at an identity provider
	LogOut   string // where to log out there too
	Onward   bool   // just logged in: the page goes on by itself
}

func (d *Door) view(r *http.Request, next string) loginView {
	return loginView{Next: local(next), Who: access.From(r.Context()).Name, Login: d.cfg.Login, Provider: d.cfg.Provider != nil}
}

func (d *Door) loginPage(page *template.Template) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := d.view(r, r.URL.Query().Get("next"))
		if r.URL.Query().Has("out") && v.Who == "" && v.Provider {
			v.LogOut = d.cfg.Provider.LogoutAddress(r.Context(), d.address(r, "/login"))
		}
		d.show(w, page, http.StatusOK, v)
	})
}

func (d *Door) show(w http.ResponseWriter, page *template.Template, status int, v loginView) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := page.Execute(w, v); err != nil {
		d.cfg.Log.Debug("answer not written", "error", err)
	}
}

// tellWho says who is logged in.
func (d *Door) tellWho(w http.ResponseWriter, r *http.Request) {
	p := access.From(r.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]string{"name": p.Name, "role": p.Role.String(), "login": p.Login}) // who is gone needs no answer
}

// loginFile serves what the page needs.
func loginFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if name != "login.js" && name != "login.css" {
		http.NotFound(w, r)
		return
	}
	http.ServeFileFS(w, r, assets, "assets/"+name)
}

// maxForm bounds what a login sends: a JWT with many groups has a few kB.
const maxForm = 32 << 10

// logIn takes a token for a cookie.
func (d *Door) logIn(page *template.Template) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		l, err := d.believe(r.Context(), strings.TrimSpace(r.PostFormValue("token")))
		if err != nil {
			d.audit.logins.WithLabelValues("refused").Inc()
			d.refuseLogin(w, r, page, d.failed(r, err))
			return
		}
		if !d.begin(w, r, l) {
			return
		}
		http.Redirect(w, r, local(r.PostFormValue("next")), http.StatusSeeOther)
	})
}

// begin makes a session of a login; false when it has answered that none can be made.
func (d *Door) begin(w http.ResponseWriter, r *http.Request, l login) bool {
	value, expires, err := d.sessions.begin(l.principal, l.token, l.expires)
	if err != nil {
		problem(w, http.StatusInternalServerError, "no session can be made")
		return false
	}
	d.audit.logins.WithLabelValues("accepted").Inc()
	d.cfg.Log.Info("logged in", "actor", l.principal.Name, "role", l.principal.Role.String(), "by", l.principal.Login, "from", remoteAddr(r))
	http.SetCookie(w, d.cookie(value, expires))
	return true
}

// refuseLogin shows the page again: a person is at the other end.
func (d *Door) refuseLogin(w http.ResponseWriter, r *http.Request, page *template.Template, no refusal) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		d.refuse(w, r, no)
		return
	}
	d.audit.refused.WithLabelValues(no.why).Inc()
	if _, few := d.lines.take(""); few {
		d.audit.log.Warn("login refused", "why", no.why, "from", remoteAddr(r), "error", errText(no.err))
	}
	v := d.view(r, r.PostFormValue("next"))
	v.Failed = no.detail
	d.show(w, page, no.status, v)
}

func (d *Door) logOut(w http.ResponseWriter, r *http.Request) {
	d.sessions.end(cookieOf(r, d.cookieName()))
	http.SetCookie(w, d.cookie("", time.Unix(1, 0)))
	http.Redirect(w, r, "/login?out", http.StatusSeeOther)
}

// cookieName binds the cookie to this host, where browsers heed that: over TLS.
func (d *Door) cookieName() string {
	if d.cfg.Secure {
		return "__Host-assay_session"
	}
	return "assay_session"
}

func (d *Door) cookie(value string, expires time.Time) *http.Cookie {
	return &http.Cookie{
		Name: d.cookieName(), Value: value, Path: "/", Expires: expires,
		HttpOnly: true, Secure: d.cfg.Secure, SameSite: http.SameSiteStrictMode,
	}
}

// local is a path of this door, or its front: a login leads nowhere else.
func local(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

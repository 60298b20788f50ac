package door

import (
	"html/template"
	"net/http"
	"time"

	"github.com/assay-dev/assay/internal/access"
)

// keptCookie holds what a browser brings back from the provider. It comes back with a
// link of another site, so it cannot be as strict as a session's.
func (d *Door) keptCookie(value string, life time.Duration) *http.Cookie {
	name := "assay_login"
	if d.cfg.Secure {
		name = "__Host-assay_login"
	}
	c := &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()), HttpOnly: true, Secure: d.cfg.Secure, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// keptFor is how long a person may take at the provider.
const keptFor = 10 * time.Minute

// address is that of a path of this door, as the browser has called it; the host was
// looked at.
func (d *Door) address(r *http.Request, path string) string {
	if d.cfg.Secure {
		return "https://" + r.Host + path
	}
	return "http://" + r.Host + path
}

// leave sends a person to the identity provider.
func (d *Door) leave(page *template.Template) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next := local(r.URL.Query().Get("next"))
		if d.cfg.Provider == nil {
			http.NotFound(w, r)
			return
		}
		address, kept, err := d.cfg.Provider.Begin(r.Context(), d.address(r, "/login/callback"), next)
		if err != nil {
			d.refuseProvider(w, r, page, next, http.StatusBadGateway, err)
			return
		}
		http.SetCookie(w, d.keptCookie(kept, keptFor))
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, address, http.StatusSeeOther)
	})
}

// comeBack takes the provider's answer for a session. The page that it shows goes on by
// itself: a redirect would be one from another site, on which browsers keep the session's
// cookie back.
func (d *Door) comeBack(page *template.Template) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.cfg.Provider == nil {
			http.NotFound(w, r)
			return
		}
		http.SetCookie(w, d.keptCookie("", 0)) // good for one return
		p, next, err := d.cfg.Provider.Finish(r.Context(), d.address(r, "/login/callback"), cookieOf(r, d.keptCookie("", 0).Name), r.URL.Query())
		if err != nil {
			if no := d.failed(r, err); no.status == http.StatusTooManyRequests {
				d.refuse(w, r, no)
				return
			}
			d.refuseProvider(w, r, page, next, http.StatusUnauthorized, err)
			return
		}
		p.Groups = append(p.Groups[:len(p.Groups):len(p.Groups)], d.cfg.Owners.Of(p.Name, p.Groups)...)
		if !d.begin(w, r, login{principal: p}) {
			return
		}
		v := d.view(r.WithContext(access.With(r.Context(), access.Principal{})), next)
		v.Onward = true
		d.show(w, page, http.StatusOK, v)
	})
}

// refuseProvider shows the login page with why it came to nothing; the log has all of it.
func (d *Door) refuseProvider(w http.ResponseWriter, r *http.Request, page *template.Template, next string, status int, err error) {
	d.audit.logins.WithLabelValues("refused").Inc()
	d.audit.refused.WithLabelValues("provider").Inc()
	if _, few := d.lines.take(""); few {
		d.audit.log.Warn("login refused", "why", "provider", "from", remoteAddr(r), "error", errText(err))
	}
	v := d.view(r, next)
	v.Failed = err.Error()
	d.show(w, page, status, v)
}

package door

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/access"
)

// Tokens knows the tokens that are in force.
type Tokens interface {
	Find(h access.Hash) (access.Token, bool)
}

// Verifier believes tokens of somebody else's making.
type Verifier interface {
	Verify(ctx context.Context, raw string) (p access.Principal, expires time.Time, err error)
}

// Provider logs people in at an identity provider. Its errors are shown to them.
type Provider interface {
	// Begin gives the address there, and what the browser has to keep until it is back.
	Begin(ctx context.Context, redirect, next string) (address, kept string, err error)
	// Finish is of the answer with which it comes back.
	Finish(ctx context.Context, redirect, kept string, answer url.Values) (p access.Principal, next string, err error)
	// LogoutAddress is where they can log out there too; "" when there is no such place.
	LogoutAddress(ctx context.Context, back string) string
}

// Config says how strict the door is.
type Config struct {
	Login       bool     // without it reads need none, and the door is for loopback only
	OpenMetrics bool     // /metrics needs no login
	Hosts       []string // names that it answers to, beside localhost and the address that was called
	Secure      bool     // browsers come over TLS: cookies are sent over nothing else
	Session     time.Duration
	Owners      access.Owners
	Tokens      Tokens
	Terminal    *Terminal // optional: the token that this process shows at its start
	JWT         Verifier  // optional
	Provider    Provider  // optional
	Experiments access.Lookup
	Metrics     prometheus.Registerer
	Log         *slog.Logger // what is refused and what is done; no secret
	Now         func() time.Time
}

// Terminal is the token that the process shows to who started it.
type Terminal struct {
	Hash access.Hash
	Name string // of that person
}

// Door is the middleware.
type Door struct {
	cfg      Config
	hosts    hosts
	origins  *http.CrossOriginProtection
	sessions *sessions
	failures *limiter // failed logins, by address
	lines    *limiter // lines about strangers
	audit    audit
	rules    map[string]access.Rule
}

// New makes a door.
func New(cfg Config) (*Door, error) {
	if cfg.Tokens == nil || cfg.Experiments == nil || cfg.Log == nil || cfg.Metrics == nil {
		return nil, errors.New("door: tokens, experiments, a log and metrics are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &Door{
		cfg: cfg, hosts: newHosts(cfg.Hosts), origins: http.NewCrossOriginProtection(),
		sessions: newSessions(cfg.Session, cfg.Now), rules: access.Rules(),
		failures: newLimiter(failuresBurst, failuresEvery, cfg.Now), lines: newLimiter(linesBurst, linesEvery, cfg.Now),
	}
	d.audit = newAudit(cfg.Log, cfg.Metrics)
	return d, nil
}

// Login tells whether everything needs one.
func (d *Door) Login() bool { return d.cfg.Login }

// Around asks what concerns every request: its Host, its origin, and who sends it.
func (d *Door) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private, no-cache") // a handler may say otherwise
		if !d.hosts.know(r) {
			d.refuse(w, r, refusal{why: "host", status: http.StatusMisdirectedRequest,
				detail: "this address is not one that the door answers to; access.hosts in the configuration lists more"})
			return
		}
		if err := d.origins.Check(r); err != nil {
			d.refuse(w, r, refusal{why: "origin", status: http.StatusForbidden, detail: "the request comes from another site"})
			return
		}
		p, err := d.who(r)
		if err != nil {
			d.refuse(w, r, d.failed(r, err))
			return
		}
		next.ServeHTTP(w, r.WithContext(access.With(r.Context(), p)))
	})
}

// Route asks whether who sends a request may do what the route is for. A pattern
// without a rule lets nobody in.
func (d *Door) Route(pattern string, h http.Handler) http.Handler {
	rule, ruled := d.rules[pattern]
	if rule.Action == access.Metrics && (d.cfg.OpenMetrics || !d.cfg.Login) {
		rule.Action = access.Open
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ruled {
			d.refuse(w, r, refusal{why: "no_rule", status: http.StatusForbidden, detail: "nothing says who may do this"})
			return
		}
		if no := d.mayNot(r, rule); no != nil {
			d.refuse(w, r, *no)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// mayNot says why a request is refused, nil when it is not.
func (d *Door) mayNot(r *http.Request, rule access.Rule) *refusal {
	p := access.From(r.Context())
	switch {
	case rule.Action == access.Open:
		return nil
	case p.Anonymous() && d.cfg.Login:
		return &refusal{why: "login", status: http.StatusUnauthorized, detail: "log in, or send a token (Authorization: Bearer …)", action: rule.Action}
	case p.Anonymous() && rule.Writes(r.Method):
		return &refusal{why: "login", status: http.StatusUnauthorized, action: rule.Action,
			detail: "what changes something asks for the token that this process has shown at its start (Authorization: Bearer …, or log in with it)"}
	}
	e, err := d.experiment(r, rule, p)
	if err != nil {
		return &refusal{why: "unavailable", status: http.StatusServiceUnavailable, action: rule.Action, experiment: e.Key,
			detail: "the owner of the experiment is not known now", err: err}
	}
	if !p.May(rule.Action, e) {
		return &refusal{why: "role", status: http.StatusForbidden, action: rule.Action, experiment: e.Key,
			detail: "this needs " + needs(rule.Action, e)}
	}
	return nil
}

// experiment is the one that a route names. Its owner is asked for only where that
// decides.
func (d *Door) experiment(r *http.Request, rule access.Rule, p access.Principal) (access.Experiment, error) {
	if rule.Experiment == "" {
		return access.Experiment{}, nil
	}
	e := access.Experiment{Key: r.PathValue(rule.Experiment)}
	if rule.Action.OfUnits() {
		return access.About(r.Context(), d.cfg.Experiments, e.Key)
	}
	if p.Role != access.Owner || len(p.Only) > 0 {
		return e, nil
	}
	var err error
	e.Owner, err = d.cfg.Experiments.Owner(r.Context(), e.Key)
	return e, err
}

// anonymous is who comes to a door that asks nobody for a login: it is on loopback,
// and they may read.
func (d *Door) anonymous() access.Principal {
	if d.cfg.Login {
		return access.Principal{}
	}
	return access.Principal{Role: access.Analyst}
}

// needs says who may, for a message.
func needs(a access.Action, e access.Experiment) string {
	if a.OfUnits() && len(e.Readers) > 0 {
		return a.Needs() + ", and to be the experiment's owner or one of its readers"
	}
	return a.Needs()
}

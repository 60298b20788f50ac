package app

import (
	"fmt"

	"github.com/assay-dev/assay/guardrails/killswitch"
	"github.com/assay-dev/assay/internal/config"
)

// resolver makes flag systems of their configuration. It reads the secrets that
// are named there and gathers what could not be read.
type resolver struct{ errs []error }

// system is the one that a switch is of, and what the flag is called there. It
// is nil when none is named.
func (r *resolver) system(c config.Switch) (killswitch.System, string) {
	switch {
	case c.Webhook != nil:
		return r.webhook(c.Webhook), ""
	case c.Unleash != nil:
		u := c.Unleash
		return killswitch.Unleash{URL: u.URL, Token: r.secret(u.Token), Project: u.Project, Environment: u.Environment}, u.Flag
	case c.LaunchDarkly != nil:
		l := c.LaunchDarkly
		return killswitch.LaunchDarkly{
			URL: l.URL, Token: r.secret(l.Token), Project: l.Project, Environment: l.Environment, Trigger: r.secret(l.Trigger),
		}, l.Flag
	case c.GrowthBook != nil:
		g := c.GrowthBook
		return killswitch.GrowthBook{URL: g.URL, Token: r.secret(g.Token), Environment: g.Environment, Experiment: g.Experiment}, g.Flag
	case c.Flipt != nil:
		f := c.Flipt
		return killswitch.Flipt{URL: f.URL, Token: r.secret(f.Token), Environment: f.Environment, Namespace: f.Namespace}, f.Flag
	case c.ConfigCat != nil:
		k := c.ConfigCat
		return killswitch.ConfigCat{
			URL: k.URL, User: r.secret(k.User), Password: r.secret(k.Password), SDKKey: r.secret(k.SDKKey), Off: k.Off,
		}, k.Flag
	case c.Statsig != nil:
		s := c.Statsig
		return killswitch.Statsig{URL: s.URL, Token: r.secret(s.Token), Experiment: s.Experiment}, s.Flag
	case c.PostHog != nil:
		p := c.PostHog
		return killswitch.PostHog{URL: p.URL, Token: r.secret(p.Token), Project: p.Project}, p.Flag
	case c.Split != nil:
		s := c.Split
		return killswitch.Split{
			URL: s.URL, Token: r.secret(s.Token), Harness: s.Harness, Workspace: s.Workspace, Environment: s.Environment,
		}, s.Flag
	case c.Flagd != nil:
		f := c.Flagd
		return killswitch.Flagd{File: f.File, URL: f.URL, Token: r.secret(f.Token)}, f.Flag
	case c.GoFeatureFlag != nil:
		g := c.GoFeatureFlag
		return killswitch.GoFeatureFlag{File: g.File, URL: g.URL, Token: r.secret(g.Token), AdminToken: r.secret(g.AdminToken)}, g.Flag
	default:
		return nil, ""
	}
}

func (r *resolver) webhook(w *config.Webhook) killswitch.Webhook {
	return killswitch.Webhook{
		URL: w.URL, Headers: r.headers(w.Headers), Secret: r.secret(w.Secret),
		ReadBack: killswitch.ReadBack{URL: w.ReadBack.URL, Headers: r.headers(w.ReadBack.Headers), Path: w.ReadBack.Path, Off: w.ReadBack.Off, Traffic: w.ReadBack.Traffic},
	}
}

// secret reads one.
func (r *resolver) secret(ref config.Secret) killswitch.Secret {
	v, err := ref.Resolve()
	if err != nil {
		r.errs = append(r.errs, err)
	}
	return killswitch.Secret(v)
}

// headers reads headers whose values are secrets.
func (r *resolver) headers(in map[string]config.Secret) map[string]killswitch.Secret {
	out := map[string]killswitch.Secret{}
	for name, ref := range in {
		v, err := ref.Resolve()
		if err != nil {
			r.errs = append(r.errs, fmt.Errorf("header %s: %w", name, err))
		}
		out[name] = killswitch.Secret(v)
	}
	return out
}

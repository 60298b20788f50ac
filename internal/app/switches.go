package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/guardrails/killswitch"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/watch"
)

// switches are the operator's kill switches by name.
type switches map[string]*killswitch.Switch

func newSwitches(cfg map[string]config.Switch) (switches, error) {
	out := switches{}
	for name, c := range cfg {
		sw, err := newSwitch(name, c)
		if err != nil {
			return nil, fmt.Errorf("switches.%s: %w", name, err)
		}
		out[name] = sw
	}
	return out, nil
}

func newSwitch(name string, c config.Switch) (*killswitch.Switch, error) {
	system, flag, err := flagSystem(c)
	if err != nil {
		return nil, err
	}
	return killswitch.New(name, killswitch.Config{
		System: system, Flag: flag, Arms: c.Arms, Timeout: c.Timeout.Std(), Deadline: c.Deadline.Std(),
	}, killswitch.Runtime{})
}

// flagSystem is the one that a switch is of, with its secrets, and what the flag
// is called there.
func flagSystem(c config.Switch) (killswitch.System, string, error) {
	switch {
	case c.Webhook != nil:
		w, err := webhookSystem(c.Webhook)
		return w, "", err
	case c.Unleash != nil:
		u := c.Unleash
		token, err := secret(u.Token)
		return killswitch.Unleash{URL: u.URL, Token: token, Project: u.Project, Environment: u.Environment}, u.Flag, err
	default:
		return nil, "", errors.New("no flag system is named")
	}
}

func webhookSystem(w *config.Webhook) (killswitch.System, error) {
	key, err := secret(w.Secret)
	if err != nil {
		return nil, err
	}
	headers, err := secretHeaders(w.Headers)
	if err != nil {
		return nil, err
	}
	readHeaders, err := secretHeaders(w.ReadBack.Headers)
	if err != nil {
		return nil, err
	}
	return killswitch.Webhook{
		URL: w.URL, Headers: headers, Secret: key,
		ReadBack: killswitch.ReadBack{URL: w.ReadBack.URL, Headers: readHeaders, Path: w.ReadBack.Path, Off: w.ReadBack.Off},
	}, nil
}

// secret resolves one.
func secret(ref config.Secret) (killswitch.Secret, error) {
	v, err := ref.Resolve()
	return killswitch.Secret(v), err
}

// secretHeaders resolves headers whose values are secrets.
func secretHeaders(in map[string]config.Secret) (map[string]killswitch.Secret, error) {
	out := map[string]killswitch.Secret{}
	for name, ref := range in {
		v, err := secret(ref)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		out[name] = v
	}
	return out, nil
}

// Off implements watch.Switch.
func (s switches) Off(ctx context.Context, o watch.Order, progress func(guardrails.EntryKind, time.Time)) (watch.Result, error) {
	sw, ok := s[o.Switch]
	if !ok {
		return watch.Result{}, WithHint(fmt.Errorf("no switch %q in the operator's configuration", o.Switch),
			"add it under switches: in assay.yaml; docs/switches.md shows how")
	}
	out, err := sw.Off(ctx, killswitch.Request{
		Target: killswitch.Target{Experiment: o.Experiment}, Key: o.Key, Iteration: o.Iteration,
		DecidedAt: o.DecidedAt, Reason: o.Reason, Evidence: o.Evidence,
		Progress: func(stage killswitch.Stage, at time.Time) {
			switch stage {
			case killswitch.Sending:
				progress(guardrails.Sending, at)
			case killswitch.Accepted:
				progress(guardrails.Accepted, at)
			}
		},
	})
	return watch.Result{State: orderState(out), OffAt: out.OffAt(), Detail: inWords(out)}, err
}

// orderState maps how a kill ended to the decision log's word for it.
func orderState(o killswitch.Outcome) guardrails.EntryKind {
	switch o.Kind {
	case killswitch.Applied, killswitch.AlreadyOff:
		return guardrails.Verified
	case killswitch.PendingApproval:
		return guardrails.PendingApproval
	case killswitch.Denied, killswitch.NotFound:
		return guardrails.Denied
	default:
		return guardrails.Failed
	}
}

// inWords is an outcome as the decision log and the alerts tell it: what the
// system answered, what users get now, where a person goes on, and what was
// overwritten, whole, since nobody else has kept it.
func inWords(o killswitch.Outcome) string {
	text := o.Detail
	if o.Off() && o.Serves != "" {
		text += "; " + o.Serves
	}
	if o.Link != "" {
		text += "; see " + o.Link
	}
	if o.Saved != "" {
		text += "; overwritten was " + o.Saved
	}
	return text
}

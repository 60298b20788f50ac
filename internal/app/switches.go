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
	var r resolver
	system, flag := r.system(c)
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}
	return killswitch.New(name, killswitch.Config{
		System: system, Flag: flag, Arms: c.Arms, Timeout: c.Timeout.Std(), Deadline: c.Deadline.Std(),
	}, killswitch.Runtime{})
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
	if o.ResponseID != "" {
		text += "; the answer is " + o.ResponseID
	}
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

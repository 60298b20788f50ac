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

// named is a switch by its name.
func (s switches) named(name string) (*killswitch.Switch, error) {
	if sw, ok := s[name]; ok {
		return sw, nil
	}
	return nil, WithHint(fmt.Errorf("no switch %q in the operator's configuration", name),
		"add it under switches: in assay.yaml; docs/switches.md shows how")
}

func requestOf(o watch.Order) killswitch.Request {
	return killswitch.Request{
		Target: killswitch.Target{Experiment: o.Experiment, Arm: o.Arm}, Key: o.Key, Iteration: o.Iteration,
		DecidedAt: o.DecidedAt, Reason: o.Reason, Evidence: o.Evidence,
	}
}

// OffersArm implements watch.Arms.
func (s switches) OffersArm(name, arm string) bool {
	sw, ok := s[name]
	return ok && sw.OffersArm(arm)
}

// IsOff implements watch.Switch.
func (s switches) IsOff(ctx context.Context, o watch.Order) (bool, error) {
	sw, err := s.named(o.Switch)
	if err != nil {
		return false, err
	}
	state, err := sw.State(ctx, requestOf(o).Target)
	return state == killswitch.StateOff, err
}

// Drill implements watch.Switch.
func (s switches) Drill(ctx context.Context, o watch.Order) (watch.Drill, error) {
	sw, err := s.named(o.Switch)
	if err != nil {
		return watch.Drill{}, err
	}
	r, err := sw.Rehearse(ctx, requestOf(o))
	return watch.Drill{
		Switch: o.Switch, Reads: r.State.String(), Trouble: r.Trouble, Remedy: r.Remedy,
		Method: r.Method, Host: r.Host, Headers: r.Headers, Bytes: r.Bytes, Body: r.Body,
	}, err
}

// Off implements watch.Switch.
func (s switches) Off(ctx context.Context, o watch.Order, progress func(guardrails.EntryKind, time.Time)) (watch.Result, error) {
	sw, err := s.named(o.Switch)
	if err != nil {
		return watch.Result{}, err
	}
	request := requestOf(o)
	request.Keep = o.Keep
	request.Progress = progressOf(progress)
	out, err := sw.Off(ctx, request)
	return watch.Result{State: orderState(out), OffAt: out.OffAt(), Detail: inWords(out)}, err
}

// progressOf tells the decision log's words for the stages of a call.
func progressOf(progress func(guardrails.EntryKind, time.Time)) func(killswitch.Stage, time.Time) {
	return func(stage killswitch.Stage, at time.Time) {
		switch stage {
		case killswitch.Sending:
			progress(guardrails.Sending, at)
		case killswitch.Accepted:
			progress(guardrails.Accepted, at)
		}
	}
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
// system answered, what users get now, and where a person goes on. What was
// overwritten is not for alerts: it has a line of its own in the log.
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
	return text
}

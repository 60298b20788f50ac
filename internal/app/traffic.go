package app

import (
	"context"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/guardrails/killswitch"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/watch"
)

// CannotSet implements watch.Traffic: what assay assigns itself is drawn with the phase's
// traffic.
func (s ownSwitch) CannotSet(string, *experiment.Ramp) string { return "" }

// SetTraffic implements watch.Traffic. There is no call: the version with the phase is
// what every `assay serve` assigns by, from its next look at the configuration on, and it
// is appended right after this.
func (s ownSwitch) SetTraffic(_ context.Context, _ watch.TrafficOrder, progress func(guardrails.EntryKind, time.Time)) (watch.Result, error) {
	at := time.Now()
	progress(guardrails.Sending, at)
	progress(guardrails.Accepted, at)
	return watch.Result{State: guardrails.Verified, OffAt: at, Detail: "every `assay serve` draws by the configuration's next version"}, nil
}

// HasTraffic implements watch.Traffic: what is drawn by has no other hand.
func (s ownSwitch) HasTraffic(context.Context, string, string, ...float64) (bool, string, error) {
	return true, "", nil
}

// CannotSet implements watch.Traffic.
func (s allSwitches) CannotSet(name string, r *experiment.Ramp) string {
	if name == experiment.OwnSwitch {
		return s.own.CannotSet(name, r)
	}
	return s.named.CannotSet(name, r)
}

// SetTraffic implements watch.Traffic.
func (s allSwitches) SetTraffic(ctx context.Context, o watch.TrafficOrder, progress func(guardrails.EntryKind, time.Time)) (watch.Result, error) {
	if o.Switch == experiment.OwnSwitch {
		return s.own.SetTraffic(ctx, o, progress)
	}
	return s.named.SetTraffic(ctx, o, progress)
}

// CannotSet implements watch.Traffic.
func (s switches) CannotSet(name string, r *experiment.Ramp) string {
	sw, err := s.named(name)
	if err != nil {
		return err.Error()
	}
	for _, step := range r.Steps {
		if why := sw.CannotSet(step.Traffic); why != "" {
			return why
		}
	}
	return ""
}

// SetTraffic implements watch.Traffic.
func (s switches) SetTraffic(ctx context.Context, o watch.TrafficOrder, progress func(guardrails.EntryKind, time.Time)) (watch.Result, error) {
	sw, err := s.named(o.Switch)
	if err != nil {
		return watch.Result{}, err
	}
	request := requestOf(o.Order)
	request.Progress = progressOf(progress)
	out, err := sw.SetTraffic(ctx, killswitch.TrafficRequest{Request: request, Was: o.Was, Traffic: o.Traffic, Step: o.Step, Revert: o.Revert})
	return watch.Result{State: orderState(out), OffAt: out.OffAt(), Detail: inWords(out)}, err
}

// HasTraffic implements watch.Traffic.
func (s allSwitches) HasTraffic(ctx context.Context, name, key string, traffic ...float64) (bool, string, error) {
	if name == experiment.OwnSwitch {
		return s.own.HasTraffic(ctx, name, key, traffic...)
	}
	return s.named.HasTraffic(ctx, name, key, traffic...)
}

// HasTraffic implements watch.Traffic.
func (s switches) HasTraffic(ctx context.Context, name, key string, traffic ...float64) (has bool, reads string, err error) {
	sw, err := s.named(name)
	if err != nil {
		return false, "", err
	}
	for _, wanted := range traffic {
		if has, reads, err = sw.HasTraffic(ctx, killswitch.Target{Experiment: key}, wanted); has || err != nil {
			break
		}
	}
	return has, reads, err
}

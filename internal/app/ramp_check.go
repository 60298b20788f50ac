package app

import (
	"context"
	"time"

	"github.com/assay-dev/assay/guardrails/killswitch"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/doctor"
	"github.com/assay-dev/assay/internal/experiment"
)

// CheckRamps tells which ramps of the files the switches of a configuration cannot carry
// out, by their settings alone: no secret is read and nobody is asked. Of a switch that
// is not configured here it says nothing.
func CheckRamps(c config.Config, set *experiment.Set) experiment.Problems {
	return set.CheckRamps(func(name string, r *experiment.Ramp) string {
		sw, ok := c.Switches[name]
		if name == experiment.OwnSwitch || !ok {
			return ""
		}
		system, _ := new(resolver).system(sw)
		for _, step := range r.Steps {
			if why := killswitch.CannotRamp(name, system, step.Traffic); why != "" {
				return why
			}
		}
		return ""
	})
}

// tryRamps reads the traffic of every ramp that runs or will. Nothing is set.
func (s allSwitches) tryRamps(ctx context.Context, v *experiment.Version, now time.Time) (out []doctor.Ramped) {
	for e := range alive(v, now) {
		if it := e.Latest(); it.Ramp != nil && now.Before(it.EnrolUntil) {
			out = append(out, s.tryRamp(ctx, e, now))
		}
	}
	return out
}

// tryRamp reads the traffic of an experiment's latest ramp; before it begins, that of its
// first step is wanted.
func (s allSwitches) tryRamp(ctx context.Context, e *experiment.Experiment, now time.Time) doctor.Ramped {
	it := e.Latest()
	out := doctor.Ramped{Switch: e.KillSwitch, Experiment: e.Key, Traffic: it.Phases[0].Traffic, Cannot: s.CannotSet(e.KillSwitch, it.Ramp)}
	if p := it.PhaseAt(now); p != nil {
		out.Traffic = p.Traffic
	}
	if out.Cannot == "" {
		out.Has, out.Reads, out.Err = s.HasTraffic(ctx, e.KillSwitch, e.Key, out.Traffic)
	}
	return out
}

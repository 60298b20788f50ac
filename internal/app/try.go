package app

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/assay-dev/assay/guardrails/killswitch"
	"github.com/assay-dev/assay/internal/doctor"
	"github.com/assay-dev/assay/internal/experiment"
)

// alive are the experiments whose latest iteration runs or will.
func alive(v *experiment.Version, now time.Time) iter.Seq[*experiment.Experiment] {
	return func(yield func(*experiment.Experiment) bool) {
		for i := range v.Experiments {
			e := &v.Experiments[i]
			if it := e.Latest(); it != nil && it.Killed == nil && now.Before(it.End) && !yield(e) {
				return
			}
		}
	}
}

// tryAll tries every switch that an experiment names which runs or will, and those of
// its arms. Nothing is switched.
func (s allSwitches) tryAll(ctx context.Context, v *experiment.Version, now time.Time) (out []doctor.Tried) {
	for e := range alive(v, now) {
		if e.KillSwitch != "" {
			out = append(out, s.try(ctx, e)...)
		}
	}
	return out
}

// try is a dry run of an experiment's kill, as a whole and by its arms.
func (s switches) try(ctx context.Context, e *experiment.Experiment) []doctor.Tried {
	sw := s[e.KillSwitch]
	if sw == nil {
		return []doctor.Tried{{Switch: e.KillSwitch, Experiment: e.Key, Err: errors.New("the configuration has no switch of this name"),
			Remedy: "add it under switches: in assay.yaml, or correct kill_switch in the experiment's file"}}
	}
	arms := []string{""}
	for _, v := range e.Variants {
		if sw.OffersArm(v.Key) {
			arms = append(arms, v.Key)
		}
	}
	out := make([]doctor.Tried, len(arms))
	for i, arm := range arms {
		out[i] = doctor.Tried{Switch: e.KillSwitch, Experiment: e.Key, Arm: arm}
		state, err := sw.Check(ctx, killswitch.Target{Experiment: e.Key, Arm: arm})
		out[i].On, out[i].Err = state == killswitch.StateOn, err
		var fault *killswitch.Fault
		if errors.As(err, &fault) {
			out[i].Remedy = fault.Remedy
		}
	}
	return out
}

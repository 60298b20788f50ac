package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/guardrails/killswitch"
	"github.com/assay-dev/assay/internal/doctor"
	"github.com/assay-dev/assay/internal/experiment"
)

// trySwitches tries every switch that an experiment names which runs or will,
// and those of its arms. Nothing is switched.
func (s *Stack) trySwitches(ctx context.Context, now time.Time) ([]doctor.Tried, error) {
	all, err := s.allSwitches()
	if err != nil {
		return nil, err
	}
	v, err := s.DB.Version(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the configuration in force: %w", err)
	}
	var out []doctor.Tried
	for i := range v.Experiments {
		e := &v.Experiments[i]
		if it := e.Latest(); e.KillSwitch != "" && it != nil && it.Killed == nil && now.Before(it.End) {
			out = append(out, all.try(ctx, e)...)
		}
	}
	return out, nil
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

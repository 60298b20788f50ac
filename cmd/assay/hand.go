package main

import (
	"errors"
	"fmt"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/watch"
)

// byHand opens what an act by hand needs.
func (e *environment) byHand(actor string, act func(*watch.Hand) error) error {
	cfg, err := e.config()
	if err != nil {
		return err
	}
	return e.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		hand, err := s.Hand(author(actor))
		if err != nil {
			return err
		}
		return handHint(act(hand))
	})
}

// handHint says what to do about an act that is not possible now.
func handHint(err error) error {
	switch {
	case errors.Is(err, experiment.ErrUnknown):
		return usage(app.WithHint(err, "`assay analyze` lists the experiments"))
	case errors.Is(err, watch.ErrNotRunning):
		return app.WithHint(err, "`assay analyze` shows its iterations; there is nothing to turn off")
	case errors.Is(err, watch.ErrKilled):
		return app.WithHint(err, "`assay decision show` tells how far that is")
	case errors.Is(err, watch.ErrNoAlarm):
		return app.WithHint(err, "`assay analyze` shows the split of every phase")
	case errors.Is(err, experiment.ErrNotKilled):
		return app.WithHint(err, "only what was killed is resumed; declare a new iteration in the experiment's file")
	case errors.Is(err, experiment.ErrPlanned):
		return app.WithHint(err, "it begins by itself; move its start in the experiment's file")
	case errors.Is(err, experiment.ErrNoSwitch):
		return app.WithHint(err, "name a kill_switch in the experiment's file, or resume without --rearm")
	default:
		return err
	}
}

type killCmd struct {
	Experiment string `arg:"" help:"Key of the experiment."`
	Reason     string `required:"" help:"Why; it stands in the decision log for ever."`
	Actor      string `help:"Who does it (default: the user of this machine)." placeholder:"NAME"`
}

// Run turns the experiment off through its kill switch and ends the iteration
// when the switch is read back as off.
func (c killCmd) Run(env *environment) error {
	return env.byHand(c.Actor, func(h *watch.Hand) error {
		k, err := h.Kill(env.ctx, c.Experiment, c.Reason)
		if err != nil {
			return err
		}
		if err := env.print(k, func() error {
			env.println("%s, iteration %d: decision %d, %s", c.Experiment, k.Decided.Iteration, k.Decided.Seq, k.State)
			return nil
		}); err != nil {
			return err
		}
		if k.State != guardrails.Verified {
			return app.WithHint(fmt.Errorf("the kill of %s is %s: the iteration goes on", c.Experiment, k.State),
				fmt.Sprintf("`assay decision show %s` lists what happened; turn the flag off in its own system", c.Experiment))
		}
		return nil
	})
}

type resumeCmd struct {
	Experiment  string  `arg:"" help:"Key of the experiment."`
	Reason      string  `required:"" help:"Why; it stands in the decision log for ever."`
	Actor       string  `help:"Who does it (default: the user of this machine)." placeholder:"NAME"`
	Rearm       float64 `help:"Declare a new budget of false kills for the next iteration, such as 0.05; without it guardrails only notify." placeholder:"ALPHA"`
	Acknowledge uint16  `help:"Instead: acknowledge the broken split of this phase, so that it is judged again." placeholder:"PHASE"`
}

// Run opens the next iteration, or acknowledges an alarm.
func (c resumeCmd) Run(env *environment) error {
	if c.Rearm < 0 || c.Rearm >= 0.5 || c.Rearm > 0 && c.Acknowledge > 0 {
		return usage(errors.New("--rearm takes a level above 0 and below 0.5, and does not go with --acknowledge"))
	}
	return env.byHand(c.Actor, func(h *watch.Hand) error {
		if c.Acknowledge > 0 {
			if err := h.Acknowledge(env.ctx, c.Experiment, c.Acknowledge, c.Reason); err != nil {
				return err
			}
			return env.print(map[string]any{"experiment": c.Experiment, "acknowledged_phase": c.Acknowledge}, func() error {
				env.println("%s: the split of phase %d is acknowledged", c.Experiment, c.Acknowledge)
				return nil
			})
		}
		v, err := h.Resume(env.ctx, c.Experiment, c.Reason, c.Rearm)
		if err != nil {
			return err
		}
		it := v.Find(c.Experiment).Latest()
		return env.print(map[string]any{"experiment": c.Experiment, "iteration": it.Number, "version": v.Number}, func() error {
			env.println("%s: iteration %d runs from now on, version %d; turn its flag on in the flag system", c.Experiment, it.Number, v.Number)
			return nil
		})
	})
}

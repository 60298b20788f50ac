package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/watch"
	"github.com/assay-dev/assay/internal/words"
)

// byHand opens what an act by hand needs. Whoever can open the database may do it all:
// it is the way in when no other works.
func (e *environment) byHand(actor string, act func(*app.Acts, access.Principal) error) error {
	cfg, err := e.config()
	if err != nil {
		return err
	}
	return e.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		_, who, err := e.as(cfg, actor)
		if err != nil {
			return err
		}
		return handHint(act(s.Acts(slog.New(slog.DiscardHandler)), who)) // what is refused is this command's own error
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
	case errors.Is(err, watch.ErrRamp), errors.Is(err, experiment.ErrNoRamp):
		return app.WithHint(err, "`assay ramp KEY` shows where it is")
	case errors.Is(err, watch.ErrNoAlarm):
		return app.WithHint(err, "`assay analyze` shows the split of every phase")
	case errors.Is(err, watch.ErrStale):
		return app.WithHint(err, "`assay analyze` shows what has become of it")
	case errors.Is(err, watch.ErrArm):
		return usage(app.WithHint(err, "its switch names no off for it, or no other treatment would go on: kill the experiment as a whole"))
	case errors.Is(err, watch.ErrSnooze), errors.Is(err, acts.ErrReason):
		return usage(err)
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
	Arm        string `help:"Turn off this variant alone, where the switch can do that; the iteration goes on." placeholder:"VARIANT"`
	Iteration  uint32 `help:"Only if this is the iteration that runs." placeholder:"N"`
	Actor      string `help:"Who does it (default: the user of this machine)." placeholder:"NAME"`
	Drill      bool   `help:"All but the write: read the switch, show the call that would be sent, turn nothing off."`
}

func (c killCmd) order() acts.Kill {
	return acts.Kill{On: acts.On{Experiment: c.Experiment, Iteration: c.Iteration, Reason: c.Reason}, Arm: c.Arm}
}

// Run turns the experiment off through its kill switch and ends the iteration
// when the switch is read back as off.
func (c killCmd) Run(env *environment) error {
	return env.byHand(c.Actor, func(a *app.Acts, who access.Principal) error {
		if c.Drill {
			return c.drill(env, a, who)
		}
		k, err := a.Kill(env.ctx, who, c.order())
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

func (c killCmd) drill(env *environment, a *app.Acts, who access.Principal) error {
	d, err := a.Drill(env.ctx, who, c.order())
	if err != nil {
		return err
	}
	if err := env.print(d, func() error {
		env.println("%s: switch %s reads as %s", c.Experiment, d.Switch, d.Reads)
		env.println("not sent: %s to %s, %d bytes, headers %s", d.Method, d.Host, d.Bytes, strings.Join(d.Headers, ", "))
		if d.Body != "" {
			env.println("%s", d.Body)
		}
		return nil
	}); err != nil {
		return err
	}
	if d.Trouble != "" {
		return app.WithHint(fmt.Errorf("a kill of %s would fail, or could not be verified: %s", c.Experiment, d.Trouble),
			cmp.Or(d.Remedy, "docs/switches.md says how the state is read back"))
	}
	return nil
}

type resumeCmd struct {
	Experiment  string         `arg:"" optional:"" help:"Key of the experiment."`
	Reason      string         `required:"" help:"Why; it stands in the decision log for ever."`
	Actor       string         `help:"Who does it (default: the user of this machine)." placeholder:"NAME"`
	Rearm       float64        `help:"Declare a new budget of false kills for the next iteration, such as 0.05; without it guardrails only notify." placeholder:"ALPHA"`
	Acknowledge uint16         `help:"Instead: acknowledge the broken split of this phase, so that it is judged again." placeholder:"PHASE"`
	Snooze      *time.Duration `help:"Instead: let automatic kills of the experiment wait for this long, a week at most; 0s ends that. People go on being told." placeholder:"2h"`
	All         bool           `help:"With --snooze: automatic kills of every experiment wait, in all guards within a second: the global stop."`
}

// Run opens the next iteration, acknowledges an alarm, or lets kills wait.
func (c resumeCmd) Run(env *environment) error {
	if err := c.check(); err != nil {
		return usage(err)
	}
	return env.byHand(c.Actor, func(a *app.Acts, who access.Principal) error {
		switch {
		case c.Snooze != nil:
			return c.snooze(env, a, who)
		case c.Acknowledge > 0:
			return c.acknowledge(env, a, who)
		default:
			return c.resume(env, a, who)
		}
	})
}

func (c resumeCmd) on() acts.On { return acts.On{Experiment: c.Experiment, Reason: c.Reason} }

func (c resumeCmd) check() error {
	switch {
	case c.Rearm < 0 || c.Rearm >= 0.5:
		return errors.New("--rearm takes a level above 0 and below 0.5")
	case c.Rearm > 0 && c.Acknowledge > 0, c.Snooze != nil && (c.Rearm > 0 || c.Acknowledge > 0):
		return errors.New("--rearm, --acknowledge and --snooze do not go together")
	case c.All && c.Snooze == nil:
		return errors.New("--all goes with --snooze only: experiments are resumed one by one")
	case c.All == (c.Experiment != ""):
		return errors.New("name an experiment, or --all with --snooze")
	}
	return nil
}

func (c resumeCmd) snooze(env *environment, a *app.Acts, who access.Principal) error {
	until, err := a.Snooze(env.ctx, who, acts.Snooze{On: c.on(), For: *c.Snooze})
	if err != nil {
		return err
	}
	of := cmp.Or(c.Experiment, "every experiment")
	return env.print(map[string]any{"experiment": c.Experiment, "all": c.All, "until": until}, func() error {
		if *c.Snooze == 0 {
			env.println("automatic kills of %s go ahead again", of)
			return nil
		}
		env.println("automatic kills of %s wait until %s; `assay kill` works meanwhile", of, words.Instant(until))
		return nil
	})
}

func (c resumeCmd) acknowledge(env *environment, a *app.Acts, who access.Principal) error {
	if err := a.Acknowledge(env.ctx, who, acts.Acknowledge{On: c.on(), Phase: c.Acknowledge}); err != nil {
		return err
	}
	return env.print(map[string]any{"experiment": c.Experiment, "acknowledged_phase": c.Acknowledge}, func() error {
		env.println("%s: the split of phase %d is acknowledged", c.Experiment, c.Acknowledge)
		return nil
	})
}

func (c resumeCmd) resume(env *environment, a *app.Acts, who access.Principal) error {
	v, err := a.Resume(env.ctx, who, acts.Resume{On: c.on(), Rearm: c.Rearm})
	if err != nil {
		return err
	}
	it := v.Find(c.Experiment).Latest()
	return env.print(map[string]any{"experiment": c.Experiment, "iteration": it.Number, "version": v.Number}, func() error {
		env.println("%s: iteration %d runs from now on, version %d; turn its flag on in the flag system", c.Experiment, it.Number, v.Number)
		return nil
	})
}

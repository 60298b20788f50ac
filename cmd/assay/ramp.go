package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/terminal"
)

type rampCmd struct {
	Show    rampShowCmd    `cmd:"" default:"withargs" help:"Show where a ramp is and what it waits for."`
	Approve rampApproveCmd `cmd:"" help:"Agree to the next step."`
	Pause   rampPauseCmd   `cmd:"" help:"Hold it at its step."`
	Resume  rampResumeCmd  `cmd:"" help:"Let it go on, also after a step that failed."`
	Revert  rampRevertCmd  `cmd:"" help:"Let nobody take part any more."`
}

type rampShowCmd struct {
	Experiment string `arg:"" help:"Key of the experiment."`
}

// Run shows the newest look's word on the ramp.
func (c rampShowCmd) Run(env *environment) error {
	return env.withLog(func(s *app.Stack) error {
		r, err := s.RampOf(env.ctx, c.Experiment)
		if err != nil {
			return handHint(err)
		}
		return env.print(r, func() error { env.printRamp(r); return nil })
	})
}

func (e *environment) printRamp(r app.RampView) {
	state := r.Ramp.State
	if r.Ramp.Reason != "" {
		state += " (" + r.Ramp.Reason + ")"
	}
	e.println("%s, iteration %d: %s at step %d of %d, %s, since %s", r.Experiment, r.Iteration, state, r.Ramp.Step, len(r.Ramp.Steps),
		percentOf(r.Ramp.Traffic), r.Ramp.Since.UTC().Format(time.RFC3339))
	e.println("%s", r.Ramp.Text)
	if !r.At.IsZero() {
		e.println("as the guard saw it at %s", r.At.UTC().Format(time.RFC3339))
	}
	rows := make([]string, 0, len(r.Ramp.Steps))
	for i, s := range r.Ramp.Steps {
		row := []string{fmt.Sprint(i + 1), percentOf(s.Traffic), s.For, "", "", ""}
		if s.Units > 0 {
			row[3] = fmt.Sprint(s.Units)
		}
		if s.Approval {
			row[4] = "yes"
		}
		if !s.Began.IsZero() {
			row[5] = s.Began.UTC().Format(time.RFC3339)
		}
		rows = append(rows, strings.Join(row, "\t"))
	}
	e.println("%s", terminal.Table("step\ttraffic\tat least\tunits\tapproval\tbegan", rows))
}

func percentOf(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) }

// rampOrder is what every word on a ramp says.
type rampOrder struct {
	Experiment string `arg:"" help:"Key of the experiment."`
	Reason     string `required:"" help:"Why; it stands in the decision log for ever."`
	Iteration  uint32 `help:"Only if this is the iteration that runs." placeholder:"N"`
	Actor      string `help:"Who does it (default: the user of this machine)." placeholder:"NAME"`
}

type (
	rampApproveCmd struct{ rampOrder }
	rampPauseCmd   struct{ rampOrder }
	rampResumeCmd  struct{ rampOrder }
	rampRevertCmd  struct{ rampOrder }
)

// Run agrees to the next step.
func (c rampApproveCmd) Run(env *environment) error { return c.say(env, acts.ApproveRamp) }

// Run holds the ramp at its step.
func (c rampPauseCmd) Run(env *environment) error { return c.say(env, acts.PauseRamp) }

// Run lets the ramp go on.
func (c rampResumeCmd) Run(env *environment) error { return c.say(env, acts.ResumeRamp) }

// Run lets nobody take part any more.
func (c rampRevertCmd) Run(env *environment) error { return c.say(env, acts.RevertRamp) }

func (c rampOrder) say(env *environment, act acts.RampAct) error {
	return env.byHand(c.Actor, func(a *app.Acts, who access.Principal) error {
		done, err := a.Ramp(env.ctx, who, acts.Ramp{On: acts.On{Experiment: c.Experiment, Iteration: c.Iteration, Reason: c.Reason}, Act: act})
		if err != nil {
			return err
		}
		if err := env.print(done, func() error {
			env.println("%s: decision %d, %s", c.Experiment, done.Decision, saidText(done))
			return nil
		}); err != nil {
			return err
		}
		if act == acts.RevertRamp && done.State != string(guardrails.Verified) {
			return app.WithHint(fmt.Errorf("the revert of %s is %s: units may still take part", c.Experiment, done.State),
				fmt.Sprintf("set its traffic to 0 %% in its own system; `assay decision show %s` lists what happened", c.Experiment))
		}
		return nil
	})
}

func saidText(d acts.Ramped) string {
	switch d.Act {
	case acts.ApproveRamp:
		return fmt.Sprintf("step %d, %s, is approved", d.Step, percentOf(d.Traffic))
	case acts.PauseRamp:
		return fmt.Sprintf("paused at step %d", d.Step)
	case acts.ResumeRamp:
		return fmt.Sprintf("goes on from step %d", d.Step)
	default:
		return "revert " + d.State
	}
}

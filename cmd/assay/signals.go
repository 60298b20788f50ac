package main

import (
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/report"
)

type signalsCmd struct {
	Experiment string `arg:"" help:"Key of the experiment."`
	Iteration  uint32 `help:"Number of the iteration (default: the latest)." placeholder:"N"`
	Points     int    `help:"At most about so many points of each signal over time, with --json." default:"240"`
}

// Run shows what was read of the signals.
func (c signalsCmd) Run(env *environment) error {
	return env.withVersion(func(s *app.Stack, v *experiment.Version) error {
		e, err := find(v, c.Experiment)
		if err != nil {
			return err
		}
		r, err := s.SignalsOf(env.ctx, e, c.Iteration, app.SignalsAsked{Points: c.Points}, time.Now())
		if err != nil {
			return err
		}
		return env.print(r, func() error { return report.Signals(env.out, r) })
	})
}

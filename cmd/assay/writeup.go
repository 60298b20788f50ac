package main

import (
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/report"
)

type writeupCmd struct {
	Experiment string `arg:"" help:"Key of the experiment."`
}

// Run writes what is left to say of an experiment, as Markdown.
func (c writeupCmd) Run(env *environment) error {
	return env.withVersion(func(s *app.Stack, v *experiment.Version) error {
		e, err := find(v, c.Experiment)
		if err != nil {
			return err
		}
		w, err := s.Writeup(env.ctx, v, e, time.Now())
		if err != nil {
			return err
		}
		return env.print(w, func() error { return report.WriteupMarkdown(env.out, w) })
	})
}

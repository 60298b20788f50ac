package main

import (
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/words"
)

type rerunCmd struct {
	Experiment string    `arg:"" help:"Key of the experiment."`
	Iteration  uint32    `help:"Number of the iteration to repeat (default: the newest, or the one that it repeats itself)." placeholder:"N"`
	Start      time.Time `help:"When the next run begins (RFC 3339; default: the first midnight, UTC, a day or more from now)." placeholder:"TIME"`
	Salt       string    `help:"Salt of its assignment (default: one of its own)." placeholder:"TEXT"`
	Print      bool      `help:"Print the file instead of writing it."`
}

// Run adds the next run to the experiment's file.
func (c rerunCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	files, set, err := env.files(cfg)
	if err != nil {
		return err
	}
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		r, err := s.Rerun(env.ctx, files, set, c.Experiment, experiment.RerunWish{Repeats: c.Iteration, Start: c.Start, Salt: c.Salt}, time.Now())
		if err != nil {
			return usage(err)
		}
		if c.Print && !env.globals.JSON {
			env.println("%s", r.Text)
			return nil
		}
		if !c.Print {
			if err := r.Write(); err != nil {
				return err
			}
		}
		return env.print(r, func() error {
			env.println("%s: iteration %d repeats iteration %d; it takes units from %s to %s and ends at %s", r.File, r.Iteration, r.Repeats,
				words.Instant(r.Start), words.Instant(r.EnrolUntil), words.Instant(r.End))
			for _, n := range r.Notes {
				env.println("note: %s", n)
			}
			env.println("look at it, have it reviewed, then `assay apply`")
			return nil
		})
	})
}

package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/governance"
)

type validateCmd struct {
	Against string   `help:"Also say of each experiment whether the change since then shrinks, is neutral or grows: a Git reference, or a folder that holds the two folders of files." placeholder:"REF|DIR"`
	FailOn  []string `help:"With --against: exit code 3 when a change is of one of these classes: grow, shrink, neutral." enum:"grow,shrink,neutral" placeholder:"CLASS"`
}

// Run checks the files without any server.
func (c validateCmd) Run(env *environment) error {
	if len(c.FailOn) > 0 && c.Against == "" {
		return usage(app.WithHint(fmt.Errorf("--fail-on needs --against"), "name what to compare with, as in --against main"))
	}
	cfg, err := env.config()
	if err != nil {
		return err
	}
	files, err := app.Files(cfg)
	if err != nil {
		return usage(err)
	}
	if len(files) == 0 && c.Against == "" {
		return usage(app.WithHint(fmt.Errorf("no file in %s and %s", cfg.Experiments, cfg.Metrics),
			"name the folders with --experiments DIR and --metrics DIR; docs/experiments.md shows a file"))
	}
	set, err := env.parse(files)
	if err != nil {
		return err
	}
	if err := app.CheckRamps(cfg, set).Err(); err != nil {
		return usage(err)
	}
	if c.Against == "" {
		return env.print(map[string]int{"files": len(files)}, func() error {
			env.println("%d files are fine", len(files))
			return nil
		})
	}
	against, err := app.CompareFiles(env.ctx, cfg, set, c.Against, time.Now())
	if err != nil {
		return usage(err)
	}
	if err := env.print(struct {
		Files   int         `json:"files"`
		Against app.Against `json:"against"`
	}{len(files), against}, func() error { c.tell(env, len(files), against); return nil }); err != nil {
		return err
	}
	for _, change := range against.Changes {
		if slices.Contains(c.FailOn, string(change.Class)) {
			return errBreach
		}
	}
	return nil
}

func (c validateCmd) tell(env *environment, files int, a app.Against) {
	env.println("%d files are fine", files)
	with := a.Reference
	if a.Commit != "" {
		with += " at " + a.Commit[:min(12, len(a.Commit))]
		if !a.Based {
			with += " (its newest commit: no history is here that it has in common with HEAD)"
		}
	}
	if len(a.Changes) == 0 {
		env.println("against %s no experiment changes", with)
		return
	}
	env.println("against %s: %s", with, a.Class)
	for _, change := range a.Changes {
		env.println("%-8s%s", change.Class, change.Experiment)
		for _, r := range change.Reasons {
			mark := ""
			if r.Class != governance.Neutral {
				mark = string(r.Class) + ": "
			}
			env.println("        %s%s", mark, r.Text)
		}
	}
}

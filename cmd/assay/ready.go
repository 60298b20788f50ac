package main

import (
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/planning"
)

type readyCmd struct {
	Experiment string   `arg:"" help:"Key of an experiment; its file counts, applied or not."`
	Metric     []string `help:"What is known of a metric beforehand, its mean and one unit's standard deviation; a share of units needs its mean alone. May be repeated (default: as an earlier iteration shows)." placeholder:"NAME=MEAN[,SD]" sep:"none"`
	Lift       string   `help:"Effect that its goals should find, as a share of the control's mean." default:"5%" placeholder:"5%"`
	Power      string   `help:"Chance to find it, which the planned units must reach." default:"80%" placeholder:"80%"`
}

// Run computes what must be so before it begins; exit code 3 when something is not.
func (c readyCmd) Run(env *environment) error {
	ask := powerCmd{Metric: c.Metric, Lift: c.Lift, Power: c.Power}
	question, err := ask.question()
	if err != nil {
		return usage(err)
	}
	cfg, err := env.config()
	if err != nil {
		return err
	}
	_, set, err := env.files(cfg)
	if err != nil {
		return err
	}
	var given map[string]planning.Given
	if e := set.Rehearsal().Find(c.Experiment); e != nil && len(c.Metric) > 0 {
		if given, err = ask.given(e.Latest()); err != nil {
			return usage(err)
		}
	}
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		r, err := s.Ready(env.ctx, set, app.ReadyQuestion{Key: c.Experiment, Power: question, Given: given}, time.Now())
		if err != nil {
			return usageIfProblems(err)
		}
		if err := env.print(r, func() error { env.tellReady(r); return nil }); err != nil {
			return err
		}
		if !r.Ready {
			return errBreach
		}
		return nil
	})
}

func (e *environment) tellReady(r governance.Readiness) {
	for _, i := range r.Items {
		mark := map[governance.Answer]string{governance.Yes: "yes", governance.No: "NO", governance.Unknown: "?"}[i.Ready]
		e.println("%-4s %-12s %s", mark, i.Name, i.Text)
		if i.Do != "" {
			e.println("%-4s %-12s → %s", "", "", i.Do)
		}
	}
	if r.Ready {
		e.println("%s is ready", r.Experiment)
	} else {
		e.println("%s is not ready", r.Experiment)
	}
}

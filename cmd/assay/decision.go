package main

import (
	"encoding/json"
	"fmt"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/report"
)

type decisionCmd struct {
	Show   decisionShowCmd   `cmd:"" default:"withargs" help:"List the decision log."`
	Verify decisionVerifyCmd `cmd:"" help:"Recompute every hash of the decision log."`
}

type decisionShowCmd struct {
	Experiment string `arg:"" optional:"" help:"Only of this experiment."`
}

// Run lists the log, oldest first.
func (c decisionShowCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		rows, err := s.DB.Decisions(env.ctx, clickhouse.DecisionFilter{Experiment: c.Experiment})
		if err != nil {
			return fmt.Errorf("read the decision log: %w", err)
		}
		return env.print(rows, func() error {
			for _, d := range rows {
				var e guardrails.Entry
				if err := json.Unmarshal(d.Evidence, &e); err != nil {
					return fmt.Errorf("decode decision %d: %w", d.Seq, err)
				}
				env.println("%4d  %s  %-16s %-20s %-18s %s", d.Seq, report.Instant(d.At), d.Kind, d.Experiment, d.Actor, e.Text)
			}
			return nil
		})
	})
}

type decisionVerifyCmd struct{}

// Run recomputes the chain; a break is a failure that names the row.
func (decisionVerifyCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		n, err := s.DB.VerifyDecisions(env.ctx)
		if err != nil {
			return fmt.Errorf("verify the decision log: %w", err)
		}
		return env.print(map[string]uint64{"decisions": n}, func() error {
			env.println("%d decisions, every hash fits", n)
			return nil
		})
	})
}

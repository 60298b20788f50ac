package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/report"
)

type decisionCmd struct {
	Show   decisionShowCmd   `cmd:"" default:"withargs" help:"List the decision log."`
	Replay decisionReplayCmd `cmd:"" help:"Decide again from a decision's evidence alone."`
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
		if rows == nil {
			rows = []clickhouse.Decision{} // in JSON a list, too
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

type decisionReplayCmd struct {
	Decision uint64 `arg:"" help:"Number of the decision."`
}

// Run decides again; another verdict than that of then gives exit code 3.
func (c decisionReplayCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		rows, err := s.DB.Decisions(env.ctx, clickhouse.DecisionFilter{After: max(c.Decision, 1) - 1})
		if err != nil {
			return fmt.Errorf("read the decision log: %w", err)
		}
		if len(rows) == 0 || rows[0].Seq != c.Decision {
			return usage(app.WithHint(fmt.Errorf("there is no decision %d", c.Decision), "`assay decision show` lists them"))
		}
		return c.replay(env, rows[0])
	})
}

// replayed is a decision with the verdict of then and that of now.
type replayed struct {
	Decision uint64             `json:"decision"`
	Same     bool               `json:"same"`
	Was      guardrails.Verdict `json:"was"`
	Is       guardrails.Verdict `json:"is"`
}

func (c decisionReplayCmd) replay(env *environment, row clickhouse.Decision) error {
	var e guardrails.Entry
	if err := json.Unmarshal(row.Evidence, &e); err != nil {
		return fmt.Errorf("decode decision %d: %w", row.Seq, err)
	}
	was, is, err := e.Replay()
	if err != nil {
		return fmt.Errorf("replay decision %d (%s): %w", row.Seq, row.Kind, err)
	}
	out := replayed{Decision: row.Seq, Was: was, Is: is}
	before, err := json.Marshal(was)
	if err != nil {
		return fmt.Errorf("encode the verdict: %w", err)
	}
	now, err := json.Marshal(is)
	if err != nil {
		return fmt.Errorf("encode the verdict: %w", err)
	}
	out.Same = bytes.Equal(before, now)
	if err := env.print(out, func() error {
		env.println("then  %s, %s: %s", was.Kind, was.Act, was.Text)
		env.println("now   %s, %s: %s", is.Kind, is.Act, is.Text)
		return nil
	}); err != nil {
		return err
	}
	if !out.Same {
		return errBreach
	}
	return nil
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

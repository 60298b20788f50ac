package app

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/report"
)

// Writeup gathers what is left to say of an experiment: the newest look at each of its
// iterations that has begun, and the decision log.
func (s *Stack) Writeup(ctx context.Context, v *experiment.Version, e *experiment.Experiment, now time.Time) (*report.Writeup, error) {
	out := &report.Writeup{Experiment: e, At: now.UTC()}
	for i := range e.Iterations {
		it := &e.Iterations[i]
		if now.Before(it.Start) {
			continue
		}
		d, err := s.Look(ctx, v, e, it.Number, now)
		if err != nil {
			return nil, fmt.Errorf("look at iteration %d of %s: %w", it.Number, e.Key, err)
		}
		out.Runs, out.Head = append(out.Runs, report.Run{Iteration: it, Document: d}), d.LogHead
	}
	rows, err := s.DB.Decisions(ctx, clickhouse.DecisionFilter{Experiment: e.Key})
	if err != nil {
		return nil, fmt.Errorf("read the decision log: %w", err)
	}
	for _, row := range rows {
		out.Log = append(out.Log, reportDecision(row))
	}
	return out, nil
}

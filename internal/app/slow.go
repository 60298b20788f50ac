package app

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// slowEvery is how often running experiments' slow metrics are computed.
const slowEvery = 5 * time.Minute

// SlowLook computes what the moments cannot say, from stored events, and stores
// it; nil when the iteration asks for nothing of the kind.
func (s *Stack) SlowLook(ctx context.Context, v *experiment.Version, e *experiment.Experiment, it *experiment.Iteration, now time.Time) (*results.Slow, error) {
	open := results.SlowMetrics(e, it, nil)
	if len(open) == 0 {
		return nil, nil
	}
	statuses, err := s.DB.Statuses(ctx) // before the positions: what has matured is in the events below them
	if err != nil {
		return nil, fmt.Errorf("read the shards' statuses: %w", err)
	}
	positions, err := s.DB.Positions(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the shards' positions: %w", err)
	}
	soFar, err := s.DB.Slow(ctx, e, it, open, positions)
	if err != nil {
		return nil, fmt.Errorf("compute slow metrics of %s: %w", e.Key, err)
	}
	matured, err := s.DB.Slow(ctx, e, it, results.SlowMetrics(e, it, results.Maturity(e, it, statuses)), positions)
	if err != nil {
		return nil, fmt.Errorf("compute matured slow metrics of %s: %w", e.Key, err)
	}
	out := &results.Slow{Experiment: e.Key, Iteration: it.Number, Version: v.Number, Code: s.Code, At: now.UTC(),
		Vector: vectorOf(positions), Comparisons: results.ComputeSlow(e, it, soFar, matured)}
	look := clickhouse.Look{Experiment: e.Key, Iteration: it.Number, Kind: clickhouse.SlowLook, At: out.At, Version: v.Number, Vector: out.Vector}
	return out, s.storeOwn(ctx, &look, out)
}

// SlowNow computes an iteration's slow metrics and its placebo at once; 0 is the
// latest iteration.
func (s *Stack) SlowNow(ctx context.Context, v *experiment.Version, e *experiment.Experiment, iteration uint32, now time.Time) error {
	it := iterationOf(e, iteration, now)
	if it == nil {
		return nil // the look says so
	}
	if _, err := s.SlowLook(ctx, v, e, it, now); err != nil {
		return err
	}
	last, err := s.lastPlacebo(ctx, e.Key, it.Number)
	if err != nil {
		return err
	}
	_, err = s.placeboLook(ctx, v, e, it, last, now)
	return err
}

// lastSlow is the newest slow look of an iteration, nil without one.
func (s *Stack) lastSlow(ctx context.Context, key string, iteration uint32) (*results.Slow, error) {
	return lastOwn[results.Slow](ctx, s, key, iteration, clickhouse.SlowLook)
}

// Slow computes the slow metrics of running experiments now and then, until the
// context ends. Of several guards the one that leads does it. A failure is logged and costs nothing but age.
func (s *Stack) Slow(ctx context.Context) error {
	return s.rounds(ctx, "slow metrics", slowEvery, func(ctx context.Context, _ time.Time) error {
		return s.eachRunning(ctx, func(v *experiment.Version, e *experiment.Experiment, it *experiment.Iteration) error {
			if !s.leads() {
				return nil
			}
			return s.background.do(ctx, func(ctx context.Context) error {
				_, err := s.SlowLook(ctx, v, e, it, time.Now())
				return err
			})
		})
	})
}

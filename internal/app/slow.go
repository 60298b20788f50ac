package app

import (
	"context"
	"encoding/json"
	"errors"
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
		Vector: map[uint16]uint64{}, Comparisons: results.ComputeSlow(e, it, soFar, matured)}
	for _, p := range positions {
		out.Vector[p.Shard] = p.Seq
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode slow metrics: %w", err)
	}
	look := clickhouse.Look{Experiment: e.Key, Iteration: it.Number, Kind: clickhouse.SlowLook, At: out.At,
		Version: v.Number, Vector: out.Vector, Document: b}
	if err := s.DB.StoreLook(ctx, &look); err != nil {
		return nil, fmt.Errorf("store slow metrics: %w", err)
	}
	return out, nil
}

// SlowNow computes an iteration's slow metrics at once; 0 is the latest iteration.
func (s *Stack) SlowNow(ctx context.Context, v *experiment.Version, e *experiment.Experiment, iteration uint32, now time.Time) error {
	it := iterationOf(e, iteration, now)
	if it == nil {
		return nil // the look says so
	}
	_, err := s.SlowLook(ctx, v, e, it, now)
	return err
}

// lastSlow is the newest slow look of an iteration, nil without one.
func (s *Stack) lastSlow(ctx context.Context, key string, iteration uint32) (*results.Slow, error) {
	looks, err := s.DB.Looks(ctx, clickhouse.LookFilter{Experiment: key, Iteration: iteration, Kind: clickhouse.SlowLook, Documents: true, Limit: 1})
	if err != nil || len(looks) == 0 {
		return nil, err
	}
	var out results.Slow
	if err := json.Unmarshal(looks[0].Document, &out); err != nil {
		return nil, fmt.Errorf("decode look %s: %w", looks[0].ID, err)
	}
	return &out, nil
}

// Slow computes the slow metrics of running experiments now and then, until the
// context ends. A failure is logged and costs nothing but age.
func (s *Stack) Slow(ctx context.Context) error {
	t := time.NewTicker(slowEvery)
	defer t.Stop()
	for {
		if err := s.slowRound(ctx, time.Now()); err != nil && !errors.Is(err, context.Canceled) {
			s.Log.Warn("slow metrics", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (s *Stack) slowRound(ctx context.Context, now time.Time) error {
	v, err := s.DB.Version(ctx)
	if err != nil {
		return fmt.Errorf("read the configuration in force: %w", err)
	}
	var errs []error
	for i := range v.Experiments {
		e := &v.Experiments[i]
		if it := iterationOf(e, 0, now); it != nil && now.Before(it.End.Add(e.Window.Std())) {
			_, err := s.SlowLook(ctx, &v, e, it, now)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

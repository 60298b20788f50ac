package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Look returns the newest full look of an experiment's iteration (0: the
// latest). When the ledger or the configuration has moved on since, or there
// was none, it takes a new one and stores it: a look is never computed twice.
func (s *Stack) Look(ctx context.Context, v *experiment.Version, e *experiment.Experiment, iteration uint32, now time.Time) (*results.Document, error) {
	it := iterationOf(e, iteration)
	if it == nil {
		return nil, WithHint(fmt.Errorf("experiment %s has no iteration %d", e.Key, iteration), "leave --iteration out for the latest one")
	}
	statuses, err := s.DB.Statuses(ctx) // before the moments: a status counts only if the look has reached it
	if err != nil {
		return nil, fmt.Errorf("read the shards' statuses: %w", err)
	}
	spec := clickhouse.MomentsSpec{Experiment: e.Key, Iteration: it.Number, Matured: results.Maturity(e, it, statuses), Dimensions: true}
	moments, err := s.DB.Moments(ctx, []clickhouse.MomentsSpec{spec})
	if err != nil {
		return nil, fmt.Errorf("read the moments of %s: %w", e.Key, err)
	}
	stored, err := s.storedLook(ctx, e.Key, it.Number, clickhouse.FullLook)
	if err != nil {
		return nil, err
	}
	if stored != nil && stored.Version == v.Number && maps.Equal(stored.Vector, moments.Vector) {
		return stored, nil
	}
	d := results.Compute(v, e, it.Number, moments, statuses, now, results.Options{Code: s.Code, Kind: string(clickhouse.FullLook)})
	if d.Verdicts, err = s.lastVerdicts(ctx, e.Key, it.Number); err != nil {
		return nil, err
	}
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode a look: %w", err)
	}
	look := clickhouse.Look{Experiment: e.Key, Iteration: it.Number, Kind: clickhouse.FullLook, At: now, Version: v.Number, Vector: moments.Vector, Document: b}
	if err := s.DB.StoreLook(ctx, &look); err != nil {
		return nil, fmt.Errorf("store a look: %w", err)
	}
	return &d, nil
}

// lastVerdicts are what the guard said last of the iteration: judging is its
// part alone.
func (s *Stack) lastVerdicts(ctx context.Context, key string, iteration uint32) ([]results.Verdict, error) {
	var last *results.Document
	for _, kind := range []clickhouse.LookKind{clickhouse.GuardLook, clickhouse.FullLook} {
		d, err := s.storedLook(ctx, key, iteration, kind)
		if err != nil {
			return nil, err
		}
		if d != nil && (last == nil || d.At.After(last.At)) {
			last = d
		}
	}
	if last == nil {
		return nil, nil
	}
	return last.Verdicts, nil
}

// storedLook is the newest look of a kind at the iteration, nil without one.
func (s *Stack) storedLook(ctx context.Context, key string, iteration uint32, kind clickhouse.LookKind) (*results.Document, error) {
	look, err := s.DB.LatestLook(ctx, key, kind)
	if errors.Is(err, clickhouse.ErrNotFound) || err == nil && look.Iteration != iteration {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last look of %s: %w", key, err)
	}
	var d results.Document
	if err := json.Unmarshal(look.Document, &d); err != nil {
		return nil, fmt.Errorf("decode look %s: %w", look.ID, err)
	}
	return &d, nil
}

func iterationOf(e *experiment.Experiment, number uint32) *experiment.Iteration {
	if number == 0 {
		return e.Latest()
	}
	for i := range e.Iterations {
		if e.Iterations[i].Number == number {
			return &e.Iterations[i]
		}
	}
	return nil
}

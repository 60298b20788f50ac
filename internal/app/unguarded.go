package app

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/watch"
)

// WatchOnly shows every experiment each second and judges nothing: what a
// company without a guard sees.
func (s *Stack) WatchOnly(ctx context.Context, observe func(watch.Event)) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-t.C:
			if err := s.lookAll(ctx, now, observe); err != nil && ctx.Err() == nil {
				observe(watch.Event{Kind: watch.Failed, At: now, Err: err})
			}
		}
	}
}

func (s *Stack) lookAll(ctx context.Context, now time.Time, observe func(watch.Event)) error {
	v, err := s.DB.Version(ctx)
	if err != nil {
		return fmt.Errorf("read the configuration in force: %w", err)
	}
	statuses, err := s.DB.Statuses(ctx)
	if err != nil {
		return fmt.Errorf("read the shards' statuses: %w", err)
	}
	var specs []clickhouse.MomentsSpec
	for i := range v.Experiments {
		e := &v.Experiments[i]
		if it := iterationOf(e, 0, now); it != nil {
			specs = append(specs, clickhouse.MomentsSpec{Experiment: e.Key, Iteration: it.Number, Matured: results.Maturity(e, it, statuses)})
		}
	}
	moments, err := s.DB.Moments(ctx, specs)
	if err != nil {
		return fmt.Errorf("read the moments: %w", err)
	}
	for _, spec := range specs {
		same, err := s.sameCounting(ctx, &v, spec.Experiment, moments)
		if err != nil {
			return err
		}
		d := results.Compute(&v, v.Find(spec.Experiment), spec.Iteration, moments, statuses, now, results.Options{
			Code: s.Code, Kind: results.KindFull, SameCounting: same})
		observe(watch.Event{Kind: watch.Looked, At: now, Document: &d})
	}
	return nil
}

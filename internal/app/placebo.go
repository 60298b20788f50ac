package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/watch"
)

const (
	// placeboEvery is how old a running experiment's placebo becomes.
	placeboEvery = 10 * time.Minute
	// placeboAsk is how often the ages are looked at: an experiment that had no
	// numbers a minute ago may have some now.
	placeboAsk = time.Minute
)

// PlaceboLook halves the control's units at random, compares the halves and stores
// what came of it; nil while no halving has numbers.
func (s *Stack) PlaceboLook(ctx context.Context, v *experiment.Version, e *experiment.Experiment, it *experiment.Iteration, now time.Time) (*results.Placebo, error) {
	metrics := results.PlaceboMetrics(it)
	if len(metrics) == 0 {
		return nil, nil
	}
	positions, err := s.DB.Positions(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the shards' positions: %w", err)
	}
	last, err := s.lastPlacebo(ctx, e.Key, it.Number)
	if err != nil {
		return nil, err
	}
	rows, err := s.DB.Placebo(ctx, e, it, metrics, results.PlaceboSplits, positions)
	if err != nil {
		return nil, fmt.Errorf("halve the control of %s: %w", e.Key, err)
	}
	out := results.ComputePlacebo(e, it, rows, last)
	if !out.Judged() {
		return nil, nil
	}
	out.Version, out.Code, out.At, out.Vector = v.Number, s.Code, now.UTC(), vectorOf(positions)
	look := clickhouse.Look{Experiment: e.Key, Iteration: it.Number, Kind: clickhouse.PlaceboLook, At: out.At, Version: v.Number, Vector: out.Vector}
	return &out, s.storeOwn(ctx, &look, &out)
}

// Placebo keeps the placebos of running experiments young and publishes them as
// metrics, until the context ends. A failure is logged and costs nothing but age.
func (s *Stack) Placebo(ctx context.Context, registry prometheus.Registerer) error {
	gauges, err := watch.NewPlaceboGauges(registry)
	if err != nil {
		return err
	}
	return s.rounds(ctx, "placebo", placeboAsk, func(ctx context.Context, now time.Time) error {
		return s.placeboRound(ctx, gauges, now)
	})
}

func (s *Stack) placeboRound(ctx context.Context, gauges *watch.PlaceboGauges, now time.Time) error {
	var all []*results.Placebo
	err := s.eachRunning(ctx, now, func(v *experiment.Version, e *experiment.Experiment, it *experiment.Iteration) error {
		p, err := s.lastPlacebo(ctx, e.Key, it.Number)
		if err == nil && (p == nil || now.Sub(p.At) >= placeboEvery) {
			before := p
			if p, err = s.PlaceboLook(ctx, v, e, it, now); p == nil {
				p = before
			}
			s.sayPlacebo(before, p)
		}
		if p != nil {
			all = append(all, p)
		}
		return err
	})
	gauges.Set(all)
	return err
}

// sayPlacebo logs each metric that has become suspect.
func (s *Stack) sayPlacebo(before, now *results.Placebo) {
	known := map[string]bool{}
	for _, m := range before.Suspect() {
		known[m.Metric] = true
	}
	for _, m := range now.Suspect() {
		if !known[m.Metric] {
			s.Log.Warn("the intervals raise too many false alarms: do not trust this metric's", "experiment", now.Experiment,
				"metric", m.Metric, "false_alarms", len(m.Ever), "halvings", now.Splits, "alpha", now.Alpha)
		}
	}
}

// lastPlacebo is the newest placebo of an iteration, nil without one.
func (s *Stack) lastPlacebo(ctx context.Context, key string, iteration uint32) (*results.Placebo, error) {
	return lastOwn[results.Placebo](ctx, s, key, iteration, clickhouse.PlaceboLook)
}

// storeOwn stores a look that is computed from stored events.
func (s *Stack) storeOwn(ctx context.Context, look *clickhouse.Look, document any) error {
	b, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encode the %s look of %s: %w", look.Kind, look.Experiment, err)
	}
	look.Document = b
	if err := s.DB.StoreLook(ctx, look); err != nil {
		return fmt.Errorf("store the %s look of %s: %w", look.Kind, look.Experiment, err)
	}
	return nil
}

// lastOwn is the newest look of a kind, nil without one.
func lastOwn[T any](ctx context.Context, s *Stack, key string, iteration uint32, kind clickhouse.LookKind) (*T, error) {
	looks, err := s.DB.Looks(ctx, clickhouse.LookFilter{Experiment: key, Iteration: iteration, Kind: kind, Documents: true, Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("read the last %s look of %s: %w", kind, key, err)
	}
	if len(looks) == 0 {
		return nil, nil
	}
	out := new(T)
	if err := json.Unmarshal(looks[0].Document, out); err != nil {
		return nil, fmt.Errorf("decode look %s: %w", looks[0].ID, err)
	}
	return out, nil
}

func vectorOf(positions []clickhouse.Position) map[uint16]uint64 {
	out := map[uint16]uint64{}
	for _, p := range positions {
		out[p.Shard] = p.Seq
	}
	return out
}

// rounds does something at once and then every so often. A failure is logged.
func (s *Stack) rounds(ctx context.Context, what string, every time.Duration, round func(context.Context, time.Time) error) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if err := round(ctx, time.Now()); err != nil && !errors.Is(err, context.Canceled) {
			s.Log.Warn(what, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// eachRunning goes through the iterations that run, or whose last outcomes may yet come.
func (s *Stack) eachRunning(ctx context.Context, now time.Time, do func(*experiment.Version, *experiment.Experiment, *experiment.Iteration) error) error {
	v, err := s.DB.Version(ctx)
	if err != nil {
		return fmt.Errorf("read the configuration in force: %w", err)
	}
	var errs []error
	for i := range v.Experiments {
		e := &v.Experiments[i]
		if it := iterationOf(e, 0, now); it != nil && now.Before(it.End.Add(e.Window.Std())) {
			errs = append(errs, do(&v, e, it))
		}
	}
	return errors.Join(errs...)
}

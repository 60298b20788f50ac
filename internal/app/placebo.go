package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// placeboLook halves the control's units at random, compares the halves and stores
// what came of it and of the last placebo; nil while no halving has numbers.
func (s *Stack) placeboLook(ctx context.Context, v *experiment.Version, e *experiment.Experiment, it *experiment.Iteration, last *results.Placebo, now time.Time) (*results.Placebo, error) {
	metrics := results.PlaceboMetrics(it)
	if len(metrics) == 0 {
		return nil, nil
	}
	positions, err := s.DB.Positions(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the shards' positions: %w", err)
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
// metrics, until the context ends. Of several guards the one that leads computes them. A
// failure is logged and costs nothing but age.
func (s *Stack) Placebo(ctx context.Context, registry prometheus.Registerer) error {
	gauges, err := watch.NewPlaceboGauges(registry)
	if err != nil {
		return err
	}
	return s.rounds(ctx, "placebo", placeboAsk, func(ctx context.Context, _ time.Time) error {
		return s.placeboRound(ctx, gauges)
	})
}

// placeboRound publishes the newest placebos at once, and each that it computes.
func (s *Stack) placeboRound(ctx context.Context, gauges *watch.PlaceboGauges) error {
	newest := map[string]*results.Placebo{}
	known := map[string]uint32{} // of which iteration, read without an error
	publish := func() { gauges.Set(slices.Collect(maps.Values(newest))) }
	err := s.eachRunning(ctx, func(_ *experiment.Version, e *experiment.Experiment, it *experiment.Iteration) error {
		last, err := s.lastPlacebo(ctx, e.Key, it.Number)
		if err != nil {
			return err
		}
		if known[e.Key] = it.Number; last != nil {
			newest[e.Key] = last
		}
		return nil
	})
	publish()
	if !s.leads() {
		return err
	}
	return errors.Join(err, s.eachRunning(ctx, func(v *experiment.Version, e *experiment.Experiment, it *experiment.Iteration) error {
		last := newest[e.Key]
		if known[e.Key] != it.Number || last != nil && time.Since(last.At) < placeboEvery {
			return nil
		}
		return s.background.do(ctx, func(ctx context.Context) error {
			p, err := s.placeboLook(ctx, v, e, it, last, time.Now())
			if p != nil {
				newest[e.Key] = p
				s.sayPlacebo(last, p)
				publish()
			}
			return err
		})
	}))
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

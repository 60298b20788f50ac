package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

const (
	wideKey     = "wide"     // the experiment of many units and metrics
	wideMetrics = 20         // half goals, half guardrails
	wideUnits   = 10_000_000 // of both arms
	listMetrics = 10         // of the others in the list
)

// countries are the values of a dimension, with what others are called.
func countries() []string { return []string{"DE", "FR", "IT", "(other)", "(none)"} }

func wideMetric(i int) string { return fmt.Sprintf("m%02d", i) }

// shownFile is an experiment of some metrics, the first half of which are goals.
func shownFile(key string, metrics int) experiment.File {
	var goals, guardrails []string
	for i := range metrics {
		if i < metrics/2 {
			goals = append(goals, wideMetric(i))
		} else {
			guardrails = append(guardrails, fmt.Sprintf("  - {metric: %s, margin: 5%%, mode: notify}", wideMetric(i)))
		}
	}
	return experiment.File{Name: "experiments/" + key + ".yaml", Data: []byte(fmt.Sprintf(`key: %s
owner: bench
objective: To be shown
variants: {control: 50%%, treatment: 50%%}
control: control
window: 1h
planned_units: 20000000
dimensions: [{attribute: country, values: [DE, FR, IT]}]
goals: [%s]
guardrails:
%s
iterations: [{enrol_until: 2099-01-01T00:00:00Z}]
`, key, strings.Join(goals, ", "), strings.Join(guardrails, "\n")))}
}

// shownFiles are so many experiments, and the wide one.
func shownFiles(list int) (*experiment.Set, error) {
	all := []experiment.File{shownFile(wideKey, wideMetrics)}
	for i := range list - 1 - len(keys) {
		all = append(all, shownFile(fmt.Sprintf("e-%04d", i), listMetrics))
	}
	for i := range wideMetrics {
		all = append(all, metric(wideMetric(i), "mean", "decimals: 2\n"))
	}
	return files(all...)
}

// sums are those of units whose values spread around a mean.
func sums(units int64, mean float64) results.Sums {
	n, of := float64(units), func(x float64) *big.Int { v, _ := big.NewFloat(x).Int(nil); return v }
	return results.Sums{N: units, NonZero: units / 2, Sum: of(n * mean), SumSquares: of(n * mean * mean * 3)}
}

// shownMoments are sums as a ledger has them of an experiment of so many units.
func shownMoments(it *experiment.Iteration, key string, units int64, now time.Time) results.Moments {
	m := results.Moments{Vector: map[uint16]uint64{0: uint64(now.UnixMilli())}, Config: map[uint16]uint32{}}
	add := func(metric, variant, dimension, value string, s results.Sums) {
		m.Cells = append(m.Cells, results.Cell{Experiment: key, Iteration: it.Number, Phase: 1, Variant: variant, Metric: metric,
			Dimension: dimension, Value: value, Open: s, Matured: s, Newest: now})
	}
	for _, variant := range []string{"control", "treatment"} {
		add(ingest.Units, variant, "", "", results.Sums{N: units / 2})
		for i := range it.Metrics {
			mean := 2000 + 10*float64(i)
			if variant == "treatment" {
				mean += float64(i)
			}
			name := it.Metrics[i].Name
			add(name, variant, "", "", sums(units/2, mean))
			for _, c := range countries() {
				add(name, variant, "country", c, sums(units/2/int64(len(countries())), mean))
			}
		}
	}
	return m
}

// shownLooks are a full look at an experiment and one of its guard, with a verdict of
// each guardrail.
func shownLooks(v *experiment.Version, e *experiment.Experiment, units int64, now time.Time) ([]*clickhouse.Look, error) {
	it := e.Latest()
	statuses := []results.ShardStatus{{Seq: 1, Freshness: now, State: "ok", At: now, Config: v.Number}}
	d := results.Compute(v, e, it.Number, shownMoments(it, e.Key, units, now), statuses, now, results.Options{Code: "bench", Kind: results.KindFull})
	for _, g := range e.Guardrails {
		d.Verdicts = append(d.Verdicts, results.Verdict{Metric: g.Metric, Arm: "treatment", Mode: string(g.Mode), Margin: g.Margin, Relative: g.Relative,
			Verdict: "healthy", Reason: "non_inferior", Act: "nothing", Text: "harm as large as the margin is refuted on matured data"})
	}
	var out []*clickhouse.Look
	for kind, d := range map[clickhouse.LookKind]results.Document{clickhouse.FullLook: d, clickhouse.GuardLook: d.Guard()} {
		b, err := json.Marshal(d)
		if err != nil {
			return nil, fmt.Errorf("encode a look: %w", err)
		}
		out = append(out, &clickhouse.Look{Experiment: e.Key, Iteration: it.Number, Kind: kind, At: now, Version: v.Number, Vector: d.Vector, Verdict: "healthy", Document: b})
	}
	return out, nil
}

// storeShown stores looks at all experiments, as guards do.
func storeShown(ctx context.Context, db *clickhouse.DB, v *experiment.Version, which func(i int) bool, now time.Time) (size int, err error) {
	var looks []*clickhouse.Look
	for i := range v.Experiments {
		e := &v.Experiments[i]
		if e.Key == keys[0] || e.Key == keys[1] || !which(i) {
			continue
		}
		units := int64(wideUnits)
		if e.Key != wideKey {
			units = 100_000
		}
		some, err := shownLooks(v, e, units, now)
		if err != nil {
			return 0, err
		}
		for _, l := range some {
			if e.Key == wideKey {
				size += len(l.Document)
			}
		}
		if looks = append(looks, some...); len(looks) >= 100 {
			if err := db.StoreLook(ctx, looks...); err != nil {
				return 0, fmt.Errorf("store looks: %w", err)
			}
			looks = nil
		}
	}
	if err := db.StoreLook(ctx, looks...); err != nil {
		return 0, fmt.Errorf("store looks: %w", err)
	}
	return size, nil
}

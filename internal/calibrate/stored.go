package main

import (
	"cmp"
	"math"
	"math/big"
	"slices"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// anySegment: the effect of a segment is found at a part of the level.
func anySegment(l *look) bool {
	plan := stats.Plan{PlannedUnits: float64(l.world.units) / float64(len(l.world.segments)), TreatmentShare: .5,
		Alpha: alpha / float64(len(l.world.segments))}
	for _, segment := range l.world.segments {
		var stratum stats.Stratum
		for i := range l.doc.Cells {
			c := &l.doc.Cells[i]
			if c.Metric != "value" || c.Value != segment {
				continue
			}
			m := c.Scale().Moments(c.Matured.Sums())
			if c.Variant == arms[1] {
				stratum.Treatment = m
			} else {
				stratum.Control = m
			}
		}
		if r := stats.Combine([]stats.Stratum{stratum}).Sequential(plan); r.Absolute.P < plan.Alpha {
			return true
		}
	}
	return false
}

// unlikeWhole: the exact sums of the segments differ from those of all units.
func unlikeWhole(l *look) bool {
	left := map[string]*big.Int{}
	for i := range l.doc.Cells {
		c := &l.doc.Cells[i]
		key := c.Metric + " " + c.Variant
		if left[key] == nil {
			left[key] = new(big.Int)
		}
		if sum := c.Open.Sums().Sum; c.Dimension == "" {
			left[key].Add(left[key], sum)
		} else {
			left[key].Sub(left[key], sum)
		}
	}
	for _, d := range left {
		if d.Sign() != 0 {
			return true
		}
	}
	return false
}

// stored are the scenarios of metrics that are computed from stored events: the
// sums that the query returns are formed here, and everything behind it is the
// engine's.
func stored(f form) []scenario {
	var out []scenario
	for _, q := range []struct {
		name  string
		p     float64
		units int
	}{{"p50", .5, 500}, {"p90", .9, 1_000}, {"p99", .99, f.of(4_000, 2_000)}} {
		w := world{units: q.units, phases: equal(), metrics: []experiment.Metric{{Name: q.name, Event: "event", Kind: experiment.Quantile, Quantile: q.p, Decimals: 2}}}
		out = append(out, scenario{name: "quantile of clustered events, " + q.name, world: w,
			about: "no effect; about ten events a unit, correlated; 20 looks", direct: quantiles, figures: slowFigures(.01)})
	}
	for _, s := range []struct {
		name   string
		phases [][]float64
	}{{"50/50", equal()}, {"90/10", split(.1)}} {
		w := world{units: f.of(5_000, 2_000), phases: s.phases, metrics: []experiment.Metric{{Name: "value", Event: "event", Kind: experiment.Mean, Decimals: 6, Covariate: "attrs.before"}}}
		out = append(out, scenario{name: "covariate with unequal slopes, " + s.name, world: w,
			about: "no mean effect; slopes of 0.5 in the control and 1.5 in the treatment; 20 looks", direct: covariates, figures: slowFigures(.005)})
	}
	return out
}

func slowFigures(within float64) []figure {
	return []figure{
		{name: "interval", bound: bound{atMost, alpha, 0}},
		{name: "fixed interval at the end", bound: bound{near, alpha, within}},
	}
}

const slowLooks = 20

// judgeSlow looks at growing parts of the units.
func judgeSlow(w *world, rows func(units int) []results.SlowRow) []float64 {
	v := w.version()
	e := &v.Experiments[0]
	values := make([]float64, 2)
	for i := range slowLooks {
		n := w.units * (i + 1) / slowLooks
		for _, c := range results.ComputeSlow(e, &e.Iterations[0], nil, rows(n)) {
			if outside(c.Estimate.Absolute.Sequential, 0) {
				values[0] = 1
			}
			if i == slowLooks-1 && outside(c.Estimate.Absolute.Fixed, 0) {
				values[1] = 1
			}
		}
	}
	return values
}

// quantiles draws units with many correlated events.
func quantiles(w *world, rng source) []float64 {
	type event struct {
		unit  int
		value int64
	}
	arm := make([]int, w.units)
	var events [2][]event
	for i := range w.units {
		arm[i] = pick(rng.Rand, w.phases[0])
		level := rng.NormFloat64()
		for range 1 + rng.IntN(19) {
			events[arm[i]] = append(events[arm[i]], event{i, int64(math.Round(1000 * math.Exp(.5*level+.5*rng.NormFloat64())))})
		}
	}
	for a := range events {
		slices.SortFunc(events[a], func(a, b event) int { return cmp.Compare(a.value, b.value) })
	}
	m := w.metrics[0]
	return judgeSlow(w, func(units int) []results.SlowRow {
		var rows []results.SlowRow
		for a := range events {
			row := results.SlowRow{Quantile: true}
			in := make([]event, 0, len(events[a]))
			for _, e := range events[a] {
				if e.unit < units {
					in = append(in, e)
				}
			}
			row.Events = int64(len(in))
			low, point, high, ok := stats.QuantileRanks(row.Events, m.Quantile, results.QuantileZ)
			if !ok {
				continue
			}
			row.Low, row.Point, row.High = big.NewInt(in[low-1].value), big.NewInt(in[point-1].value), big.NewInt(in[high-1].value)
			below, all := make([]int64, units), make([]int64, units)
			for _, e := range in {
				all[e.unit]++
				if e.value <= in[point-1].value {
					below[e.unit]++
				}
			}
			sums := slowSums{columns: 2}
			for i := range units {
				if arm[i] == a {
					sums.add(below[i], all[i])
				}
			}
			rows = append(rows, sums.row(row, m.Name, arms[a]))
		}
		return rows
	})
}

// covariates draws units whose outcome depends on a covariate, in each arm with
// a slope of its own.
func covariates(w *world, rng source) []float64 {
	type unit struct {
		arm  int
		y, x int64
	}
	units := make([]unit, w.units)
	for i := range units {
		a, x := pick(rng.Rand, w.phases[0]), rng.NormFloat64()
		y := (.5+float64(a))*x + .5*rng.NormFloat64()
		units[i] = unit{a, int64(math.Round(y * 1e6)), int64(math.Round(x * 1e6))}
	}
	sums := [2]slowSums{{columns: 3}, {columns: 3}}
	done := 0
	return judgeSlow(w, func(n int) []results.SlowRow {
		for ; done < n; done++ {
			sums[units[done].arm].add(units[done].y, units[done].x, 0) // none lacks the attribute
		}
		return []results.SlowRow{sums[0].row(results.SlowRow{}, "value", arms[0]), sums[1].row(results.SlowRow{}, "value", arms[1])}
	})
}

// slowSums are the sums and products of up to three columns.
type slowSums struct {
	columns, units, nonZero int
	sums                    [3]ingest.Int128
	products                [3][3]ingest.Int128
}

// add takes a unit, its outcome first.
func (s *slowSums) add(values ...int64) {
	s.units++
	if values[0] != 0 {
		s.nonZero++
	}
	for i, a := range values {
		s.sums[i] = s.sums[i].Add(ingest.Int64(a))
		for k, b := range values {
			s.products[i][k] = s.products[i][k].Add(ingest.Product(a, b))
		}
	}
}

// row is what the query would return.
func (s *slowSums) row(r results.SlowRow, metric, variant string) results.SlowRow {
	r.Phase, r.Variant, r.Metric, r.N, r.NonZero = 1, variant, metric, int64(s.units), int64(s.nonZero)
	for i := range s.columns {
		r.Sums = append(r.Sums, s.sums[i].Big())
		products := make([]*big.Int, s.columns)
		for k := range products {
			products[k] = s.products[i][k].Big()
		}
		r.Products = append(r.Products, products)
	}
	return r
}

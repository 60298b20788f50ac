package results

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// Slow is what the moments cannot say: quantiles, and means adjusted by a
// covariate. It is computed from stored events every few minutes, and stored like
// a look; its age is shown wherever it is.
type Slow struct {
	Experiment  string            `json:"experiment"`
	Iteration   uint32            `json:"iteration"`
	Version     uint32            `json:"version"` // of the configuration
	Code        string            `json:"code"`    // of the program
	At          time.Time         `json:"at"`
	Vector      map[uint16]uint64 `json:"vector"` // shard → last part whose events are in the numbers
	Comparisons []SlowComparison  `json:"comparisons"`
}

// SlowComparison is one metric of one arm against the control.
type SlowComparison struct {
	Metric    string  `json:"metric"`
	Arm       string  `json:"arm"`
	Kind      string  `json:"kind"`
	Direction string  `json:"direction"`
	Unit      string  `json:"unit,omitempty"`
	Goal      bool    `json:"goal"`
	Quantile  float64 `json:"quantile,omitempty"`
	Covariate string  `json:"covariate,omitempty"`
	// Reduction is the share of the difference's variance that the covariate took
	// away; DesignEffect is how much larger a quantile's variance is than if its
	// events were independent (the larger of both arms').
	Reduction    Number   `json:"variance_reduction,omitempty"`
	DesignEffect Number   `json:"design_effect,omitempty"`
	Events       int64    `json:"events,omitempty"` // of a quantile, in the smaller arm
	Matured      bool     `json:"matured"`          // of units whose window has passed; else of all units so far
	Estimate     Estimate `json:"estimate"`

	// Balances compare the covariates themselves, ByDay how the effect moves with the
	// days since a unit's first exposure. Absent where there is nothing to compare.
	Balances []Balance `json:"balances,omitempty"`
	ByDay    *Trend    `json:"by_day,omitempty"`
	// Adjusted is a quantile that is a goal within the family of goals. What a
	// covariate adjusts is a second reading of a goal that is in it already.
	Adjusted *Adjusted `json:"adjusted,omitempty"`
}

// SlowMetric is one metric to be computed from stored events.
type SlowMetric struct {
	*experiment.Metric
	Covariate string    // as in the file; "" for a quantile
	Before    time.Time // only units first exposed before it; zero: all
	Days      int       // since the first exposure by which a trend is looked for; below 2: none
}

// SlowRow is one metric of one arm in one phase; settling units are not in it.
type SlowRow struct {
	Quantile bool
	Phase    uint16
	Variant  string
	Metric   string

	// Of a covariate: units, with sums and sums of products of their totals (two of a
	// ratio) and covariates (SlowMetric.columns). Of a quantile: the sums over units of
	// events at or below the point, and of events.
	N, NonZero, Over int64
	Sums             []*big.Int
	Products         [][]*big.Int

	Trend TrendSums // of a metric with Days

	Events           int64 // of a quantile, as the three order statistics
	Low, Point, High *big.Int
}

// QuantileZ is the multiple of the standard error at which a quantile's order
// statistics are taken. Any would do; this one makes them the 95 % interval of
// independent events.
const QuantileZ = 1.959963984540054

// SlowMetrics lists what an iteration asks for, over all units so far or, with
// cutoffs as of Maturity, over those whose windows have passed.
func SlowMetrics(e *experiment.Experiment, it *experiment.Iteration, cutoffs map[string]time.Time) []SlowMetric {
	e = e.AsOf(it)
	var out []SlowMetric
	for i := range it.Metrics {
		m := SlowMetric{Metric: &it.Metrics[i]}
		if m.Kind != experiment.Quantile {
			if m.Covariate = cmp.Or(m.Metric.Covariate, e.Covariate); m.Covariate == "" {
				continue
			}
		}
		m.Days = trendDays(m, e.WindowOf(m.Metric).Std())
		if cutoffs != nil {
			before, known := cutoffs[m.Name]
			if !known {
				continue
			}
			m.Before = before
		}
		out = append(out, m)
	}
	return out
}

// ComputeSlow makes comparisons of rows. A metric without a matured unit in both
// arms is shown as it is so far.
func ComputeSlow(e *experiment.Experiment, it *experiment.Iteration, open, matured []SlowRow) []SlowComparison {
	e = e.AsOf(it)
	s := slow{e: e, it: it}
	for _, m := range SlowMetrics(e, it, nil) {
		s.balances += (len(e.Variants) - 1) * len(m.covariateColumns())
		if m.Days > 1 {
			s.trends += len(e.Variants) - 1
		}
	}
	var out []SlowComparison
	for _, m := range SlowMetrics(e, it, nil) {
		for arm, v := range e.Variants {
			if v.Key == e.Control {
				continue
			}
			c := s.compare(m, arm, matured)
			if c.Matured = c.Estimate.Treatment.Units > 0 && c.Estimate.Control.Units > 0; !c.Matured {
				c = s.compare(m, arm, open)
			}
			if m.Covariate != "" {
				c.Balances, c.ByDay = s.balancesOf(m, arm, open), s.byDay(m, arm, matured)
			}
			out = append(out, c)
		}
	}
	return out
}

type slow struct {
	e  *experiment.Experiment
	it *experiment.Iteration
	// How many covariates and trends are compared, over all metrics and arms.
	balances, trends int
}

func (s slow) compare(m SlowMetric, arm int, rows []SlowRow) SlowComparison {
	out := SlowComparison{
		Metric: m.Name, Arm: s.e.Variants[arm].Key, Kind: string(m.Kind), Direction: string(m.Direction), Unit: m.Unit,
		Goal: slices.Contains(s.e.Goals, m.Name), Quantile: m.Quantile, Covariate: m.Covariate,
		Reduction: Number(math.NaN()), DesignEffect: Number(math.NaN()),
	}
	plan := s.plan(arm)
	plan.Strict = plan.Strict && m.Kind != experiment.Quantile
	var strata []stats.Stratum
	for _, p := range s.it.Phases {
		t, tOK := find(rows, m, p.Number, out.Arm)
		c, cOK := find(rows, m, p.Number, s.e.Control)
		if !tOK || !cOK || t.Over+c.Over > 0 {
			continue
		}
		stratum := stats.Stratum{Name: fmt.Sprint(p.Number)}
		if m.Kind == experiment.Quantile {
			stratum.Treatment, stratum.Control = out.quantile(m, t), out.quantile(m, c)
			out.Events += min(t.Events, c.Events)
		} else {
			stratum.Treatment, stratum.Control = out.adjust(m, t, c)
		}
		strata = append(strata, stratum)
	}
	pair := stats.Combine(strata)
	out.Estimate = newEstimate(pair, pair.Fixed(plan.Alpha), pair.Sequential(plan))
	if m.Kind == experiment.Quantile { // what is adjusted shares its covariate's mean with the other arm
		out.Estimate.Treatment.Interval = armInterval(m.Metric, pair.Treatment, false, plan.Alpha)
		out.Estimate.Control.Interval = armInterval(m.Metric, pair.Control, false, plan.Alpha)
	}
	if f := goalsOf(s.e); f != nil && out.Goal && m.Kind == experiment.Quantile {
		out.Adjusted = f.alone(newTest(pair, plan, f.weights[m.Name]))
	}
	return out
}

func find(rows []SlowRow, m SlowMetric, phase uint16, variant string) (SlowRow, bool) {
	i := slices.IndexFunc(rows, func(r SlowRow) bool {
		return r.Metric == m.Name && r.Phase == phase && r.Variant == variant && r.Quantile == (m.Kind == experiment.Quantile)
	})
	if i < 0 {
		return SlowRow{}, false
	}
	return rows[i], true
}

// adjust takes the covariate off; of several phases the least reduction is shown.
func (c *SlowComparison) adjust(m SlowMetric, treatment, control SlowRow) (stats.Moments, stats.Moments) {
	a := stats.Adjust(m.joint(treatment), m.joint(control))
	c.Reduction = leastReduction(c.Reduction, Number(a.Reduction))
	return a.Treatment, a.Control
}

// quantile puts an arm's quantile into the form of a mean: a unit's variance is
// what makes the error of the quantile, so that phases, intervals and lifts go the
// way of every other metric.
func (c *SlowComparison) quantile(m SlowMetric, r SlowRow) stats.Moments {
	q := stats.Quantile{
		P: m.Quantile, Events: r.Events, Z: QuantileZ,
		Low: scaledDown(r.Low, m.Decimals), Point: scaledDown(r.Point, m.Decimals), High: scaledDown(r.High, m.Decimals),
		Below: r.joint([]int{0, 0}),
	}
	e := q.Estimate()
	if math.IsNaN(e.StdError) {
		return stats.Moments{} // left out by name
	}
	if d := q.DesignEffect(); !(float64(c.DesignEffect) >= d) {
		c.DesignEffect = Number(d)
	}
	n := float64(r.N)
	return stats.Moments{N: r.N, NonZero: r.NonZero, Mean: e.Value, M2: e.StdError * e.StdError * n * (n - 1)}
}

func (r SlowRow) joint(decimals []int) stats.Joint {
	return stats.JointFromSums(r.N, r.NonZero, r.Sums, r.Products, decimals)
}

func scaledDown(v *big.Int, decimals int) float64 {
	if v == nil {
		return math.NaN()
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	f, _ := new(big.Rat).SetFrac(v, unit).Float64()
	return f
}

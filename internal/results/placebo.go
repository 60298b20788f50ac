package results

import (
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// PlaceboSplits is how often the control's units are halved at random.
const PlaceboSplits = 20

// placeboLevel is the probability with which an iteration's placebo is suspect
// although every promise holds, over all its metrics and looks.
const placeboLevel = 0.01

// Placebo is what the engine makes of experiments without an effect: the control's own
// units, halved at random and compared as an arm is with its control. It is computed
// from stored events every ten minutes and stored like a look, the intervals that ever
// excluded no difference with it.
type Placebo struct {
	Experiment string            `json:"experiment"`
	Iteration  uint32            `json:"iteration"`
	Version    uint32            `json:"version"` // of the configuration
	Code       string            `json:"code"`    // of the program
	At         time.Time         `json:"at"`
	Vector     map[uint16]uint64 `json:"vector"` // shard → last part whose events are in the numbers
	Looks      int               `json:"looks"`  // of this iteration, this one among them
	Alpha      float64           `json:"alpha"`  // of the intervals
	Splits     int               `json:"splits"`
	Metrics    []PlaceboMetric   `json:"metrics"`
}

// PlaceboMetric is one metric in all halvings.
type PlaceboMetric struct {
	Metric string `json:"metric"`
	Kind   string `json:"kind"`
	Units  int64  `json:"units"`  // of the control
	Judged int    `json:"judged"` // halvings with numbers in this look
	// Ever are the halvings whose interval for every look excluded no difference at
	// some look: false alarms, of which at most alpha is promised. P is the probability
	// of so many or more if that holds; at most Level, and Suspect says so. The level is
	// shared among the metrics. Looks cost nothing: alarms are kept, so that the last
	// count is the greatest.
	Ever    []int   `json:"ever"`
	P       Number  `json:"p"`
	Level   float64 `json:"level"`
	Suspect bool    `json:"suspect"`
	// Outside counts the intervals for one look that exclude no difference in this look,
	// and Coverage is the share of those that do not, with Wilson's interval of 95 %.
	Outside         int      `json:"outside"`
	Coverage        Number   `json:"coverage"`
	CoverageBetween Interval `json:"coverage_between"`
}

// PlaceboMetrics are the metrics that are computed of each half: all but quantiles,
// without covariates.
func PlaceboMetrics(it *experiment.Iteration) []SlowMetric {
	var out []SlowMetric
	for i := range it.Metrics {
		if m := &it.Metrics[i]; m.Kind.Fast() {
			out = append(out, SlowMetric{Metric: m})
		}
	}
	return out
}

// ComputePlacebo compares the halves. The last placebo of the iteration, nil for the
// first, says which halvings have raised a false alarm before.
func ComputePlacebo(e *experiment.Experiment, it *experiment.Iteration, rows []SlowRow, last *Placebo) Placebo {
	e = e.AsOf(it)
	out := Placebo{Experiment: e.Key, Iteration: it.Number, Looks: 1, Alpha: e.Alpha, Splits: PlaceboSplits}
	if last != nil && (last.Experiment != e.Key || last.Iteration != it.Number || last.Alpha != e.Alpha || last.Splits != out.Splits) {
		last = nil
	}
	if last != nil {
		out.Looks = last.Looks + 1
	}
	metrics := PlaceboMetrics(it)
	for _, m := range metrics {
		p := PlaceboMetric{Metric: m.Name, Kind: string(m.Kind), Ever: last.ever(m.Name), Level: placeboLevel / float64(len(metrics))}
		p.compare(e, it, m, rows)
		p.judge(e.Alpha)
		out.Metrics = append(out.Metrics, p)
	}
	return out
}

// Judged says whether any halving has numbers.
func (p *Placebo) Judged() bool {
	return slices.ContainsFunc(p.Metrics, func(m PlaceboMetric) bool { return m.Judged > 0 || len(m.Ever) > 0 })
}

// Suspect are the metrics whose false alarms are more than chance explains.
func (p *Placebo) Suspect() []PlaceboMetric {
	if p == nil {
		return nil
	}
	var out []PlaceboMetric
	for i := range p.Metrics {
		if p.Metrics[i].Suspect {
			out = append(out, p.Metrics[i])
		}
	}
	return out
}

func (p *Placebo) ever(metric string) []int {
	if p == nil {
		return []int{}
	}
	i := slices.IndexFunc(p.Metrics, func(m PlaceboMetric) bool { return m.Metric == metric })
	if i < 0 {
		return []int{}
	}
	return slices.Clone(p.Metrics[i].Ever)
}

// compare takes each halving the way of an arm and its control.
func (p *PlaceboMetric) compare(e *experiment.Experiment, it *experiment.Iteration, m SlowMetric, rows []SlowRow) {
	plan := stats.Plan{PlannedUnits: float64(e.PlannedUnits), TreatmentShare: 0.5, Alpha: e.Alpha}
	for k := range PlaceboSplits {
		pair, units := placeboPair(it, m, rows, k)
		p.Units = max(p.Units, units)
		fixed, sequential := pair.Fixed(plan.Alpha), pair.Sequential(plan)
		estimate := newEstimate(pair, fixed, sequential)
		if !estimate.Absolute.StdError.Known() || !(estimate.Absolute.StdError > 0) {
			continue
		}
		p.Judged++
		if estimate.Absolute.Fixed.excludesZero() {
			p.Outside++
		}
		if estimate.Absolute.Sequential.excludesZero() && !slices.Contains(p.Ever, k) {
			p.Ever = append(p.Ever, k)
		}
	}
	slices.Sort(p.Ever)
}

func placeboPair(it *experiment.Iteration, m SlowMetric, rows []SlowRow, k int) (stats.Pair, int64) {
	scale := ScaleOf(m.Metric)
	var strata []stats.Stratum
	var units int64
	for _, phase := range it.Phases {
		one, oneOK := find(rows, m, phase.Number, fmt.Sprintf("%d/1", k))
		zero, zeroOK := find(rows, m, phase.Number, fmt.Sprintf("%d/0", k))
		units += one.N + zero.N
		if oneOK && zeroOK && one.Over+zero.Over == 0 {
			strata = append(strata, stats.Stratum{
				Name: fmt.Sprint(phase.Number), Treatment: scale.Moments(one.sums(m)), Control: scale.Moments(zero.sums(m)),
			})
		}
	}
	return stats.Combine(strata), units
}

// sums are those that the ledger would hold of the row's units.
func (r *SlowRow) sums(m SlowMetric) Sums {
	s := Sums{N: r.N, NonZero: r.NonZero, Over: r.Over, Sum: r.Sums[0], SumSquares: r.Products[0][0]}
	if m.Kind == experiment.Ratio {
		s.SumDenominator, s.SumSquaresDenominator, s.SumProduct = r.Sums[1], r.Products[1][1], r.Products[0][1]
	}
	return s
}

func (p *PlaceboMetric) judge(alpha float64) {
	p.P = Number(stats.BinomialAbove(int64(len(p.Ever)), PlaceboSplits, alpha))
	p.Suspect = p.P.Float() <= p.Level
	inside := stats.Share{Successes: int64(p.Judged - p.Outside), Units: int64(p.Judged)}
	p.Coverage = Number(float64(inside.Successes) / float64(inside.Units)) // NaN without one
	between := inside.Wilson(0.05)
	p.CoverageBetween = Interval{Number(between.Low), Number(between.High)}
}

func (i Interval) excludesZero() bool { return i.Low > 0 || i.High < 0 }

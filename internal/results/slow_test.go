package results

import (
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

func slowWorld() *experiment.Experiment {
	metrics := []experiment.Metric{
		{Name: "latency", Kind: experiment.Quantile, Quantile: 0.5, Decimals: 1, Direction: experiment.Decrease},
		{Name: "ratio", Kind: experiment.Ratio, Numerator: &experiment.Part{Decimals: 2}, Denominator: &experiment.Part{}},
		{Name: "spend", Kind: experiment.Mean, Decimals: 2, Direction: experiment.Increase},
		{Name: "visits", Kind: experiment.Count, Covariate: "attrs.visits"},
	}
	return &experiment.Experiment{
		Key: "cta", Control: "c", Alpha: 0.05, Covariate: experiment.PrePeriod, Goals: []string{"spend"},
		Variants: []experiment.Variant{{Key: "c", Share: 0.5}, {Key: "t", Share: 0.5}},
		Iterations: []experiment.Iteration{{Number: 1, Metrics: metrics, Phases: []experiment.Phase{
			{Number: 1, Shares: []float64{0.5, 0.5}}, {Number: 2, Shares: []float64{0.5, 0.5}}}}},
	}
}

// rowOf folds pairs of integers.
func rowOf(metric string, phase uint16, variant string, pairs ...[2]int64) SlowRow {
	var rows [][]int64
	for _, p := range pairs {
		rows = append(rows, p[:])
	}
	return foldedRow(metric, phase, variant, 2, rows)
}

// foldedRow folds units with so many numbers.
func foldedRow(metric string, phase uint16, variant string, columns int, units [][]int64) SlowRow {
	r := SlowRow{Metric: metric, Phase: phase, Variant: variant, N: int64(len(units)), NonZero: int64(len(units))}
	for range columns {
		products := make([]*big.Int, columns)
		for k := range products {
			products[k] = new(big.Int)
		}
		r.Sums, r.Products = append(r.Sums, new(big.Int)), append(r.Products, products)
	}
	for _, p := range units {
		for i := range p {
			r.Sums[i].Add(r.Sums[i], big.NewInt(p[i]))
			for k := range p {
				r.Products[i][k].Add(r.Products[i][k], big.NewInt(p[i]*p[k]))
			}
		}
	}
	return r
}

// pairsOf are n units: x runs through 0 … 9, y is shift + slope·x with a little of
// its own, in hundredths.
func pairsOf(n int, shift, slope int64) [][2]int64 {
	var out [][2]int64
	for i := range int64(n) {
		x := (i * 7) % 10
		out = append(out, [2]int64{shift + slope*x + (i*i)%13, 100 * x})
	}
	return out
}

func TestSlowMetrics(t *testing.T) {
	e := slowWorld()
	got := map[string]string{}
	for _, m := range SlowMetrics(e, &e.Iterations[0], nil) {
		got[m.Name] = m.Covariate
	}
	if want := 4; len(got) != want || got["ratio"] != experiment.PrePeriod || got["spend"] != experiment.PrePeriod || got["visits"] != "attrs.visits" || got["latency"] != "" {
		t.Errorf("%v", got)
	}
	before := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if m := SlowMetrics(e, &e.Iterations[0], map[string]time.Time{"spend": before}); len(m) != 1 || !m[0].Before.Equal(before) {
		t.Errorf("with one cutoff: %v", m)
	}
}

// TestAdjustedComparison: with one phase the estimate is that of y − θx, and two
// phases are never pooled.
func TestAdjustedComparison(t *testing.T) {
	e := slowWorld()
	treatment, control := pairsOf(400, 1250, 31), pairsOf(300, 1000, 31)
	one := []SlowRow{rowOf("spend", 1, "t", treatment...), rowOf("spend", 1, "c", control...)}
	c := comparisonOf(t, ComputeSlow(e, &e.Iterations[0], one, nil), "spend")
	if c.Matured || !c.Goal || c.Covariate != experiment.PrePeriod {
		t.Errorf("%+v", c)
	}
	// y is 12.50 + 0.31x against 10.00 + 0.31x: the slope explains nearly everything.
	if d := float64(c.Estimate.Absolute.Estimate); math.Abs(d-2.5) > 0.02 {
		t.Errorf("difference %v, want 2.5", d)
	}
	if r := float64(c.Reduction); r < 0.95 || r > 1 {
		t.Errorf("variance reduced by %v", r)
	}
	plain := stats.Welch(momentsOf(treatment), momentsOf(control))
	if se := float64(c.Estimate.Absolute.StdError); !(se < plain.StdError/4) {
		t.Errorf("error %v, unadjusted %v", se, plain.StdError)
	}
	// A second phase with the opposite level and few treated units: pooling would
	// turn the effect round, strata do not.
	both := append(slices.Clone(one), rowOf("spend", 2, "t", pairsOf(20, 250, 31)...), rowOf("spend", 2, "c", pairsOf(4000, 0, 31)...))
	c = comparisonOf(t, ComputeSlow(e, &e.Iterations[0], both, nil), "spend")
	if d := float64(c.Estimate.Absolute.Estimate); math.Abs(d-2.5) > 0.05 {
		t.Errorf("difference over two phases %v, want 2.5", d)
	}
}

func momentsOf(pairs [][2]int64) stats.Moments {
	var sum, squares big.Int
	for _, p := range pairs {
		sum.Add(&sum, big.NewInt(p[0]))
		squares.Add(&squares, big.NewInt(p[0]*p[0]))
	}
	return stats.FromSums(int64(len(pairs)), int64(len(pairs)), &sum, &squares, 2)
}

func TestSlowPrefersMaturedUnits(t *testing.T) {
	e := slowWorld()
	open := []SlowRow{rowOf("spend", 1, "t", pairsOf(90, 0, 1)...), rowOf("spend", 1, "c", pairsOf(80, 0, 1)...)}
	matured := []SlowRow{rowOf("spend", 1, "t", pairsOf(40, 0, 1)...), rowOf("spend", 1, "c", pairsOf(30, 0, 1)...)}
	c := comparisonOf(t, ComputeSlow(e, &e.Iterations[0], open, matured), "spend")
	if !c.Matured || c.Estimate.Treatment.Units != 40 {
		t.Errorf("matured %v with %d units", c.Matured, c.Estimate.Treatment.Units)
	}
	c = comparisonOf(t, ComputeSlow(e, &e.Iterations[0], open, matured[:1]), "spend")
	if c.Matured || c.Estimate.Treatment.Units != 90 {
		t.Errorf("one arm alone: matured %v with %d units", c.Matured, c.Estimate.Treatment.Units)
	}
	open[0].Over = 1
	if c = comparisonOf(t, ComputeSlow(e, &e.Iterations[0], open, nil), "spend"); c.Estimate.Treatment.Units != 0 || c.Estimate.Absolute.Estimate.Known() {
		t.Errorf("a total beyond the sums gives %+v", c.Estimate)
	}
}

// TestQuantileComparison: the error of the difference is made of both arms' order
// statistics and design effects.
func TestQuantileComparison(t *testing.T) {
	e := slowWorld()
	arm := func(variant string, point int64, units int) SlowRow {
		var pairs [][2]int64
		for i := range units {
			pairs = append(pairs, [2]int64{int64(4 * (i % 2)), 4}) // all four events of a unit lie on one side
		}
		r := rowOf("latency", 1, variant, pairs...)
		r.Quantile, r.Events = true, int64(4*units)
		r.Low, r.Point, r.High = big.NewInt(point-20), big.NewInt(point), big.NewInt(point+20)
		return r
	}
	c := comparisonOf(t, ComputeSlow(e, &e.Iterations[0], []SlowRow{arm("t", 1300, 500), arm("c", 1250, 500)}, nil), "latency")
	// Four events that always agree: the variance is four times that of independent ones.
	if d := float64(c.DesignEffect); math.Abs(d-4) > 0.02 {
		t.Errorf("design effect %v, want 4", d)
	}
	want := math.Sqrt2 * 2 * (4.0 / 2 / 1.959963984540054) // two arms, √4, ±2.0 at z
	if se := float64(c.Estimate.Absolute.StdError); math.Abs(se-want) > 0.01*want {
		t.Errorf("error %v, want %v", se, want)
	}
	if d := float64(c.Estimate.Absolute.Estimate); math.Abs(d-5) > 1e-9 {
		t.Errorf("difference %v, want 5.0", d)
	}
	few := arm("c", 1250, 1)
	few.Events = 3
	if c = comparisonOf(t, ComputeSlow(e, &e.Iterations[0], []SlowRow{arm("t", 1300, 500), few}, nil), "latency"); c.Estimate.Absolute.StdError.Known() {
		t.Errorf("three events give an interval: %+v", c.Estimate.Absolute)
	}
}

func comparisonOf(t *testing.T, all []SlowComparison, metric string) SlowComparison {
	t.Helper()
	for _, c := range all {
		if c.Metric == metric {
			return c
		}
	}
	t.Fatalf("no comparison of %s", metric)
	return SlowComparison{}
}

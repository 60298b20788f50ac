package yardstick

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestSequencesMakeSense: whatever the values, a lower bound never exceeds an
// upper one, nothing is NaN, and the sequences of bounded means keep every
// running mean that data could have.
func TestSequencesMakeSense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 1, .5, -1, 2, math.NaN(), math.Inf(1)}))
		x := rapid.SliceOfN(value, 0, 60).Draw(t, "x")
		alpha := rapid.SampledFrom([]float64{.05, .001, .5, 0, 1, math.NaN()}).Draw(t, "alpha")
		bet := Betting{alpha, .5, .5}
		all := map[string][]Bounds{
			"betting":               bet.Sequence(x, 20),
			"predictable Hoeffding": PredictableHoeffding(x, alpha),
			"predictable Bernstein": PredictableBernstein(x, alpha, .5),
			"conjugate Bernstein":   ConjugateBernstein(x, 5, alpha),
		}
		for name, sequence := range all {
			for i, b := range sequence {
				if !(0 <= b.Low && b.Low <= b.High && b.High <= 1) {
					t.Fatalf("%s at %d of %v: %v", name, i, x, b)
				}
			}
		}
		for _, m := range []float64{0, .3, 1, math.NaN(), 7} {
			for _, w := range bet.Wealth(x, m) {
				if !(w >= 0) {
					t.Fatalf("wealth %v at mean %v of %v", w, m, x)
				}
			}
		}
		q := QuantileTest{rapid.SampledFrom([]float64{.5, .01, .99, 0, 1}).Draw(t, "p"), 100, .05}
		if b := q.Sequence(x, alpha); !(b.Low <= b.High) {
			t.Fatalf("quantile of %v: %v", x, b)
		}
		if p := q.PValue(x, append(x, .3)); !(p >= 0 && p <= 1) {
			t.Fatalf("quantile test of %v: %v", x, p)
		}
	})
}

// TestSequencesCover simulates 100 experiments of 200 values each, looked at
// after each value: the truth is ever left out in at most α of them, and the
// bounds still come close to it. Three Monte-Carlo errors are allowed.
func TestSequencesCover(t *testing.T) {
	const runs, length, alpha = 100, 200, .05
	allowed := runs*alpha + 3*math.Sqrt(runs*alpha*(1-alpha))
	missed, width := map[string]int{}, map[string]float64{}
	rng := rand.New(rand.NewPCG(1, 2))
	for range runs {
		x := make([]float64, length)
		for i := range x {
			x[i] = rng.Float64() * rng.Float64() // mean ¼, median 0.1867
		}
		judge := func(name string, sequence []Bounds, truth float64) {
			for _, b := range sequence {
				if truth < b.Low || truth > b.High {
					missed[name]++
					break
				}
			}
			last := sequence[len(sequence)-1]
			width[name] += (last.High - last.Low) / runs
		}
		judge("predictable Hoeffding", PredictableHoeffding(x, alpha), .25)
		judge("predictable Bernstein", PredictableBernstein(x, alpha, .5), .25)
		judge("conjugate Bernstein", ConjugateBernstein(x, 10, alpha), .25)
		for _, w := range (Betting{alpha, .5, .5}).Wealth(x, .25) {
			if w > 1/alpha {
				missed["betting"]++
				break
			}
		}
		q := QuantileTest{.5, 200, alpha}
		var medians []Bounds
		for n := 20; n <= length; n += 20 {
			medians = append(medians, q.Sequence(x[:n], alpha))
		}
		judge("median", medians, medianOfProduct)
	}
	for name, w := range width {
		t.Logf("%-22s misses %.3f, width %.3f", name, float64(missed[name])/runs, w)
		if w > .35 {
			t.Errorf("%s is %v wide after %d values", name, w, length)
		}
	}
	for name, n := range missed {
		if float64(n) > allowed {
			t.Errorf("%s left the truth out in %d of %d runs", name, n, runs)
		}
	}
}

// medianOfProduct solves x(1 − ln x) = ½.
const medianOfProduct = 0.186682

// TestSafeTest: equal proportions are refuted in at most α of the runs at any
// block, different ones in most.
func TestSafeTest(t *testing.T) {
	const runs, blocks = 1000, 100
	rng := rand.New(rand.NewPCG(3, 4))
	refuted := func(pA, pB float64, na, nb int64) float64 {
		test := SafeTest{na, nb, [4]float64{.18, .18, .18, .18}}
		n := 0
		for range runs {
			a, b := tosses(rng, blocks, na, pA), tosses(rng, blocks, nb, pB)
			for i := 5; i <= blocks; i += 5 {
				if test.LogE(a[:i], b[:i]) >= math.Log(20) {
					n++
					break
				}
			}
		}
		return float64(n) / runs
	}
	for _, c := range []struct {
		na, nb int64
	}{{1, 1}, {5, 5}, {9, 1}} {
		if got := refuted(.1, .1, c.na, c.nb); got > .05+3*math.Sqrt(.05*.95/runs) {
			t.Errorf("blocks %v: equal proportions are refuted in %v", c, got)
		}
	}
	if got := refuted(.1, .4, 5, 5); got < .9 {
		t.Errorf("0.1 against 0.4 is found in %v only", got)
	}
	if got := (SafeTest{1, 1, [4]float64{1, 1, 1, 1}}).LogE([]int64{2}, []int64{0}); !math.IsInf(got, -1) {
		t.Errorf("two successes of one unit give %v", got)
	}
}

func tosses(rng *rand.Rand, blocks int, n int64, p float64) []int64 {
	out := make([]int64, blocks)
	for i := range out {
		for range n {
			if rng.Float64() < p {
				out[i]++
			}
		}
	}
	return out
}

// TestInvalidParametersClaimNothing.
func TestInvalidParametersClaimNothing(t *testing.T) {
	nan := math.NaN()
	for name, got := range map[string]float64{
		"beta-binomial":     NewBetaBinomial(1, .05, 0, 1, true).Boundary(1, .05),
		"gamma-Poisson":     NewGammaPoisson(nan, .05, 1).Boundary(1, .05),
		"gamma-exponential": NewGammaExponential(1, .05, 0).Boundary(1, .05),
		"no alpha":          NewGammaExponential(1, .05, 1).Boundary(1, nan),
		"stitching":         Stitching{1, 0, 1, 2}.Boundary(1, .05),
		"double stitching":  DoubleStitching{100, .5, 1.4, 2}.Boundary(1, 10, .05),
		"empirical band":    EmpiricalBand(10, .05, 100, .85),
		"no units":          StatsigCritical(0, 0, 1, 1, .05),
		"no variance":       StatsigCritical(10, 10, 0, 0, .05),
	} {
		if !math.IsInf(got, 1) {
			t.Errorf("%s: %v, want no bound", name, got)
		}
	}
	if h0, h1 := (SPRT{.05, .2}).NormalASN(0, 1); !math.IsInf(h0, 1) || !math.IsInf(h1, 1) {
		t.Errorf("no difference is told in %v and %v observations", h0, h1)
	}
	if low, high := (SPRT{.7, .7}).Thresholds(); !math.IsInf(low, -1) || !math.IsInf(high, 1) {
		t.Errorf("thresholds %v, %v", low, high)
	}
	if _, tau2 := MSPRTVariance(0, .05, 1); tau2 != 0 {
		t.Errorf("mixture variance %v", tau2)
	}
}

// TestSPRTKeepsItsRates: Wald's test of two proportions, simulated.
func TestSPRTKeepsItsRates(t *testing.T) {
	const runs = 2000
	s := SPRT{.05, .2}
	lower, upper := s.Thresholds()
	rng := rand.New(rand.NewPCG(5, 6))
	run := func(p float64) (accepted int, mean float64) {
		for range runs {
			llr, n := 0.0, 0
			for ; llr > lower && llr < upper; n++ {
				if rng.Float64() < p {
					llr += math.Log(.2 / .1)
				} else {
					llr += math.Log(.8 / .9)
				}
			}
			if llr >= upper {
				accepted++
			}
			mean += float64(n) / runs
		}
		return accepted, mean
	}
	h0, h1 := s.BernoulliASN(.1, .2)
	wrong, n0 := run(.1)
	right, n1 := run(.2)
	if float64(wrong)/runs > .05+3*math.Sqrt(.05*.95/runs) || float64(right)/runs < .8-3*math.Sqrt(.8*.2/runs) {
		t.Errorf("accepted in %d and %d of %d runs", wrong, right, runs)
	}
	// Wald ignores the overshoot, so his numbers are somewhat too small.
	if n0 < h0*.95 || n0 > h0*1.25 || n1 < h1*.95 || n1 > h1*1.25 {
		t.Errorf("%.0f and %.0f observations, Wald says %.0f and %.0f", n0, n1, h0, h1)
	}
}

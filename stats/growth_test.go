package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestGrowthCalibration: a sum of independent increments whose information grows
// e¹⁰-fold while no unit enters exceeds GrowthRadius with the promised chance.
// The mixture of a plan that stands at its planned units does not hold it.
func TestGrowthCalibration(t *testing.T) {
	const alpha, steps = 0.05, 2000
	n, over, mixtureOver := runs(4000), 0, 0
	radius, mixture := GrowthRadius(alpha), MixtureRadiusOneSided(MixtureRho2(2*alpha, 1), alpha)
	keep := math.Exp(-growth / (2 * float64(steps)))
	for i := range n {
		r := rand.New(rand.NewPCG(200, uint64(i)))
		z := r.NormFloat64()
		most := z
		for range steps {
			z = keep*z + math.Sqrt(1-keep*keep)*r.NormFloat64()
			most = math.Max(most, z)
		}
		if most > radius {
			over++
		}
		if most > mixture {
			mixtureOver++
		}
	}
	t.Logf("beyond the radius %.2f: %.4f ± %.4f, beyond the mixture's %.2f: %.4f (%d runs)",
		radius, rate(over, n), standardError(over, n), mixture, rate(mixtureOver, n), n)
	if float64(over) > allowed(alpha, n) {
		t.Errorf("%d of %d exceed %v", over, n, radius)
	}
	if rate(over, n) < alpha/2 {
		t.Errorf("only %d of %d exceed %v: the radius is needlessly wide", over, n, radius)
	}
	if float64(mixtureOver) < allowed(alpha, n) {
		t.Errorf("only %d of %d exceed the mixture's radius: this test shows nothing", mixtureOver, n)
	}
}

// TestGrowthRadius: the written formula, term by term, and p < alpha exactly
// beyond the radius.
func TestGrowthRadius(t *testing.T) {
	// 1−Φ(3) = 0.001349898, φ(3) = 0.004431848.
	if got, want := GrowthP(3), 0.001349898+5*3*0.004431848; math.Abs(got-want) > 1e-7 {
		t.Errorf("GrowthP(3) is %v, want %v", got, want)
	}
	for _, z := range []float64{math.Inf(-1), -1, 0, 0.5, math.NaN()} {
		if p := GrowthP(z); p != 1 {
			t.Errorf("GrowthP(%v) is %v, want 1", z, p)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		alpha := rapid.Float64Range(1e-8, 0.49).Draw(t, "alpha")
		r := GrowthRadius(alpha)
		if GrowthP(r*1.0001) >= alpha || GrowthP(r*0.9999) <= alpha {
			t.Fatalf("radius %v does not part p at %v", r, alpha)
		}
	})
}

// TestUnfinished asks for both thresholds, and changes nothing else.
func TestUnfinished(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Combine([]Stratum{{"1", arm(t, "treatment"), arm(t, "control")}})
		plan, margin := plans(t), Margin{Value: rapid.Float64Range(0, 1).Draw(t, "margin")}
		was := p.TestHarm(margin, DecreaseIsGood, plan)
		plan.Unfinished = true
		is := p.TestHarm(margin, DecreaseIsGood, plan)
		if is.Z != was.Z || is.P < was.P || is.Bound > was.Bound || is.Reject && !was.Reject {
			t.Fatalf("unfinished %+v, finished %+v", is, was)
		}
		if is.Threshold < GrowthRadius(plan.Alpha) || is.Reject != (is.Z > is.Threshold) {
			t.Fatalf("z %v, threshold %v, reject %v", is.Z, is.Threshold, is.Reject)
		}
	})
}

// TestStrictInterval: p < alpha exactly when the interval leaves out zero, for
// the absolute effect and for the relative one where the baseline bounds it,
// with the strict error as without.
func TestStrictInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Combine([]Stratum{{"1", arm(t, "treatment"), arm(t, "control")}})
		plan := plans(t)
		own := p.Sequential(plan)
		plan.Strict = true
		strict := p.Sequential(plan)
		for _, r := range []Result{own, strict} {
			for _, e := range []Effect{r.Absolute, r.Relative} {
				unbounded := math.IsInf(e.Low, 0) || math.IsInf(e.High, 0)
				if !unbounded && math.Abs(e.P-plan.Alpha) > 1e-9 && (e.P < plan.Alpha) == e.Contains(0) {
					t.Fatalf("p %v at %v beside %+v", e.P, plan.Alpha, e.Interval)
				}
			}
		}
		if strict.Absolute.StdError < own.Absolute.StdError || strict.Absolute.P < own.Absolute.P {
			t.Fatalf("the strict error %v is below %v", strict.Absolute.StdError, own.Absolute.StdError)
		}
	})
}

// TestStrictWidth prints what the strict error costs: the ratio of the widths
// at the planned units, averaged.
func TestStrictWidth(t *testing.T) {
	const units = 20_000
	for _, s := range []scenario{
		{name: "normal 90/10", phases: onePhase(units, 0.1), draw: normal(constant(1))},
		{name: "binary 5% 90/10", phases: onePhase(units, 0.1), draw: binary(constant(0.05))},
		{name: "binary 6% against 5% 90/10", phases: onePhase(units, 0.1), draw: binary(armRates(0.06, 0.05))},
		{name: "binary 4% against 5% 90/10", phases: onePhase(units, 0.1), draw: binary(armRates(0.04, 0.05))},
		{name: "revenue 90/10", phases: onePhase(units, 0.1), draw: revenue(math.Inf(1))},
		{name: "revenue 50/50", phases: onePhase(units, 0.5), draw: revenue(math.Inf(1))},
	} {
		n := runs(50)
		var ratio float64
		for i := range n {
			r := rand.New(rand.NewPCG(300, uint64(i)))
			s.errorsAtEnd(r, func(p Pair) {
				ratio += math.Sqrt(p.errorSquared(1, true)/p.errorSquared(1, false)) / float64(n)
			})
		}
		t.Logf("%s: %.3f times as wide (%d runs)", s.name, ratio, n)
		if s.phases[0].share == 0.5 && ratio > 1.01 {
			t.Errorf("%s: %.3f times as wide, at equal shares it should cost nothing", s.name, ratio)
		}
	}
}

// errorsAtEnd runs an experiment and hands over its last look.
func (s scenario) errorsAtEnd(r *rand.Rand, see func(Pair)) {
	var last Pair
	s.run(r, []rule{{"last", func(_ scenario, p Pair) bool { last = p; return false }}})
	see(last)
}

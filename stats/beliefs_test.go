package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestPosteriorIsBayes holds the closed forms against sums over a grid of
// likelihood times prior.
func TestPosteriorIsBayes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Estimate{rapid.Float64Range(-2, 2).Draw(t, "effect"), rapid.Float64Range(0.5, 2).Draw(t, "error"), math.Inf(1)}
		prior := Prior{rapid.Float64Range(-1, 1).Draw(t, "prior"), rapid.Float64Range(0.5, 2).Draw(t, "sd")}
		var mass, mean, better, keep, ship float64
		const step = 0.005
		for x := -20 + step/2; x < 20; x += step {
			z, y := (x-e.Value)/e.StdError, (x-prior.Mean)/prior.SD
			w := math.Exp(-(z*z + y*y) / 2)
			mass += w
			mean += w * x
			if x > 0 {
				better += w
			}
			keep += w * math.Max(x, 0)
			ship += w * math.Max(-x, 0)
		}
		p := e.Posterior(&prior)
		gotKeep, gotShip := p.Risk()
		for name, v := range map[string][2]float64{
			"mean": {p.Mean, mean / mass}, "better": {p.Better(), better / mass},
			"keep": {gotKeep, keep / mass}, "ship": {gotShip, ship / mass},
		} {
			if math.Abs(v[0]-v[1]) > 1e-4 {
				t.Fatalf("%s = %v, the grid says %v", name, v[0], v[1])
			}
		}
	})
}

func TestPosteriorWithoutBasis(t *testing.T) {
	nothing := Welch(Moments{}, Moments{})
	if p := nothing.Posterior(nil); !math.IsNaN(p.Mean) || !math.IsNaN(p.SD) {
		t.Errorf("from nothing: %+v", p)
	}
	if p := nothing.Posterior(&Prior{1, 2}); p != (Posterior{1, 2}) {
		t.Errorf("no data change the prior: %+v", p)
	}
}

// TestStudentMixture: the boundary is where the e-value reaches 1/α, it is wider
// than the normal one, and tends to it.
func TestStudentMixture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, alpha := rapid.Float64Range(0.1, 1e3).Draw(t, "a"), rapid.Float64Range(0.001, 0.2).Draw(t, "alpha")
		nu := rapid.Float64Range(1, 1e3).Draw(t, "nu")
		b := StudentMixtureRadius(a, alpha, nu)
		if b < MixtureRadius(a, alpha) {
			t.Fatalf("radius %v is below the normal one", b)
		}
		if !math.IsInf(b, 1) && math.Abs(StudentMixtureLogE(a, b, nu)+math.Log(alpha)) > 1e-6 {
			t.Fatalf("at the boundary %v log e is %v, want %v", b, StudentMixtureLogE(a, b, nu), -math.Log(alpha))
		}
		if far := StudentMixtureRadius(a, alpha, 1e7); !nearly(far, MixtureRadius(a, alpha), 1e-4) {
			t.Fatalf("radius %v at 10⁷ degrees of freedom, want %v", far, MixtureRadius(a, alpha))
		}
	})
	if b := StudentMixtureRadius(10, 0.05, 0.1); !math.IsInf(b, 1) {
		t.Errorf("a tenth of a degree of freedom refutes beyond %v", b)
	}
}

// TestPosteriorNeverLies: whatever comes in, an interval's ends are in order, a
// chance lies in [0, 1] and a loss is not negative, or they are NaN.
func TestPosteriorNeverLies(t *testing.T) {
	any := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1, -1, 1e-300, 1e300, math.Inf(1), math.Inf(-1), math.NaN()}))
	rapid.Check(t, func(t *rapid.T) {
		e := Estimate{any.Draw(t, "value"), any.Draw(t, "error"), math.Inf(1)}
		var prior *Prior
		if rapid.Bool().Draw(t, "proper") {
			prior = &Prior{any.Draw(t, "prior's mean"), any.Draw(t, "prior's sd")}
		}
		p := e.Posterior(prior)
		keep, ship := p.Risk()
		interval := p.Credible(rapid.SampledFrom([]float64{0.001, 0.05, 0.5}).Draw(t, "alpha"))
		if b := p.Better(); b < 0 || b > 1 || keep < 0 || ship < 0 || interval.Low > interval.High {
			t.Fatalf("%+v: better %v, losses %v and %v, %v", p, b, keep, ship, interval)
		}
	})
}

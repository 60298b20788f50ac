package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestHeterogeneousErrorRate: segments of very different sizes with one effect are
// called different at the nominal rate, and with different effects mostly are;
// shrunk effects are nearer to the truth than raw ones in both.
func TestHeterogeneousErrorRate(t *testing.T) {
	runs := max(4000, *replicates)
	rng := rand.New(rand.NewPCG(7, 1))
	errors := []float64{0.5, 1, 1, 2, 3, 0.7, 1.5, 4}
	for _, c := range []struct{ sd, least, most float64 }{{0, 0.05, 0.05}, {2, 0.7, 1}} {
		called, raw, shrunk := 0, 0.0, 0.0
		for range runs {
			effects, truth := make([]Estimate, len(errors)), make([]float64, len(errors))
			for i, se := range errors {
				truth[i] = 0.3 + c.sd*rng.NormFloat64()
				effects[i] = Estimate{truth[i] + se*rng.NormFloat64(), se, math.Inf(1)}
			}
			h := Heterogeneous(effects)
			if h.P < 0.05 {
				called++
			}
			for i := range effects {
				raw += math.Pow(effects[i].Value-truth[i], 2)
				shrunk += math.Pow(h.Shrunk[i].Value-truth[i], 2)
			}
		}
		got, noise := float64(called)/float64(runs), 4*math.Sqrt(0.05*0.95/float64(runs))
		if got < c.least-noise || got > c.most+noise {
			t.Errorf("effects with standard deviation %g: called different in %.3f ± %.3f (Monte Carlo)", c.sd, got, noise)
		}
		if shrunk > 0.8*raw {
			t.Errorf("effects with standard deviation %g: squared distance %.0f raw, %.0f shrunk", c.sd, raw, shrunk)
		}
	}
}

// TestHeterogeneousProperties: no input gives a NaN that has no segment to blame, or
// a shrunk effect outside of its own and the mean.
func TestHeterogeneousProperties(t *testing.T) {
	number := rapid.OneOf(rapid.Float64Range(-100, 100), rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), math.Inf(-1), 1e-300, 1e300}))
	rapid.Check(t, func(t *rapid.T) {
		effects := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Estimate {
			return Estimate{number.Draw(t, "value"), number.Draw(t, "error"), math.Inf(1)}
		}), 0, 6).Draw(t, "effects")
		h := Heterogeneous(effects)
		if !(h.P >= 0 && h.P <= 1) || !(h.I2 >= 0 && h.I2 <= 1) || !(h.Tau2 >= 0) || !(h.Q >= 0) {
			t.Fatalf("%+v", h)
		}
		if h.Segments == 0 && !math.IsNaN(h.Random.Value) {
			t.Fatalf("an effect of nothing: %+v", h)
		}
		for i, s := range h.Shrunk {
			low, high := min(effects[i].Value, h.Random.Value), max(effects[i].Value, h.Random.Value)
			if slack := 1e-9 * (1 + math.Abs(low) + math.Abs(high)); !math.IsNaN(s.Value) && (s.Value < low-slack || s.Value > high+slack) {
				t.Fatalf("segment %d: %g is not between %g and %g", i, s.Value, low, high)
			}
		}
		if tau2 := Tau2REML(effects); !(tau2 >= 0) {
			t.Fatalf("tau² %g", tau2)
		}
	})
}

package results_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// TestEffectDrifts: an effect that turns round between phases is told, one that stays
// while the base rate moves is not.
func TestEffectDrifts(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 3))
	warned := func(e results.Estimate) bool {
		return slices.ContainsFunc(e.Warnings, func(w results.Doubt) bool { return w.Code == results.EffectDrifts })
	}
	drifts := func(first, second float64) bool {
		v, e := ramp()
		var cells []results.Cell
		for phase, rates := range map[uint16][2]float64{1: {0.05, 0.05 + first}, 2: {0.2, 0.2 + second}} {
			for i, variant := range []string{"control", "treatment"} {
				const n = 20000
				var errors int64
				for range n {
					if rng.Float64() < rates[i] {
						errors++
					}
				}
				cells = append(cells, units(variant, phase, n), binary("errors", variant, phase, n, errors))
			}
		}
		d := results.Compute(v, e, 2, moments(cells...), statuses(), noon().Add(2*time.Hour), results.Options{})
		if warned(d.Comparisons[0].Open) {
			t.Error("open results are said to drift: there a young phase differs because it is young")
		}
		return warned(d.Comparisons[0].Matured)
	}
	if !drifts(0.03, -0.03) {
		t.Error("an effect that turns round is not told")
	}
	const runs = 30 // at a level of 5 % per two metrics, in a test that is valid at every look
	told := 0
	for range runs {
		if drifts(0.02, 0.02) {
			told++
		}
	}
	if told > 5 {
		t.Errorf("a constant effect is said to drift in %d of %d", told, runs)
	}
}

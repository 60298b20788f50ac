package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestDecisionIsTheTextbook: with one phase the harm test is the written
// formula: linear form, the larger of two variances, ρ tuned at 2α.
func TestDecisionIsTheTextbook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr, co, plan := arm(t, "treatment"), arm(t, "control"), plans(t)
		co.Mean = math.Abs(co.Mean) + 0.1
		m := rapid.Float64Range(0, 2).Draw(t, "margin")
		nT, nC := float64(tr.N), float64(co.N)
		n := nT + nC
		plan.TreatmentShare = nT / n
		both := (tr.M2 + co.M2 + nT*nC/n*(tr.Mean-co.Mean)*(tr.Mean-co.Mean)) / (n - 1)
		l := -2 * math.Log(2*plan.Alpha)
		a := n * (l + math.Log(1+l)) / plan.PlannedUnits
		threshold := math.Sqrt(2 * (1 + 1/a) * math.Log(1+math.Sqrt(1+a)/(2*plan.Alpha)))
		for d, factor := range map[Direction]float64{IncreaseIsGood: 1 - m, DecreaseIsGood: 1 + m} {
			distance := tr.Mean - factor*co.Mean
			if d == IncreaseIsGood {
				distance = -distance
			}
			own := tr.M2/(nT-1)/nT + factor*factor*co.M2/(nC-1)/nC
			pooled := both/nT + factor*factor*both/nC
			z := distance / math.Sqrt(math.Max(own, pooled))
			got := Combine([]Stratum{{"1", tr, co}}).TestHarm(Margin{m, true}, d, plan)
			if math.Abs(got.Z-z) > 1e-6*(1+math.Abs(z)) || !nearly(got.A, a, 1e-9) || !nearly(got.Threshold, threshold, 1e-9) {
				t.Fatalf("direction %v: got %+v, want z %v, a %v, threshold %v", d, got, z, a, threshold)
			}
		}
	})
}

package planning

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// guarded is an experiment with one guardrail.
func guarded(g experiment.Guardrail) *experiment.Experiment {
	return &experiment.Experiment{Guardrails: []experiment.Guardrail{g}}
}

// TestHealthySizes: without an effect the test that a guardrail is healthy by rejects by
// the planned size as often as it was planned for.
func TestHealthySizes(t *testing.T) {
	const replicates, looks, power = 300, 100, .8
	for name, test := range map[string]struct {
		c Comparison
		g experiment.Guardrail
	}{
		"a margin in the metric's unit": {spend(.5), experiment.Guardrail{Metric: "spend", Margin: 1}},
		"a share of the control's mean": {spend(.5), experiment.Guardrail{Metric: "spend", Margin: .1, Relative: true}},
		"a tenth treated":               {spend(.1), experiment.Guardrail{Metric: "spend", Margin: .1, Relative: true}},
	} {
		t.Run(name, func(t *testing.T) {
			h := HealthyAll(guarded(test.g), []Comparison{test.c}, power)[0]
			step := h.Size.Float() / looks
			random := rand.New(rand.NewPCG(1, 2))
			found := 0
			for range replicates {
				arms := [2]stats.Moments{}
				for range looks {
					for i, share := range []float64{test.c.Share, 1 - test.c.Share} {
						arms[i] = arms[i].Merge(normal(random, math.Round(step*share), test.c.Mean, test.c.SD))
					}
					pair := stats.Combine([]stats.Stratum{{Treatment: arms[0], Control: arms[1]}})
					d := pair.TestNonInferior(stats.Margin{Value: test.g.Margin, Relative: test.g.Relative}, stats.DecreaseIsGood,
						stats.Plan{PlannedUnits: test.c.Plan, TreatmentShare: test.c.Share, Alpha: test.c.Alpha, Strict: true})
					if d.Reject {
						found++
						break
					}
				}
			}
			share := float64(found) / replicates
			t.Logf("%.0f units, on average %.0f: healthy in %.3f", h.Size.Float(), h.Expected.Float(), share)
			if math.Abs(share-power) > 4*math.Sqrt(power*(1-power)/replicates) {
				t.Errorf("healthy in %.3f of the experiments, planned %.2f", share, power)
			}
		})
	}
}

// TestHealthyWithoutAnswer: a margin of 0 is never refuted, rare events need their gate,
// and counts and other metrics have no answer here.
func TestHealthyWithoutAnswer(t *testing.T) {
	if h := HealthyAll(guarded(experiment.Guardrail{Metric: "spend"}), []Comparison{spend(.5)}, .8)[0]; !math.IsInf(h.Size.Float(), 1) || h.PlanPower > .05 {
		t.Errorf("a margin of 0: %+v", h)
	}
	rare := conversion()
	rare.Mean = .001
	if h := HealthyAll(guarded(experiment.Guardrail{Metric: "conversion", Margin: .5}), []Comparison{rare}, .8)[0]; h.Size != 60_000 || h.Gate != 60_000 || h.PlanPower != 0 {
		t.Errorf("30 events in the smaller arm, of a thousandth: %+v", h)
	}
	for _, g := range []experiment.Guardrail{{Metric: "conversion", Margin: .1, Relative: true, Method: experiment.ByCount}, {Metric: "errors"}} {
		if h := HealthyAll(guarded(g), []Comparison{conversion()}, .8); len(h) > 0 {
			t.Errorf("%+v: %+v", g, h)
		}
	}
}

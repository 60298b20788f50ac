package results_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestAnyLook: whatever the ledger holds (arms without units, one unit, units that are
// all alike, negative means, the largest totals, 10¹² units, ratios of nothing), what a
// document says is no contradiction in itself.
func TestAnyLook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, e := anyExperiment(t)
		var cells []results.Cell
		it := &e.Iterations[0]
		for _, p := range it.Phases {
			for _, variant := range e.Variants {
				for i := range it.Metrics {
					cells = append(cells, anyCells(t, &it.Metrics[i], p.Number, variant.Key)...)
				}
				cells = append(cells, results.Cell{Experiment: "any", Iteration: 1, Phase: p.Number, Variant: variant.Key, Metric: ingest.Units,
					Open: results.Sums{N: rapid.Int64Range(0, 1e12).Draw(t, "units")}})
			}
		}
		d := results.Compute(v, e, 1, moments(cells...), statuses(), noon().Add(2*time.Hour), results.Options{})
		d.Plan = results.PlanAnalysis(e, &d)
		d.Beliefs = results.Believe(&d, rapid.SampledFrom([]float64{0, 0.1, 1e6}).Draw(t, "prior"))
		for _, c := range d.Comparisons {
			name := c.Metric + " in " + c.Arm
			sane(t, name+" open", c.Open, e.Alpha)
			sane(t, name+" matured", c.Matured, e.Alpha)
			saneAdjusted(t, name, c.Adjusted, c.Matured.Absolute, e.Alpha)
			for _, s := range c.Segments {
				saneP(t, name+" by "+s.Dimension, s.P)
				for _, x := range s.Segments {
					segment := results.Estimate{Treatment: x.Treatment, Control: x.Control, Absolute: x.Absolute, Relative: x.Relative}
					sane(t, name+" of "+x.Value, segment, e.Alpha)
					saneAdjusted(t, name+" of "+x.Value, x.Adjusted, x.Absolute, e.Alpha)
					saneRange(t, name+" of "+x.Value+" together", x.Together, x.Absolute.Estimate)
					saneRange(t, name+" of "+x.Value+" shrunk", x.Shrunk.Interval, x.Shrunk.Estimate)
				}
			}
		}
		for _, p := range d.Phases {
			saneP(t, "split", p.SRM.P)
			saneP(t, "split, χ²", p.SRM.ChiSquareP)
		}
		for _, b := range d.Beliefs.Comparisons {
			if b.ChanceBetter.Known() {
				saneP(t, "chance", b.ChanceBetter)
			}
			saneRange(t, "credible", b.Absolute, b.Mean)
			if b.LossShip < 0 || b.LossKeep < 0 {
				t.Fatalf("a negative loss: %+v", b)
			}
		}
		if _, err := json.Marshal(d); err != nil {
			t.Fatal(err)
		}
	})
}

func anyExperiment(t *rapid.T) (*experiment.Version, *experiment.Experiment) {
	arms, phases := rapid.IntRange(2, 4).Draw(t, "arms"), rapid.IntRange(1, 3).Draw(t, "phases")
	decimals := rapid.SampledFrom([]int{0, 2, 6, 12})
	direction := rapid.SampledFrom([]experiment.Direction{experiment.Increase, experiment.Decrease})
	e := experiment.Experiment{
		Key: "any", UnitKind: "user", Control: "v0", Crossovers: experiment.Exclude, Alpha: rapid.SampledFrom([]float64{0.001, 0.05, 0.4}).Draw(t, "alpha"),
		Window: experiment.Duration(10 * time.Minute), PlannedUnits: rapid.SampledFrom([]int64{0, 1, 20000, 1e12}).Draw(t, "planned"),
		Goals:      []string{"total", "share", "quotient"},
		Guardrails: []experiment.Guardrail{{Metric: "share", Margin: 0.2, Relative: true, Mode: experiment.Notify}},
		Families: experiment.Families{Goals: rapid.SampledFrom([]experiment.Adjustment{
			"", experiment.Bonferroni, experiment.Holm, experiment.BenjaminiHochberg, experiment.BenjaminiYekutieli, experiment.Unadjusted}).Draw(t, "correction")},
		Dimensions: []experiment.Dimension{{Attribute: "country", Values: []string{"DE", "FR"}}},
		Iterations: []experiment.Iteration{{Number: 1, Start: noon(), EnrolUntil: noon().Add(24 * time.Hour), End: noon().Add(25 * time.Hour), Metrics: []experiment.Metric{
			{Name: "total", Event: "a", Kind: experiment.Mean, Direction: direction.Draw(t, "direction"), Decimals: decimals.Draw(t, "decimals")},
			{Name: "share", Event: "b", Kind: experiment.Proportion, Direction: direction.Draw(t, "direction")},
			{Name: "quotient", Kind: experiment.Ratio, Direction: direction.Draw(t, "direction"),
				Numerator: &experiment.Part{Decimals: decimals.Draw(t, "decimals")}, Denominator: &experiment.Part{Decimals: decimals.Draw(t, "decimals")}},
		}}},
	}
	for i := range arms {
		e.Variants = append(e.Variants, experiment.Variant{Key: fmt.Sprint("v", i), Share: 1 / float64(arms)})
	}
	for p := range phases {
		shares := make([]float64, arms)
		for i := range shares {
			shares[i] = rapid.SampledFrom([]float64{0, 0.01, 0.3, 0.5}).Draw(t, "share")
		}
		e.Iterations[0].Phases = append(e.Iterations[0].Phases, experiment.Phase{
			Number: uint16(p + 1), From: noon().Add(time.Duration(p) * time.Hour), Shares: shares, Traffic: 1})
	}
	return &experiment.Version{Number: 7, Experiments: []experiment.Experiment{e}}, &e
}

// anyCells is an arm's cell of a metric, and two of a dimension.
func anyCells(t *rapid.T, m *experiment.Metric, phase uint16, variant string) []results.Cell {
	var out []results.Cell
	for _, value := range []string{"", "DE", "(none)"} {
		c := results.Cell{Experiment: "any", Iteration: 1, Phase: phase, Variant: variant, Metric: m.Name, Value: value, Newest: noon()}
		if value != "" {
			c.Dimension = "country"
		}
		c.Open = anySums(t, m)
		c.Matured = c.Open
		if rapid.Bool().Draw(t, "young") {
			c.Matured = anySums(t, m)
		}
		out = append(out, c)
	}
	return out
}

// anySums are those of a few units, each many times over.
func anySums(t *rapid.T, m *experiment.Metric) results.Sums {
	const edge = 1<<47 - 1
	s := results.NewSums()
	values := rapid.SampledFrom([]int64{0, 1, -1, 7, 1000, edge, -edge})
	if m.Kind == experiment.Proportion {
		values = rapid.SampledFrom([]int64{0, 1})
	}
	for range rapid.IntRange(0, 4).Draw(t, "units") {
		times := rapid.SampledFrom([]int64{1, 2, 40, 1e6, 1e12}).Draw(t, "times")
		y, z := values.Draw(t, "y"), values.Draw(t, "z")
		product := func(a, b int64) *big.Int {
			return new(big.Int).Mul(new(big.Int).Mul(big.NewInt(a), big.NewInt(b)), big.NewInt(times))
		}
		one := results.Sums{N: times, Sum: product(y, 1), SumSquares: product(y, y)}
		if y != 0 {
			one.NonZero = times
		}
		if m.Kind == experiment.Ratio {
			one.SumDenominator, one.SumSquaresDenominator, one.SumProduct = product(z, 1), product(z, z), product(y, z)
		}
		s.Add(one)
	}
	return s
}

// sane holds an estimate against itself.
func sane(t *rapid.T, name string, e results.Estimate, alpha float64) {
	a, r := e.Absolute, e.Relative
	for _, effect := range []results.Effect{a, r} {
		saneP(t, name, effect.FixedP)
		saneP(t, name, effect.SequentialP)
		saneRange(t, name+" fixed", effect.Fixed, effect.Estimate)
		saneRange(t, name+" sequential", effect.Sequential, effect.Estimate)
	}
	if d := float64(e.Treatment.Mean - e.Control.Mean); a.Estimate.Known() && math.Abs(d-float64(a.Estimate)) > 1e-9*math.Abs(d) {
		t.Fatalf("%s: the means differ by %v, the effect is %v", name, d, a.Estimate)
	}
	if r.Estimate.Known() && (float64(r.Estimate) > 0) != (float64(a.Estimate) > 0) {
		t.Fatalf("%s: lift %v, difference %v", name, r.Estimate, a.Estimate)
	}
	agree(t, name+" fixed", float64(a.FixedP), a.Fixed, alpha)
	agree(t, name+" sequential", float64(a.SequentialP), a.Sequential, alpha)
	for _, i := range [][2]results.Interval{{a.Fixed, r.Fixed}, {a.Sequential, r.Sequential}} {
		if away(i[1]) && !away(i[0]) {
			t.Fatalf("%s: the lift's interval %v leaves 0 out, the difference's %v does not", name, i[1], i[0])
		}
	}
}

func away(i results.Interval) bool {
	return i.Low.Known() && i.Low > 0 || i.High.Known() && i.High < 0
}

// agree: p is below the level where the interval leaves 0 out, but for rounding.
func agree(t *rapid.T, name string, p float64, i results.Interval, level float64) {
	if math.Abs(p-level) > 1e-6*level && (p < level) != away(i) {
		t.Fatalf("%s: p %v at %v, interval %v", name, p, level, i)
	}
}

func saneP(t *rapid.T, name string, p results.Number) {
	if !(p >= 0 && p <= 1) {
		t.Fatalf("%s: p is %v", name, p)
	}
}

// saneRange: an end that is not known is not bounded.
func saneRange(t *rapid.T, name string, i results.Interval, estimate results.Number) {
	if math.IsNaN(float64(estimate)) {
		return
	}
	slack := 1e-9 * math.Abs(float64(estimate))
	if i.Low.Known() && float64(i.Low) > float64(estimate)+slack || i.High.Known() && float64(i.High) < float64(estimate)-slack {
		t.Fatalf("%s: %v is not in %v", name, estimate, i)
	}
}

func saneAdjusted(t *rapid.T, name string, a *results.Adjusted, plain results.Effect, alpha float64) {
	if a == nil {
		return
	}
	for _, x := range []struct {
		results.AdjustedEffect
		p results.Number
	}{{a.Fixed, plain.FixedP}, {a.Sequential, plain.SequentialP}} {
		saneP(t, name, x.P)
		if float64(x.P) < float64(x.p)*(1-1e-12) {
			t.Fatalf("%s: adjusted p %v, plain %v", name, x.P, x.p)
		}
		if x.Rejected != (float64(x.P) <= alpha) {
			t.Fatalf("%s: rejected %v at p %v", name, x.Rejected, x.P)
		}
		saneRange(t, name+" adjusted", x.Absolute, plain.Estimate)
		if away(x.Absolute) && !x.Rejected {
			t.Fatalf("%s: %v leaves 0 out and is not rejected", name, x.Absolute)
		}
	}
}

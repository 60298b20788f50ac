package results_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestSplitBeforeAndAfterCrossovers: the gate looks at all units by first exposure.
// Taking more crossovers out of one arm than of the other is told apart, and units
// of a phase that settles are in neither test.
func TestSplitBeforeAndAfterCrossovers(t *testing.T) {
	caches := units("control", 2, 4000)
	caches.Settling = true
	d := compute(moments(
		units("control", 2, 5000), units("treatment", 2, 5000), caches,
		binary("errors", "control", 2, 5000, 50), binary("errors", "treatment", 2, 4000, 40),
	), statuses())
	p := d.Phases[1]
	if p.SRM.Alarm || p.SRM.P != 1 {
		t.Errorf("all units, 5000 : 5000: %+v", p.SRM)
	}
	if !p.SRMLeft.Alarm || p.SRMLeft.P.Float() > 1e-6 {
		t.Errorf("after crossovers, 5000 : 4000: %+v", p.SRMLeft)
	}
	if p.Arms[0].Left != 5000 || p.Arms[1].Left != 4000 {
		t.Errorf("arms %+v", p.Arms)
	}
	if t1, t2 := d.Phases[0].SRM.Threshold, p.SRM.Threshold; t1 != 0.005 || t2 != 0.0025 {
		t.Errorf("thresholds %v and %v, want 0.01/2 and 0.01/4", t1, t2)
	}
}

// by is the cell of units with one value of a dimension.
func by(c results.Cell, dimension, value string) results.Cell {
	c.Dimension, c.Value = dimension, value
	return c
}

// withDimensions is the ramp with two dimensions, of 2 and 3 values in all with those
// that are (other) and (none).
func withDimensions() (*experiment.Version, *experiment.Experiment) {
	v, e := ramp()
	e.Dimensions = []experiment.Dimension{{Attribute: "device", Values: []string{"phone", "desktop"}}, {Attribute: "plan", Values: []string{"free"}}}
	return v, e
}

// TestSplitByDimension: phones lose a tenth of the treatment and desktops make up for
// it, so that the split of all units is as intended.
func TestSplitByDimension(t *testing.T) {
	v, e := withDimensions()
	caches := by(units("treatment", 2, 90_000), "device", "phone")
	caches.Settling = true
	d := results.Compute(v, e, 2, moments(
		units("control", 2, 100_000), units("treatment", 2, 100_000), caches,
		by(units("control", 2, 50_000), "device", "phone"), by(units("treatment", 2, 45_000), "device", "phone"),
		by(units("control", 2, 49_990), "device", "desktop"), by(units("treatment", 2, 54_990), "device", "desktop"),
		by(units("control", 2, 10), "device", "(other)"), by(units("treatment", 2, 10), "device", "(other)"),
		by(units("control", 2, 100_000), "plan", "free"), by(units("treatment", 2, 100_000), "plan", "free"),
	), statuses(), noon().Add(2*time.Hour), results.Options{})
	p := d.Phases[1]
	if p.SRM.Alarm || len(p.SRMBy) != 4 {
		t.Fatalf("all units: %+v; by dimension: %+v", p.SRM, p.SRMBy)
	}
	for i, want := range []struct {
		value   string
		alarm   bool
		missing float64
	}{{"(other)", false, 0}, {"desktop", true, 1 - 49_990./54_990}, {"phone", true, .1}, {"free", false, 0}} {
		got := p.SRMBy[i]
		if got.Value != want.value || got.SRM.Alarm != want.alarm || math.Abs(got.SRM.Missing.Float()-want.missing) > 1e-12 {
			t.Errorf("%s: %+v, want %+v", got.Value, got.SRM, want)
		}
		// 0.01/4 of the second phase, over 2 + 2 values of device and 1 + 2 of plan.
		if math.Abs(got.SRM.Threshold-0.0025/7) > 1e-18 {
			t.Errorf("%s: threshold %v, want 0.0025/7", got.Value, got.SRM.Threshold)
		}
	}
	if len(d.Phases[0].SRMBy) != 0 {
		t.Errorf("the first phase had no units: %+v", d.Phases[0].SRMBy)
	}
}

// TestSplitByDimensionCalibration: over 40 looks, two dimensions and five values no
// more runs alarm anywhere than the phase's threshold allows.
func TestSplitByDimensionCalibration(t *testing.T) {
	const runs, looks, alpha = 400, 40, 0.005
	alarmed := 0
	for run := range runs {
		v, e := withDimensions()
		r := rand.New(rand.NewPCG(11, uint64(run)))
		var n [2][2][2]int64 // by arm, device and plan
		for range looks {
			for range 2000 {
				n[r.IntN(2)][r.IntN(2)][r.IntN(2)]++
			}
			var cells []results.Cell
			for arm, variant := range []string{"control", "treatment"} {
				c := n[arm]
				for i, value := range []string{"phone", "desktop"} {
					cells = append(cells, by(units(variant, 1, c[i][0]+c[i][1]), "device", value))
				}
				cells = append(cells, by(units(variant, 1, c[0][0]+c[1][0]), "plan", "free"), by(units(variant, 1, c[0][1]+c[1][1]), "plan", "(none)"))
			}
			e.Iterations[1].Phases[0].Shares = []float64{.5, .5}
			d := results.Compute(v, e, 2, moments(cells...), statuses(), noon().Add(2*time.Hour), results.Options{})
			if slices.ContainsFunc(d.Phases[0].SRMBy, func(s results.SRMBy) bool { return s.SRM.Alarm }) {
				alarmed++
				break
			}
		}
	}
	bound := alpha + 3*math.Sqrt(alpha*(1-alpha)/runs)
	if rate := float64(alarmed) / runs; rate > bound {
		t.Errorf("%.4f of the runs alarm, at most %.4f should", rate, bound)
	}
}

// TestSplitLeaks: units of an arm without a share are no part of the test, and named.
func TestSplitLeaks(t *testing.T) {
	v, e := ramp()
	e.Iterations[1].Phases[0].Shares = []float64{1, 0}
	d := results.Compute(v, e, 2, moments(units("control", 1, 500), units("treatment", 1, 3)), statuses(), noon().Add(2*time.Hour), results.Options{})
	if s := d.Phases[0].SRM; s.Leaked != 3 || s.Alarm || s.Missing != 0 {
		t.Errorf("%+v", s)
	}
}

// TestOverflowOfOneMetric: a unit without an exact total silences its metric alone.
func TestOverflowOfOneMetric(t *testing.T) {
	over := cell("spend", "control", 1, 10, 5, 100, 1000)
	over.Open.Over = 1
	d := compute(moments(
		units("control", 1, 11), units("treatment", 1, 10), over, cell("spend", "treatment", 1, 10, 5, 100, 1000),
		binary("errors", "control", 1, 11, 2), binary("errors", "treatment", 1, 10, 3),
	), statuses())
	for _, c := range d.Comparisons {
		if known := c.Open.Absolute.Estimate.Known(); known != (c.Metric == "errors") {
			t.Errorf("%s has a number: %t (overflow %d)", c.Metric, known, c.Overflow)
		}
	}
}

// TestPlannedShare: the plan's share is that of the first phase that serves both
// arms, whatever a ramp makes of it later.
func TestPlannedShare(t *testing.T) {
	e := &experiment.Experiment{Control: "c", Variants: []experiment.Variant{{Key: "a"}, {Key: "c"}, {Key: "b"}}}
	it := &experiment.Iteration{Phases: []experiment.Phase{
		{Number: 1, Shares: []float64{0, 1, 0}}, {Number: 2, Shares: []float64{.1, .3, .6}}, {Number: 3, Shares: []float64{.5, .5, 0}},
	}}
	for arm, want := range map[int]float64{0: .25, 2: 2. / 3} {
		if got := results.PlannedShare(e, it, arm); math.Abs(got-want) > 1e-15 {
			t.Errorf("arm %d has %v of its pair, want %v", arm, got, want)
		}
	}
	it.Phases = it.Phases[:1]
	if got := results.PlannedShare(e, it, 0); got != 0 {
		t.Errorf("an arm that was never served has a share of %v", got)
	}
	if got := results.PairShare([]float64{.5}, 0, 1); got != 0 {
		t.Errorf("a variant without a share: %v", got)
	}
}

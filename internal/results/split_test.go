package results_test

import (
	"math"
	"testing"

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

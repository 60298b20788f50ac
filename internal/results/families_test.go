package results_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// twoGoals is the ramp's first phase with a third arm and two goals at equal shares.
func twoGoals(f experiment.Families) results.Document {
	v, e := ramp()
	e.Families = f
	e.Goals = []string{"spend", "errors"}
	e.Variants = []experiment.Variant{{Key: "control", Share: .4}, {Key: "treatment", Share: .3}, {Key: "other", Share: .3}}
	it := &e.Iterations[1]
	it.Phases = it.Phases[:1]
	it.Phases[0].Shares = []float64{.4, .3, .3}
	it.KillRules = 2
	return results.Compute(v, e, 2, moments(
		units("control", 1, 4000), units("treatment", 1, 3000), units("other", 1, 3000),
		binary("errors", "control", 1, 4000, 400), binary("errors", "treatment", 1, 3000, 420), binary("errors", "other", 1, 3000, 365),
		cell("spend", "control", 1, 4000, 800, 400000, 400000000), cell("spend", "treatment", 1, 3000, 600, 405000, 420000000),
		cell("spend", "other", 1, 3000, 600, 300000, 300000000),
	), statuses(), noon().Add(2*time.Hour), results.Options{Kind: results.KindFull})
}

func adjustedOf(t *testing.T, d results.Document, metric, arm string) (results.Comparison, results.Adjusted) {
	t.Helper()
	for _, c := range d.Comparisons {
		if c.Metric == metric && c.Arm == arm {
			if c.Adjusted == nil {
				t.Fatalf("%s in %s is in no family", metric, arm)
			}
			return c, *c.Adjusted
		}
	}
	t.Fatalf("no %s in %s", metric, arm)
	return results.Comparison{}, results.Adjusted{}
}

func outside(i results.Interval) bool { return i.Low > 0 || i.High < 0 }

// Two goals in two arms are four tests: the default multiplies p by four.
func TestGoalsAreAFamily(t *testing.T) {
	d := twoGoals(experiment.Families{})
	if len(d.Families) != 2 || d.Families[0].Name != results.GoalFamily || d.Families[0].Size != 4 || d.Families[0].Correction != "bonferroni" ||
		d.Families[1].Name != results.GuardrailFamily || d.Families[1].Size != 2 {
		t.Errorf("families %+v", d.Families)
	}
	for _, metric := range []string{"spend", "errors"} {
		for _, arm := range []string{"treatment", "other"} {
			c, a := adjustedOf(t, d, metric, arm)
			near(t, "adjusted p, every look", a.Sequential.P, math.Min(1, 4*c.Matured.Absolute.SequentialP.Float()))
			near(t, "adjusted p, one look", a.Fixed.P, math.Min(1, 4*c.Matured.Absolute.FixedP.Float()))
			for name, e := range map[string]results.AdjustedEffect{"every look": a.Sequential, "one look": a.Fixed} {
				if e.Rejected != outside(e.Absolute) || e.Rejected != outside(e.Relative) || e.Rejected != (e.P <= .05) {
					t.Errorf("%s in %s, %s: %+v", metric, arm, name, e)
				}
			}
			if a.Sequential.Absolute.Low >= c.Matured.Absolute.Sequential.Low || a.Sequential.Absolute.High <= c.Matured.Absolute.Sequential.High {
				t.Errorf("%s in %s: the adjusted interval is not wider", metric, arm)
			}
		}
	}
	if _, a := adjustedOf(t, d, "errors", "treatment"); !a.Sequential.Rejected {
		t.Error("the example shows nothing: 14 % against 10 % is not found")
	}
}

func TestPrimaryGoal(t *testing.T) {
	d := twoGoals(experiment.Families{Primary: "spend", PrimaryShare: .8})
	c, a := adjustedOf(t, d, "spend", "treatment")
	near(t, "primary", a.Fixed.P, math.Min(1, c.Matured.Absolute.FixedP.Float()/.4)) // 0.8 over two arms
	c, a = adjustedOf(t, d, "errors", "treatment")
	near(t, "the other", a.Fixed.P, math.Min(1, c.Matured.Absolute.FixedP.Float()/.1))
	if f := d.Families[0]; f.Primary != "spend" || f.Share != .8 {
		t.Errorf("family %+v", f)
	}
}

// Whatever the correction, what is rejected is what its intervals leave out; an
// interval of Holm's may end at 0.
func TestEveryCorrectionAgrees(t *testing.T) {
	for _, correction := range []experiment.Adjustment{experiment.Bonferroni, experiment.Holm, experiment.BenjaminiHochberg, experiment.BenjaminiYekutieli} {
		d := twoGoals(experiment.Families{Goals: correction})
		for _, c := range d.Comparisons {
			for _, e := range []results.AdjustedEffect{c.Adjusted.Sequential, c.Adjusted.Fixed} {
				ends := e.Absolute.Low == 0 || e.Absolute.High == 0
				if e.Rejected != (outside(e.Absolute) || ends) {
					t.Errorf("%s, %s in %s: %+v", correction, c.Metric, c.Arm, e)
				}
				if ends && correction != experiment.Holm {
					t.Errorf("%s, %s in %s: an interval ends at 0: %+v", correction, c.Metric, c.Arm, e)
				}
			}
		}
	}
}

// One goal in one arm is no family, and none is made where the file asks for none.
func TestNoFamily(t *testing.T) {
	for _, c := range append(compute(moments(), statuses()).Comparisons, twoGoals(experiment.Families{Goals: experiment.Unadjusted}).Comparisons...) {
		if c.Adjusted != nil {
			t.Errorf("%s in %s: %+v", c.Metric, c.Arm, c.Adjusted)
		}
	}
}

// A family counts what was declared: without any data nothing is rejected, and
// nothing is bounded.
func TestFamilyWithoutData(t *testing.T) {
	v, e := ramp()
	e.Goals = []string{"spend", "errors"}
	d := results.Compute(v, e, 2, moments(), nil, noon(), results.Options{})
	for _, c := range d.Comparisons {
		if a := c.Adjusted; a == nil || a.Size != 2 || a.Sequential.Rejected || a.Sequential.P != 1 || a.Sequential.Absolute.Low.Known() || a.Sequential.Absolute.High.Known() {
			t.Errorf("%s: %+v", c.Metric, a)
		}
	}
}

// Segments of goals are a family of their own: two goals × three devices, (other) and
// (none). Where only phones differ, only phones are found, and no other metric's
// segments are judged.
func TestSegmentsAreAFamily(t *testing.T) {
	v, e := devices()
	cells := segmentCells(rand.New(rand.NewPCG(1, 2)), 20000, 0.10, map[string]float64{"phone": 0.14, "desk": 0.10, "tablet": 0.10})
	document := func() results.Document {
		return results.Compute(v, e, 2, moments(cells...), statuses(), noon().Add(2*time.Hour), results.Options{})
	}
	for _, s := range document().Comparisons[0].Segments[0].Segments {
		if s.Adjusted != nil {
			t.Errorf("a segment of no goal is in a family: %+v", s.Adjusted)
		}
	}
	e.Goals = []string{"errors", "spend"}
	d := document()
	if f := d.Families[1]; f.Name != results.SegmentFamily || f.Size != 10 || f.Correction != "benjamini-hochberg" {
		t.Errorf("families %+v", d.Families)
	}
	found := 0
	for _, s := range d.Comparisons[0].Segments[0].Segments {
		a := s.Adjusted.Sequential
		if a.Rejected != outside(a.Absolute) || a.Rejected != (a.P <= .05) {
			t.Errorf("%s: %+v", s.Value, a)
		}
		if a.Rejected {
			found++
		}
		if s.Value == "phone" { // the first of ten
			near(t, "the adjusted p of phones", a.P, math.Min(1, 10*s.Absolute.SequentialP.Float()))
		}
	}
	if found != 1 || !d.Comparisons[0].Segments[0].Segments[0].Adjusted.Sequential.Rejected {
		t.Errorf("%d devices are found", found)
	}
	e.Families.Segments = experiment.Unadjusted
	if a := document().Comparisons[0].Segments[0].Segments[0].Adjusted; a != nil {
		t.Errorf("the file asks for none: %+v", a)
	}
}

// A quantile that is a goal has its Bonferroni part.
func TestQuantileInFamily(t *testing.T) {
	_, e := ramp()
	e.Goals = []string{"spend", "errors"}
	e.Families = experiment.Families{Goals: experiment.Holm}
	it := &e.Iterations[1]
	m := it.Metric("spend")
	m.Kind, m.Quantile = experiment.Quantile, .5
	row := func(variant string, point int64) results.SlowRow {
		r := results.SlowRow{Quantile: true, Phase: 1, Variant: variant, Metric: "spend", N: 400, NonZero: 400, Events: 400,
			Low: big.NewInt(point - 20), Point: big.NewInt(point), High: big.NewInt(point + 20)}
		r.Sums = []*big.Int{big.NewInt(200), big.NewInt(400)}
		r.Products = [][]*big.Int{{big.NewInt(200), big.NewInt(200)}, {big.NewInt(200), big.NewInt(400)}}
		return r
	}
	rows := []results.SlowRow{row("control", 1000), row("treatment", 1035)}
	c := results.ComputeSlow(e, it, rows, rows)[0]
	if c.Adjusted == nil || c.Adjusted.Correction != "bonferroni" || c.Adjusted.Size != 2 {
		t.Fatalf("%+v", c.Adjusted)
	}
	near(t, "adjusted p", c.Adjusted.Fixed.P, math.Min(1, 2*c.Estimate.Absolute.FixedP.Float()))
	if c.Events != 400 {
		t.Errorf("%d events in the smaller arm, want 400", c.Events)
	}
}

// A goal's gate counts the matured units of both arms with an event, by the smaller
// arm's intended share.
func TestGoalGate(t *testing.T) {
	for _, c := range twoGoals(experiment.Families{}).Comparisons {
		if c.Gate == nil || !c.Gate.Passes {
			t.Errorf("%s: %+v", c.Metric, c.Gate)
		}
	}
	d := compute(moments(cell("spend", "control", 1, 990, 60, 6000, 900000), cell("spend", "treatment", 1, 10, 5, 500, 60000)), statuses())
	for _, c := range d.Comparisons {
		switch {
		case c.Metric == "errors" && c.Gate != nil:
			t.Errorf("a guardrail that is no goal: %+v", c.Gate)
		case c.Metric == "spend":
			near(t, "events expected in the smaller arm", c.Gate.Have, 65*.01)
			if c.Gate.Passes || c.Gate.Need != 50 {
				t.Errorf("%+v", c.Gate)
			}
		}
	}
}

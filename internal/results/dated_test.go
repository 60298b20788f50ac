package results_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// dated is an experiment with three looks, an even split and one goal.
func dated() (*experiment.Version, *experiment.Experiment) {
	start := noon().AddDate(0, 0, -20)
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	v := &experiment.Version{Number: 7, Experiments: []experiment.Experiment{{
		Key: "ramp", UnitKind: "user", Control: "control", Crossovers: experiment.Exclude,
		Variants: []experiment.Variant{{Key: "control", Share: .5}, {Key: "treatment", Share: .5}},
		Window:   experiment.Duration(24 * time.Hour), Alpha: .05, AlphaKill: .05, PlannedUnits: 1000, Goals: []string{"spend"},
		Looks: experiment.Looks{Design: experiment.OBrienFleming, At: []time.Time{day(5), day(10), day(15)}},
		Iterations: []experiment.Iteration{{
			Number: 2, Start: start, EnrolUntil: day(28), End: day(29),
			Phases:  []experiment.Phase{{Number: 1, From: start, Shares: []float64{.5, .5}, Traffic: 1}},
			Metrics: []experiment.Metric{{Name: "spend", Event: "purchase", Kind: experiment.Mean, Direction: experiment.Increase}},
		}},
	}}}
	return v, &v.Experiments[0]
}

// spendLook is the document of a look with n units in each arm, of mean 10 and 10 + d
// and variance 1 (nearly: sums are whole numbers).
func spendLook(n int64, d float64) *results.Document {
	v, e := dated()
	arm := func(variant string, mean float64) results.Cell {
		sum := mean * float64(n)
		c := cell("spend", variant, 1, n, n, int64(math.Round(sum)), 0)
		c.Open.SumSquares = big.NewInt(int64(math.Round(sum*sum/float64(n) + float64(n-1))))
		c.Matured = c.Open
		return c
	}
	out := results.Compute(v, e, 2, moments(arm("control", 10), arm("treatment", 10+d), units("control", 1, n), units("treatment", 1, n)),
		statuses(), noon(), results.Options{Kind: results.KindFull})
	return &out
}

func judgeDates(now time.Time, looks ...*results.Document) *results.Dated {
	_, e := dated()
	return results.JudgeDates(e, 2, looks, now)
}

func TestNothingIsDecidedBeforeTheFirstLook(t *testing.T) {
	_, e := dated()
	d := judgeDates(e.Looks.At[0].Add(-time.Second))
	if d.Goals[0].Verdict != results.DatedWaiting || !d.Next.Equal(e.Looks.At[0]) || d.Goals[0].P.Known() {
		t.Errorf("%+v", d)
	}
}

// Boundaries of three even looks, spending like O'Brien and Fleming at 5 % two-sided:
// 3.7103, 2.5114, 1.9930 (gsDesign, Jennison & Turnbull 2000).
func TestDatedBoundaries(t *testing.T) {
	fifth := func(d float64) []*results.Document {
		return []*results.Document{spendLook(500/3, d), spendLook(1000/3, d), spendLook(500, d)}
	}
	g := judgeDates(noon(), fifth(0)...).Goals[0]
	for i, want := range []float64{3.7103, 2.5114, 1.9930} {
		if got := g.Looks[i].Boundary.Float(); math.Abs(got-want) > .02 {
			t.Errorf("look %d: boundary %.4f, want %.4f", i+1, got, want)
		}
	}
	if g.Verdict != results.DatedFinal || g.StoppedAt != 3 || !(g.P > .5) {
		t.Errorf("without an effect: %+v", g)
	}
	// z at the looks is d·√(n/2): 2.28, 3.23 with d = 0.25.
	g = judgeDates(noon(), fifth(.25)...).Goals[0]
	if g.Verdict != results.DatedCrossed || g.StoppedAt != 2 || g.Looks[0].Verdict != results.DatedContinue || g.Looks[2].Verdict != results.DatedOver {
		t.Fatalf("with an effect: %+v", g)
	}
	if z := g.Looks[1].Z.Float(); math.Abs(z-.25*math.Sqrt(333./2)) > .06 {
		t.Errorf("z %.3f", z)
	}
	if !(g.P < .05) || !(g.Interval.Low > 0) || !(g.Interval.High > g.Estimate) || math.Abs(g.Estimate.Float()-.25) > .03 {
		t.Errorf("at stopping: estimate %v in %v, p %v", g.Estimate, g.Interval, g.P)
	}
}

// A look that comes too early, without enough events or without new units is not taken
// and costs nothing; one that reaches the plan spends all that is left.
func TestLooksThatAreNotTaken(t *testing.T) {
	g := judgeDates(noon(), spendLook(10, 0), spendLook(200, 0), spendLook(200, 0)).Goals[0]
	for i, want := range []string{results.DatedNotTaken, results.DatedContinue, results.DatedNotTaken} {
		if g.Looks[i].Verdict != want {
			t.Errorf("look %d: %s, want %s", i+1, g.Looks[i].Verdict, want)
		}
	}
	if g.Verdict != results.DatedFinal {
		t.Errorf("after the last date: %s", g.Verdict)
	}
	g = judgeDates(noon(), spendLook(600, 0)).Goals[0]
	if g.Verdict != results.DatedFinal || math.Abs(g.Looks[0].Boundary.Float()-1.959964) > 1e-6 {
		t.Errorf("more units than planned at the first look: %+v", g)
	}
}

// Data that was there before the dates were gives no look, nor do dates of another
// iteration.
func TestWhoHasNoDates(t *testing.T) {
	_, e := dated()
	e.Iterations[0].Retrospective = true
	if d := results.JudgeDates(e, 2, nil, noon()); d != nil {
		t.Errorf("retrospective: %+v", d)
	}
	_, e = dated()
	e.Iterations[0].Start = e.Looks.At[2]
	if d := results.JudgeDates(e, 2, nil, noon()); d != nil {
		t.Errorf("dates before the start: %+v", d)
	}
	if d := results.JudgeDates(e, 9, nil, noon()); d != nil {
		t.Errorf("no such iteration: %+v", d)
	}
}

package results_test

import (
	"math"
	"testing"

	"github.com/assay-dev/assay/internal/results"
)

// beliefDocument has one goal with an effect of 2 at an error of 1 and a control's
// mean of 10.
func beliefDocument(direction string) *results.Document {
	return &results.Document{Budget: results.Budget{Alpha: .05}, Comparisons: []results.Comparison{{
		Metric: "spend", Arm: "treatment", Kind: "mean", Direction: direction, Goal: true,
		Matured: results.Estimate{
			Treatment: results.Arm{Units: 50, Mean: 12}, Control: results.Arm{Units: 50, Mean: 10},
			Absolute: results.Effect{Estimate: 2, StdError: 1},
		},
	}}}
}

func within(t *testing.T, what string, got results.Number, want float64) {
	t.Helper()
	if !(math.Abs(got.Float()-want) < 1e-4) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// With a flat prior the posterior is N(2, 1): tables of the normal distribution give
// Φ(2) = 0.97725, and the unit normal loss of 2 is φ(2) − 2·Φ(−2) = 0.00849.
func TestBeliefsByHand(t *testing.T) {
	b := results.Believe(beliefDocument("increase"), 0)
	if b.Note != results.BeliefNote || b.Credibility != .95 {
		t.Errorf("%+v", b)
	}
	c := b.Comparisons[0]
	if !c.Matured {
		t.Error("the goal is read from units that have not matured")
	}
	within(t, "chance", c.ChanceBetter, .97725)
	within(t, "low", c.Absolute.Low, 2-1.95996)
	within(t, "lift's high", c.Relative.High, .395996)
	within(t, "loss by shipping", c.LossShip, .00849)
	within(t, "loss by keeping", c.LossKeep, 2.00849)

	// Where a decrease is good, everything is the other way round.
	c = results.Believe(beliefDocument("decrease"), 0).Comparisons[0]
	within(t, "chance of a decrease", c.ChanceBetter, .02275)
	within(t, "loss by shipping a rise", c.LossShip, 2.00849)

	// A prior on the lift of sd 0.1 is one of sd 1 on the difference: half way to 0.
	c = results.Believe(beliefDocument("increase"), .1).Comparisons[0]
	within(t, "posterior mean", c.Mean, 1)
	within(t, "posterior's half width", c.Absolute.High-c.Mean, 1.95996*math.Sqrt(.5))
}

// Without a standard error nothing is believed under a flat prior, and only the
// prior under another; a control's mean of 0 gives a prior on the lift no size.
func TestBeliefsWithoutBasis(t *testing.T) {
	d := beliefDocument("increase")
	d.Comparisons[0].Matured.Absolute.StdError = results.Number(math.NaN())
	if c := results.Believe(d, 0).Comparisons[0]; c.ChanceBetter.Known() || c.Absolute.Low.Known() || c.LossShip.Known() {
		t.Errorf("a flat prior: %+v", c)
	}
	within(t, "the prior's chance", results.Believe(d, .3).Comparisons[0].ChanceBetter, .5)
	d = beliefDocument("increase")
	d.Comparisons[0].Matured.Control.Mean = 0
	if c := results.Believe(d, .3).Comparisons[0]; c.ChanceBetter.Known() || c.Relative.Low.Known() {
		t.Errorf("a mean of 0: %+v", c)
	}
	d.Slow = &results.Slow{Comparisons: []results.SlowComparison{{Metric: "latency", Direction: "decrease", Estimate: d.Comparisons[0].Matured}}}
	if b := results.Believe(d, 0); len(b.Comparisons) != 2 || b.Comparisons[1].Metric != "latency" {
		t.Errorf("what comes from stored events: %+v", b)
	}
}

package results_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// shopper is a unit with a numerator and a denominator.
type shopper struct{ y, z float64 }

// ratioCell adds units up; y is kept with one decimal, z with none.
func ratioCell(variant string, list []shopper) results.Cell {
	s := results.NewSums()
	for _, u := range list {
		y, z := big.NewInt(int64(math.Round(u.y*10))), big.NewInt(int64(u.z))
		one := results.Sums{
			N: 1, Sum: y, SumDenominator: z,
			SumSquares: new(big.Int).Mul(y, y), SumSquaresDenominator: new(big.Int).Mul(z, z), SumProduct: new(big.Int).Mul(y, z),
		}
		if u.y != 0 && u.z != 0 {
			one.NonZero = 1
		}
		s.Add(one)
	}
	return results.Cell{
		Experiment: "kinds", Iteration: 1, Phase: 1, Variant: variant, Metric: "per_order",
		Open: s, Matured: s, Newest: noon().Add(time.Hour),
	}
}

// delta is the ratio and its squared error by the textbook, in floats: residuals
// y − R·z over z̄, with units as clusters.
func delta(list []shopper) (ratio, error2 float64) {
	var y, z float64
	for _, u := range list {
		y, z = y+u.y, z+u.z
	}
	n := float64(len(list))
	ratio = y / z
	for _, u := range list {
		r := (u.y - ratio*u.z) / (z / n)
		error2 += r * r
	}
	return ratio, error2 / (n - 1) / n
}

func kinds() (*experiment.Version, *experiment.Experiment) {
	v := &experiment.Version{Number: 7, Experiments: []experiment.Experiment{{
		Key: "kinds", UnitKind: "user", Control: "control",
		Variants: []experiment.Variant{{Key: "control", Share: .5}, {Key: "treatment", Share: .5}},
		Window:   experiment.Duration(time.Hour), Alpha: .05, AlphaKill: .05, PlannedUnits: 100,
		Goals: []string{"back", "tail"}, Guardrails: []experiment.Guardrail{{Metric: "per_order", Mode: experiment.Kill}},
		Iterations: []experiment.Iteration{{
			Number: 1, Start: noon(), EnrolUntil: noon().Add(time.Hour), End: noon().Add(9 * time.Hour),
			Phases: []experiment.Phase{{Number: 1, From: noon(), Shares: []float64{.5, .5}, Traffic: 1}},
			Metrics: []experiment.Metric{
				{Name: "back", Event: "visit", Kind: experiment.Retention, Direction: experiment.Increase, From: experiment.Duration(time.Hour), To: experiment.Duration(3 * time.Hour)},
				{
					Name: "per_order", Kind: experiment.Ratio, Direction: experiment.Increase,
					Numerator:   &experiment.Part{Event: "purchase", Aggregation: experiment.AggregateSum, Decimals: 1},
					Denominator: &experiment.Part{Event: "purchase", Aggregation: experiment.AggregateCount},
				},
				{Name: "tail", Event: "timing", Kind: experiment.Quantile, Quantile: .95, Direction: experiment.Decrease},
			},
			AlphaKill: .05, KillRules: 1, KillGuardrails: []string{"per_order"},
		}},
	}}}
	return v, &v.Experiments[0]
}

// shoppers are units of which some order often and then pay less.
func shoppers(n int, lift float64) []shopper {
	list := make([]shopper, n)
	for i := range list {
		z := float64(i % 4)
		list[i] = shopper{z * (10 + lift - z + float64(i%7)/2), z}
	}
	return list
}

func counted(metric, variant string, n, nonZero int64) results.Cell {
	c := binary(metric, variant, 1, n, nonZero)
	c.Experiment, c.Iteration = "kinds", 1
	return c
}

func computeKinds(cells ...results.Cell) results.Document {
	v, e := kinds()
	return results.Compute(v, e, 1, moments(cells...), statuses(), noon().Add(2*time.Hour), results.Options{Code: "test", Kind: results.KindFull})
}

// A ratio goes by the delta method with units as clusters, in the document and for
// the guardrail alike.
func TestRatio(t *testing.T) {
	treatment, control := shoppers(300, 1), shoppers(280, 0)
	d := computeKinds(ratioCell("treatment", treatment), ratioCell("control", control),
		counted(ingest.Units, "treatment", 300, 0), counted(ingest.Units, "control", 280, 0))
	rT, vT := delta(treatment)
	rC, vC := delta(control)
	got := d.Comparisons[1]
	if got.Metric != "per_order" || got.Kind != "ratio" {
		t.Fatalf("comparison %s, %s", got.Metric, got.Kind)
	}
	near(t, "treatment's ratio", got.Open.Treatment.Mean, rT)
	near(t, "control's ratio", got.Open.Control.Mean, rC)
	near(t, "difference", got.Open.Absolute.Estimate, rT-rC)
	near(t, "standard error", got.Open.Absolute.StdError, math.Sqrt(vT+vC))
	near(t, "lift", got.Open.Relative.Estimate, (rT-rC)/rC)

	_, e := kinds()
	rule := guardrails.Rules(e, &e.Iterations[0])[0]
	guarded := d.Guard()
	o := guardrails.Observe(&guarded, rule, nil)
	if s := o.Open[0]; math.Abs(s.Treatment.Mean-rT) > 1e-9 || math.Abs(s.Control.Variance()/280-vC) > 1e-9 || s.Treatment.NonZero != 225 {
		t.Errorf("the guard sees %+v", s)
	}
	for _, c := range d.Cells {
		if c.Metric == "per_order" && c.Variant == "control" {
			// Σz of 0, 1, 2, 3 in turn, and Σz² likewise: 280/4·6 and 280/4·14.
			if diff := cmp.Diff([]string{"420", "980"}, []string{c.Open.SumDenominator, c.Open.SumSquaresDenominator}); diff != "" || *c.DenominatorDecimals != 0 || c.Decimals != 1 {
				t.Errorf("exact sums %+v\n%s", c, diff)
			}
		}
	}
}

// With nothing below the line there is no number, and the phase is named.
func TestRatioOfNothing(t *testing.T) {
	none := make([]shopper, 50)
	d := computeKinds(ratioCell("treatment", none), ratioCell("control", shoppers(50, 0)))
	got := d.Comparisons[1].Open
	if got.Absolute.Estimate.Known() || len(got.LeftOut) != 1 {
		t.Errorf("estimate %+v", got)
	}
}

// A retention is a share of units and matures with its stretch; a quantile has no
// moments and no comparison here.
func TestRetention(t *testing.T) {
	d := computeKinds(counted("back", "treatment", 100, 30), counted("back", "control", 100, 20))
	if len(d.Comparisons) != 2 {
		t.Fatalf("%d comparisons", len(d.Comparisons))
	}
	got := d.Comparisons[0]
	near(t, "share", got.Open.Treatment.Mean, .3)
	// 0.3·0.7/99 + 0.2·0.8/99.
	near(t, "standard error", got.Open.Absolute.StdError, math.Sqrt(.37/99))
	if got.Window != "3h" {
		t.Errorf("window %s", got.Window)
	}
	_, e := kinds()
	matured := results.Maturity(e, &e.Iterations[0], []results.ShardStatus{{Freshness: noon().Add(5 * time.Hour)}})
	// The hour's slot from 12:00 ends at 13:00; with 3 h that is 16:00, a minute before 17:00 is enough.
	if at := matured["back"]; !at.After(noon()) || at.After(noon().Add(time.Hour)) {
		t.Errorf("matured before %s", at)
	}
}

// Excluded units are in the test of the split, and nowhere else.
func TestExcluded(t *testing.T) {
	d := computeKinds(
		counted(ingest.Units, "treatment", 4000, 0), counted(ingest.Units, "control", 5000, 0),
		counted("back", "treatment", 4000, 0), counted("back", "control", 5000, 0),
		counted(ingest.Excluded, "treatment", 1000, 0))
	p := d.Phases[0]
	if p.Arms[1].Units != 4000 || p.Arms[1].Excluded != 1000 || p.Arms[0].Excluded != 0 {
		t.Errorf("arms %+v", p.Arms)
	}
	if p.SRM.Alarm || !p.SRMLeft.Alarm {
		t.Errorf("5000 and 5000 were exposed: %+v; 4000 and 5000 are left: %+v", p.SRM, p.SRMLeft)
	}
}

package results_test

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/results"
)

func compute(m results.Moments, s []results.ShardStatus) results.Document {
	v, e := ramp()
	return results.Compute(v, e, 2, m, s, noon().Add(2*time.Hour), results.Options{Code: "test", Kind: results.KindFull})
}

// TestRampWithTrend: the error rate of everybody doubles while the treatment
// goes from 1 % to 50 %. Pooled, the treatment looks 80 % worse; in each phase
// there is no difference, and the document shows none.
func TestRampWithTrend(t *testing.T) {
	settling := binary("errors", "treatment", 2, 5000, 5000) // caches that still serve the old shares
	settling.Settling = true
	d := compute(moments(
		units("control", 1, 9900), units("treatment", 1, 100), units("control", 2, 5000), units("treatment", 2, 5000),
		binary("errors", "control", 1, 9900, 990), binary("errors", "treatment", 1, 100, 10),
		binary("errors", "control", 2, 5000, 1000), binary("errors", "treatment", 2, 5000, 1000), settling,
	), statuses())
	pooled := (1010.0 / 5100) / (1990.0 / 14900)
	if pooled < 1.4 {
		t.Fatalf("the example shows nothing: pooled ratio %.2f", pooled)
	}
	got := d.Comparisons[0].Open
	if math.Abs(got.Absolute.Estimate.Float()) > 1e-12 {
		t.Errorf("effect %v, want 0", got.Absolute.Estimate)
	}
	if got.Absolute.Fixed.Low >= 0 || got.Absolute.Fixed.High <= 0 {
		t.Errorf("interval %+v leaves out 0", got.Absolute.Fixed)
	}
	for _, p := range d.Phases {
		if p.SRM.Alarm {
			t.Errorf("phase %d raises an alarm at its own shares: %+v", p.Number, p.SRM)
		}
	}
}

func TestEstimateByHand(t *testing.T) {
	// Cents: control 10 units, Σ 1000, Σ² 120000; treatment 10 units, Σ 1500, Σ² 265000.
	d := compute(moments(
		cell("spend", "control", 1, 10, 8, 1000, 120000), cell("spend", "treatment", 1, 10, 9, 1500, 265000),
		cell("spend", "control", 2, 1, 1, 77, 5929), // a single unit: phase 2 is left out
	), statuses())
	got := d.Comparisons[1].Open
	// Means 1.00 and 1.50. s² = (12−10)/9 = 0.2222 and (26.5−22.5)/9 = 0.4444, v = s²/10, se = √0.06667.
	near(t, "control mean", got.Control.Mean, 1)
	near(t, "treatment mean", got.Treatment.Mean, 1.5)
	near(t, "effect", got.Absolute.Estimate, .5)
	near(t, "standard error", got.Absolute.StdError, math.Sqrt(.2/3))
	near(t, "relative effect", got.Relative.Estimate, .5)
	if got.Control.Total != "10" || got.Treatment.Total != "15" {
		t.Errorf("totals %s and %s, want 10 and 15", got.Control.Total, got.Treatment.Total)
	}
	if diff := cmp.Diff([]string{"2"}, got.LeftOut); diff != "" {
		t.Error("phases left out:", diff)
	}
	if w := got.Absolute; w.Sequential.High-w.Sequential.Low <= w.Fixed.High-w.Fixed.Low {
		t.Error("the interval for every look is not wider than the one for one look")
	}
}

func near(t *testing.T, what string, got results.Number, want float64) {
	t.Helper()
	if !(math.Abs(got.Float()-want) < 1e-9) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestDocument(t *testing.T) {
	settling := units("treatment", 2, 40)
	settling.Settling = true
	crossed := cell(ingest.CrossoverUnits, "control", 1, 3, 0, 0, 0)
	crossed.Value = "treatment"
	outside := cell(ingest.Outside, "", 0, 9, 0, 0, 0)
	outside.Iteration = 0
	other := units("control", 1, 1e6)
	other.Iteration = 1 // another iteration's: no part of this
	after := cell(ingest.AfterEnd, "treatment", 0, 6, 0, 0, 0)
	after.Newest = noon().Add(3 * time.Hour)
	outOfRange := cell(ingest.OutOfRange, "control", 1, 2, 0, 0, 0)
	outOfRange.Value = "spend"
	d := compute(moments(
		units("control", 1, 990), units("treatment", 1, 13), settling, other, crossed, outside, after, outOfRange,
		cell(ingest.Moved, "control", 1, 5, 0, 0, 0), cell(ingest.UnknownVariant, "x", 1, 4, 0, 0, 0),
		binary("errors", "control", 1, 987, 20), binary("errors", "treatment", 1, 13, 1),
	), statuses())

	wantArms := []results.PhaseArm{
		{Variant: "control", Share: .99, Units: 990, Left: 987},
		{Variant: "treatment", Share: .01, Units: 13, Left: 13},
	}
	if diff := cmp.Diff(wantArms, d.Phases[0].Arms); diff != "" {
		t.Error("arms of phase 1:", diff)
	}
	if got := d.Phases[1].Settling[1].Units; got != 40 || d.Phases[1].Arms[1].Units != 0 {
		t.Errorf("%d settling units and %d settled ones in phase 2, want 40 and 0", got, d.Phases[1].Arms[1].Units)
	}
	if diff := cmp.Diff([]results.Crossover{{Phase: 1, First: "control", Other: "treatment", Units: 3}}, d.Crossovers); diff != "" {
		t.Error("crossovers:", diff)
	}
	wantAside := results.Aside{Moved: 5, Outside: 9, UnknownVariants: 4, OutOfRange: map[string]int64{"spend": 2}}
	if diff := cmp.Diff(wantAside, d.Aside); diff != "" {
		t.Error("counted aside:", diff)
	}
	if diff := cmp.Diff([]results.AfterEnd{{Variant: "treatment", Exposures: 6, Newest: noon().Add(3 * time.Hour)}}, d.AfterEnd); diff != "" {
		t.Error("after the end:", diff)
	}
	wantBudget := results.Budget{
		Alpha: .05, AlphaKill: .05, Rules: 1, Spent: .07,
		Iterations: []results.BudgetIteration{
			{Number: 1, AlphaKill: .02, Rules: 1, Start: noon().Add(-48 * time.Hour), End: noon().Add(-24 * time.Hour)},
			{Number: 2, AlphaKill: .05, Rules: 1, Start: noon(), End: noon().Add(25 * time.Hour)},
		},
		Parts:  []results.BudgetPart{{Metric: "errors", Arm: "treatment", Alpha: .05, Declared: true, Mode: "kill", Method: "mean"}},
		Checks: []results.BudgetCheck{{Check: "srm", Alpha: .01, OnAlarm: "hold"}},
	}
	if diff := cmp.Diff(wantBudget, d.Budget); diff != "" {
		t.Error("budget:", diff)
	}
	if !d.Newest.Equal(noon().Add(2 * time.Hour)) {
		t.Errorf("newest counted event %v: exposures after the end must not count", d.Newest)
	}
	if d.Iterations != 2 || d.Iteration != 2 {
		t.Errorf("iteration %d of %d, want 2 of 2", d.Iteration, d.Iterations)
	}
}

// TestOverflowIsNoNumber: a unit without an exact total leaves no estimate.
func TestOverflowIsNoNumber(t *testing.T) {
	bad := cell("spend", "treatment", 1, 500, 500, 500, 500)
	bad.Open.Over = 1
	d := compute(moments(cell("spend", "control", 1, 500, 500, 500, 500), bad), statuses())
	c := d.Comparisons[1]
	if c.Overflow != 1 || c.Open.Absolute.Estimate.Known() || c.Matured.Absolute.Estimate.Known() {
		t.Errorf("overflow %d with estimates %v and %v, want 1 and none", c.Overflow, c.Open.Absolute.Estimate, c.Matured.Absolute.Estimate)
	}
}

func TestDocumentAsJSON(t *testing.T) {
	d := compute(moments(binary("errors", "control", 1, 1, 0)), nil)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var back results.Document
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if got := back.Comparisons[0].Open.Absolute.Estimate; got.Known() {
		t.Errorf("an estimate without basis came back as %v", got)
	}
	again, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != string(again) {
		t.Errorf("the document changes by being stored:\n%s\n%s", text, again)
	}
}

func TestGuard(t *testing.T) {
	full := compute(moments(
		units("control", 1, 50), binary("errors", "control", 1, 50, 5), cell("spend", "control", 1, 50, 5, 5, 5),
	), statuses())
	guard := full.Guard()
	if guard.Kind != results.KindGuard || len(guard.Comparisons) != 1 || guard.Comparisons[0].Metric != "errors" || len(guard.Cells) != 2 {
		t.Errorf("guard look has %d comparisons and cells %+v", len(guard.Comparisons), guard.Cells)
	}
	if len(full.Comparisons) != 2 || len(full.Cells) != 3 {
		t.Error("taking the guard's part changed the full look")
	}
}

func TestDecimal(t *testing.T) {
	tests := []struct {
		v        string
		decimals int
		want     string
	}{
		{"0", 0, "0"}, {"0", 6, "0"}, {"5", 2, "0.05"}, {"-5", 2, "-0.05"}, {"1500", 2, "15"}, {"1234", 2, "12.34"},
		{"123456789012345678901234567890", 6, "123456789012345678901234.56789"},
	}
	for _, test := range tests {
		v, _ := new(big.Int).SetString(test.v, 10)
		if got := results.Decimal(v, test.decimals); got != test.want {
			t.Errorf("%s·10^-%d is %q, want %q", test.v, test.decimals, got, test.want)
		}
	}
}

// TestStrictInterval: at 50/50 the interval for every look stands on the unpooled
// error; at 90/10, or once any phase had such shares, on the larger one, and the
// document says so.
func TestStrictInterval(t *testing.T) {
	// Nobody in the smaller arm has an error: its own variance is zero.
	lost := moments(
		binary("errors", "control", 2, 9000, 900), binary("errors", "treatment", 2, 1000, 0))
	widths := map[bool]float64{}
	for _, c := range []struct {
		shares [][]float64
		strict bool
	}{
		{[][]float64{{.5, .5}, {.5, .5}}, false},
		{[][]float64{{.6, .4}, {.5, .5}}, false},
		{[][]float64{{1, 0}, {.5, .5}}, false}, // a phase without the arm
		{[][]float64{{.61, .39}, {.5, .5}}, true},
		{[][]float64{{.5, .5}, {.1, .9}}, true},
	} {
		v, e := ramp()
		for i := range c.shares {
			e.Iterations[1].Phases[i].Shares = c.shares[i]
		}
		d := results.Compute(v, e, 2, lost, statuses(), noon().Add(2*time.Hour), results.Options{})
		got := d.Comparisons[0].Open
		said := slices.ContainsFunc(got.Warnings, func(w results.Doubt) bool { return w.Code == results.StrictInterval })
		if said != c.strict {
			t.Errorf("shares %v: strict %v, want %v", c.shares, said, c.strict)
		}
		i := got.Absolute.Sequential
		widths[said] = (i.High - i.Low).Float()
		if excludes := i.Low.Float() > 0 || i.High.Float() < 0; excludes != (got.Absolute.SequentialP.Float() < .05) {
			t.Errorf("shares %v: p %v beside %+v", c.shares, got.Absolute.SequentialP, i)
		}
	}
	if widths[true] < 1.5*widths[false] {
		t.Errorf("strict %v, else %v: the arm that lost everything should widen it", widths[true], widths[false])
	}
}

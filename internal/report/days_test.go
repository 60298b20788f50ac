package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/results"
)

// TestDaysAreShown: with what they may be read for, and the conclusion.
func TestDaysAreShown(t *testing.T) {
	d := slowDocument()
	d.Days = []results.Days{{Metric: "spend", Arm: "treatment", Kind: "mean", Slope: 0.4, Fixed: results.Interval{Low: 0.3, High: 0.5}, P: 0.001, Drifts: true,
		Days: []results.DayEffect{{Day: "2026-03-01", Phase: 1, Treatment: results.Arm{Units: 80}, Control: results.Arm{Units: 720}, Absolute: effect(2, 0.3)}}}}
	var text bytes.Buffer
	if err := Text(&text, d); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{results.DayNote, "spend in treatment: the effect grows by +0.400 (+0.300 to +0.500) with each day", "average of different effects", "2026-03-01", "+2.00"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the terminal does not say %q:\n%s", want, text.String())
		}
	}
	d.Days[0].Drifts = false
	text.Reset()
	if err := Text(&text, d); err != nil || !strings.Contains(text.String(), "no drift is shown") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// TestDriftIsShown: a warning that only complete windows can give is told too.
func TestDriftIsShown(t *testing.T) {
	d := slowDocument()
	drift := results.Doubt{Code: results.EffectDrifts, Text: "the effect is larger in phase 1"}
	d.Comparisons = []results.Comparison{{Metric: "spend", Arm: "treatment", Matured: results.Estimate{Warnings: []results.Doubt{drift, {Code: "no_basis", Text: "hidden"}}}}}
	var text bytes.Buffer
	if err := Text(&text, d); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); !strings.Contains(got, "spend in treatment: the effect is larger in phase 1") || strings.Contains(got, "hidden") {
		t.Error(got)
	}
}

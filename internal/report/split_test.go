package report

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/results"
)

// TestSplitSays what is missing where, what is trivial, what leaked, and which p of one
// look is shown.
func TestSplitSays(t *testing.T) {
	d := document()
	d.Phases = append(d.Phases, results.Phase{
		Number: 2,
		Arms:   []results.PhaseArm{{Variant: "control", Share: 1, Units: 900}, {Variant: "treatment", Units: 6, Excluded: 1}},
		SRM:    results.SRM{P: 1, ChiSquareP: 1},
		SRMBy:  []results.SRMBy{{Dimension: "device", Value: "phone", Units: []int64{9, 0}}, {Dimension: "plan", Value: "free", Units: []int64{9, 0}}},
	})
	one := &d.Phases[0]
	one.Arms[1].Units = 9193
	one.SRM = results.SRM{P: 1e-9, ChiSquareP: 1e-12, Alarm: true, Missing: 0.0999}
	one.Alarm = nil
	var b strings.Builder
	textSplit(&b, d)
	text := b.String() + strings.Join(splitDoubts(d), "\n")
	for _, want := range []string{
		"BROKEN, at least 9.99 % of treatment's units are missing\n",
		"phase 2 by device, plan: no split is broken\n",
		"phase 2: 7 units saw treatment, which had no share",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	one.SRM.Trivial, one.SRM.Missing = true, 0.0015
	if got := splitState(one); got != "BROKEN, at least 0.150 % of treatment's units are missing, which is trivial" {
		t.Error(got)
	}
	small := results.SRM{ChiSquareP: 0.01, ExactP: 0.0312, Warnings: []string{"an arm expects 4.0 units, the chi-square needs 5"}}
	if got := oneLook(small); got != "0.0312 (exact)" && got != "0.031 (exact)" {
		t.Error(got)
	}
}

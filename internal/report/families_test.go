package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// familyDocument is the document with a family in which conversion is shown alone
// and not among four.
func familyDocument(correction string, a results.AdjustedEffect) *results.Document {
	d := document()
	d.Comparisons[0].Matured.Absolute = effect(0.009, 0.004)
	d.Comparisons[0].Adjusted = &results.Adjusted{Family: "goals", Correction: correction, Size: 4, Alpha: 0.05, Sequential: a,
		Fixed: results.AdjustedEffect{P: 0.03, Rejected: true, Absolute: results.Interval{Low: 0.001, High: 0.017}, Relative: results.Interval{Low: 0.02, High: 0.34}}}
	d.Families = []results.Family{{Name: "goals", Correction: correction, Alpha: 0.05, Size: 4}}
	return d
}

// TestFamilyIsShown: the table says what is shown among all goals, on the terminal
// and on the page, and the headline rests on it.
func TestFamilyIsShown(t *testing.T) {
	notShown := results.AdjustedEffect{P: 0.12, Absolute: results.Interval{Low: -0.001, High: 0.019}, Relative: results.Interval{Low: -0.02, High: 0.38}}
	onlySign := results.AdjustedEffect{P: 0.04, Rejected: true, Absolute: results.Interval{Low: 0, High: 0.019}, Relative: results.Interval{Low: 0, High: 0.38}}
	for name, c := range map[string]struct {
		document *results.Document
		want     []string
		headline string
	}{
		"bonferroni": {familyDocument("bonferroni", notShown),
			[]string{"goals × arms: 4 comparisons, bonferroni: the chance that any of them misses is at most 5.00 %", "not shown", "+18.0 % (−2.00 % to +38.0 %)", "+0.900 pp (−0.100 pp to +1.90 pp)", "0.12"}, "Better on conversion (+20.0 %, +8.00 % to +32.0 %) so far"},
		"holm": {familyDocument("holm", onlySign),
			[]string{"where an interval ends at 0 only the direction is shown", "better", "0.0 % to +38.0 %", "0.04"}, "Better on conversion (+18.0 %, 0.0 % to +38.0 %)."},
		"false discoveries": {familyDocument("benjamini-hochberg", notShown), []string{"at most 5.00 % are expected to be wrong"}, "Better on conversion (+20.0 %"},
	} {
		var text, page bytes.Buffer
		if err := Text(&text, c.document); err != nil {
			t.Fatal(err)
		}
		if err := HTML(&page, Day{Experiments: []Entry{{Experiment: &experiment.Experiment{Key: "cta"}, Document: c.document}}}); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: the terminal does not say %q:\n%s", name, want, text.String())
			}
			if !strings.Contains(strings.ReplaceAll(page.String(), "&#43;", "+"), want) {
				t.Errorf("%s: the page does not say %q", name, want)
			}
		}
		if got := catalog.Headline(c.document); !strings.HasPrefix(got, c.headline) {
			t.Errorf("%s: headline %q, want %q …", name, got, c.headline)
		}
	}
}

// What is rejected below zero is worse where more is good, and better where less is.
func TestAdjustedTone(t *testing.T) {
	below := results.AdjustedEffect{Rejected: true, Absolute: results.Interval{Low: -2, High: 0}}
	for direction, want := range map[string]string{"increase": "worse", "decrease": "better"} {
		if got := conclusion(below, direction); got != want {
			t.Errorf("%s: %s, want %s", direction, got, want)
		}
	}
}

// Before enough units had an event nothing is recommended, whatever the intervals say.
func TestClosedGate(t *testing.T) {
	d := familyDocument("bonferroni", results.AdjustedEffect{P: 0.001, Rejected: true, Absolute: results.Interval{Low: 0.002, High: 0.016}})
	if got := catalog.Headline(d); !strings.HasPrefix(got, "Better on conversion (+18.0 %") {
		t.Fatalf("the example shows nothing: %s", got)
	}
	d.Comparisons[0].Gate = &results.Gate{Have: 20, Need: 30}
	if got := catalog.Headline(d); got != "Too few units have had an event to rely on what conversion shows. Keep running." {
		t.Errorf("headline %q behind a closed gate", got)
	}
	if lines := familyLines(d); lines[0].Conclusion != "too few events" {
		t.Errorf("%+v", lines)
	}
}

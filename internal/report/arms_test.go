package report

import (
	"bytes"
	"html"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/results"
)

// armed gives the arms of a document's first two comparisons intervals of their own.
func armed() *results.Document {
	d := document()
	wilson := func(low, high results.Number) *results.ArmInterval {
		return &results.ArmInterval{Method: results.MethodWilson, Interval: results.Interval{Low: low, High: high}}
	}
	for _, e := range []*results.Estimate{&d.Comparisons[0].Open, &d.Comparisons[0].Matured} {
		e.Control.Interval, e.Treatment.Interval = wilson(0.0459, 0.0544), wilson(0.0555, 0.0648)
	}
	d.Comparisons[1].Open.Control.Interval = &results.ArmInterval{Method: results.MethodStudent, Interval: results.Interval{Low: 114.6, High: 121.4}}
	return d
}

// TestArmsAreShown: each arm's mean with its interval, in both forms, and what it is.
func TestArmsAreShown(t *testing.T) {
	d := day()
	d.Experiments[0].Document = armed()
	var page, text bytes.Buffer
	if err := HTML(&page, d); err != nil {
		t.Fatal(err)
	}
	if err := Text(&text, armed()); err != nil {
		t.Fatal(err)
	}
	for form, got := range map[string]string{"page": html.UnescapeString(page.String()), "text": text.String()} {
		for _, want := range []string{"4.59 to 5.44 %", "5.55 to 6.48 %", "115 to 121 ms", armsAbout} {
			if !strings.Contains(got, want) {
				t.Errorf("the %s does not say %q", form, want)
			}
		}
	}
	if got := strings.Count(text.String(), "complete windows\n"); got != 2 {
		t.Errorf("%d arms of complete windows, want those of the goal:\n%s", got, text.String())
	}
}

// TestNothingIsShownTwice: once every window is complete, all units so far are the same.
func TestNothingIsShownTwice(t *testing.T) {
	d := armed()
	rows := func() (of []string) {
		for _, r := range effectRows(d) {
			of = append(of, r.Metric+" "+r.Of)
		}
		return of
	}
	if got := strings.Join(rows(), "; "); got != "conversion goal, so far; conversion goal, complete windows; latency guardrail, so far; revenue goal, so far" {
		t.Error(got)
	}
	d.Comparisons[0].Matured = d.Comparisons[0].Open
	if got := strings.Join(rows(), "; "); got != "conversion goal, complete windows; latency guardrail, so far; revenue goal, so far" {
		t.Error(got)
	}
}

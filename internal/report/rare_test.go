package report

import (
	"bytes"
	"html"
	"math"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

func TestRareRows(t *testing.T) {
	d := &results.Document{Comparisons: []results.Comparison{
		{Metric: "conversion", Arm: "treatment"},
		{Metric: "crashes", Arm: "treatment", Open: results.Estimate{FirstEvents: &results.FirstEvents{
			Treatment: 60, Control: 20, Ratio: 3, Sequential: results.Interval{Low: 1.25, High: results.Number(math.Inf(1))},
			SequentialP: .004, HarmP: .002, Margin: .1,
		}}},
	}}
	rows := rareRows(d)
	if len(rows) != 1 {
		t.Fatalf("%q", rows)
	}
	for _, want := range []string{"crashes\ttreatment\t60\t20\t×3\t×1.25 to ∞", "10 %"} {
		if !strings.Contains(rows[0], want) {
			t.Errorf("%q lacks %q", rows[0], want)
		}
	}
}

// TestSmallCountsAreShown: beside the effect, for one look.
func TestSmallCountsAreShown(t *testing.T) {
	d := slowDocument()
	d.Comparisons = []results.Comparison{{Metric: "errors", Arm: "treatment", Kind: "proportion", Open: results.Estimate{
		Treatment: results.Arm{Units: 34}, SmallCounts: &results.SmallCounts{
			Absolute: results.Interval{Low: 0.02, High: 0.34}, Relative: results.Interval{Low: 0.2, High: results.Number(math.Inf(1))}}}}}
	var text, page bytes.Buffer
	if err := Text(&text, d); err != nil {
		t.Fatal(err)
	}
	d.Comparisons[0].Open.FirstEvents = &results.FirstEvents{Treatment: 34, Control: 12, Ratio: 2.75, Sequential: results.Interval{Low: 1.1, High: 7}, SequentialP: .01, HarmP: .02, Margin: .1}
	if err := HTML(&page, Day{Experiments: []Entry{{Experiment: &experiment.Experiment{Key: "cta"}, Document: d}}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"score intervals for one look", "+2.00 pp to +34.0 pp", "+20.0 % to +∞"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the terminal does not say %q:\n%s", want, text.String())
		}
		if got := html.UnescapeString(page.String()); !strings.Contains(got, want) {
			t.Errorf("the page does not say %q:\n%s", want, got)
		}
	}
	if got := html.UnescapeString(page.String()); !strings.Contains(got, "×2.75") || !strings.Contains(got, "rate ratio") {
		t.Errorf("the page has no count test:\n%s", got)
	}
}

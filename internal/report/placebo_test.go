package report

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestPlacebo: what halves of the control say stands in every form, and a metric that
// finds effects in them is warned of.
func TestPlacebo(t *testing.T) {
	d := document()
	d.Placebo = &results.Placebo{
		At: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Looks: 144, Alpha: 0.05, Splits: 20,
		Metrics: []results.PlaceboMetric{
			{Metric: "errors", Units: 5000, Judged: 20, Ever: []int{1, 2, 3, 4, 5, 9}, P: 0.0003, Suspect: true, Outside: 7, Coverage: 0.65, CoverageBetween: results.Interval{Low: 0.433, High: 0.819}},
			{Metric: "spend", Units: 12345, Judged: 20, Ever: []int{}, P: 1, Outside: 1, Coverage: 0.95, CoverageBetween: results.Interval{Low: 0.764, High: 0.991}},
			{Metric: "young", Ever: []int{}, P: 1, Coverage: results.Number(math.NaN())},
		},
	}
	var text, page strings.Builder
	if err := Text(&text, d); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&page, Day{Experiments: []Entry{{Experiment: &experiment.Experiment{Key: "cta"}, Document: d}}}); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"text": text.String(), "page": page.String()} {
		for _, want := range []string{
			"halved at random 20 times", "after 144 looks", "6 of 20", "7 of 20", "SUSPECT", "12 345", "1 of 20", "no numbers yet",
			"errors: 6 of 20 random halvings of the control differ",
		} {
			if !strings.Contains(strings.ReplaceAll(got, "\u202f", " "), want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
		if strings.Contains(got, "spend: 0 of 20 random halvings") {
			t.Errorf("%s: warns of a metric that is in order", name)
		}
	}
}

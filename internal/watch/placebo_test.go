package watch

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/results"
)

// TestPlaceboGauges: each metric's last placebo is shown, and no longer than it exists.
func TestPlaceboGauges(t *testing.T) {
	r := prometheus.NewRegistry()
	g, err := NewPlaceboGauges(r)
	if err != nil {
		t.Fatal(err)
	}
	a := &results.Placebo{Experiment: "a", Metrics: []results.PlaceboMetric{{Metric: "errors", Ever: []int{3, 7}, Outside: 1, Suspect: true}}}
	b := &results.Placebo{Experiment: "b", Metrics: []results.PlaceboMetric{{Metric: "spend", Outside: 2}}}
	g.Set([]*results.Placebo{a, b})
	want := map[string]float64{
		`assay_placebo_false_alarms{experiment="a",metric="errors"}`: 2, `assay_placebo_outside{experiment="a",metric="errors"}`: 1, `assay_placebo_suspect{experiment="a",metric="errors"}`: 1,
		`assay_placebo_false_alarms{experiment="b",metric="spend"}`: 0, `assay_placebo_outside{experiment="b",metric="spend"}`: 2, `assay_placebo_suspect{experiment="b",metric="spend"}`: 0,
	}
	if diff := cmp.Diff(want, gather(t, r)); diff != "" {
		t.Error(diff)
	}
	g.Set([]*results.Placebo{b})
	maps.DeleteFunc(want, func(name string, _ float64) bool { return strings.Contains(name, `experiment="a"`) })
	if diff := cmp.Diff(want, gather(t, r)); diff != "" {
		t.Error(diff)
	}
}

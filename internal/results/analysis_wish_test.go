package results

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/experiment"
)

func wished() (*experiment.Experiment, *experiment.Iteration) {
	it := &experiment.Iteration{Number: 1, Metrics: []experiment.Metric{
		{Name: "revenue", Event: "buy", Kind: experiment.Sum, Decimals: 2, Cap: &experiment.Cap{At: "250"}}, {Name: "buyers", Event: "buy", Kind: experiment.Proportion}}}
	return &experiment.Experiment{Key: "cta"}, it
}

// TestWish: what people write is the definition that they mean.
func TestWish(t *testing.T) {
	e, it := wished()
	const file = "name: large\nowner: growth\nevent: buy\nkind: count\ndirection: increase\n"
	d, err := AnalysisWish{
		Window: "14d", Cap: "p99", Where: map[string]string{"country": "DE"}, From: "2026-03-01T00:00:00Z", Until: "2026-03-08T01:00:00+01:00",
		Files: []experiment.File{{Name: "large.yaml", Data: []byte(file)}}, Only: []string{"revenue"}, Quantiles: map[string]string{"revenue": "0.9"},
	}.Definition(e, it)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, m := range d.Metrics {
		names = append(names, m.Name)
	}
	if diff := cmp.Diff([]string{"large", "revenue_q0.9"}, names); diff != "" {
		t.Error(diff)
	}
	if q := d.Metrics[1]; q.Kind != experiment.Quantile || q.Quantile != 0.9 || q.Cap != nil || it.Metrics[0].Cap == nil {
		t.Errorf("the quantile is %+v", q)
	}
	d.Metrics = nil
	want := AnalysisDefinition{
		Window: experiment.Duration(14 * 24 * time.Hour), Cap: &experiment.Cap{Percentile: 99}, Where: experiment.Condition{"country": "DE"}, Only: []string{"revenue"},
		From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, d, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Error(diff)
	}
	if d, err := (AnalysisWish{}).Definition(e, it); err != nil || d.Fingerprint() != (AnalysisDefinition{}).Fingerprint() {
		t.Errorf("nothing wished: %+v, %v", d, err)
	}
}

// TestWishUnread: what cannot be read is said, with how to write it.
func TestWishUnread(t *testing.T) {
	e, it := wished()
	for _, w := range []AnalysisWish{
		{Window: "long"}, {Window: "-1d"}, {Window: "0s"}, {Cap: "p100"}, {Cap: "-3"}, {Cap: "NaN"}, {Cap: "1e3"}, {From: "yesterday"}, {Until: "2026-03-01"},
		{Files: []experiment.File{{Name: "m", Data: []byte("name: [")}}},
		{Quantiles: map[string]string{"revenue": "1"}}, {Quantiles: map[string]string{"buyers": "0.5"}}, {Quantiles: map[string]string{"nope": "0.5"}},
	} {
		_, err := w.Definition(e, it)
		if err == nil {
			t.Errorf("%+v was read", w)
			continue
		}
		if hint, ok := err.(interface{ Hint() string }); len(w.Files) == 0 && (!ok || hint.Hint() == "") {
			t.Errorf("%v: nothing says how to write it", err)
		}
	}
}

package privacy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// TestNotice: every stored attribute is there with what uses it, and what is sensitive,
// used and not stored, or too late for consent is found.
func TestNotice(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	e := experiment.Experiment{
		Key: "cta", Owner: "checkout", UnitKind: "device", Consent: experiment.Consent{Require: experiment.RequireGranted},
		Dimensions: []experiment.Dimension{{Attribute: "country"}}, Exclude: []experiment.Condition{{"bot": "true"}}, Covariate: "pre_period + attrs.age",
		Iterations: []experiment.Iteration{{Number: 1, Start: start, Retrospective: true, Metrics: []experiment.Metric{
			{Name: "spend", Event: "buy", Kind: experiment.Mean, Value: "attrs.amount", Where: experiment.Condition{"country": "DE"}},
			{Name: "rate", Kind: experiment.Ratio, Numerator: &experiment.Part{Event: "buy"}, Denominator: &experiment.Part{Event: "view"}},
		}}},
	}
	v := &experiment.Version{Number: 3, Floor: start, Experiments: []experiment.Experiment{e}}
	n := Of(v, &e, Terms{Attributes: []string{"country", "age", "bot", "health"}, Sensitive: []string{"health", "age", "amount"},
		Topics: []string{"assay.exposures"}, DeadLetters: "assay.deadletters", SmallestCell: 10, Backups: 7})
	var got []string
	for _, a := range n.Attributes {
		got = append(got, a.Name+": "+strings.Join(a.Why, "; "))
	}
	want := []string{"age: covariate of the experiment", "amount: value of metric spend", "bot: exclusion of units",
		"country: condition of metric spend; dimension of the results", "health: "}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if len(n.Events) != 2 || n.Events[0].Name != "buy" || !slices.Equal(n.Events[0].Why, []string{"metric rate", "metric spend"}) {
		t.Errorf("%+v", n.Events)
	}
	for _, part := range []string{"health is sensitive and stored, and nothing", "age is sensitive: covariate", "amount is used (value of metric spend) and not on", "iteration 1 began before"} {
		if !slices.ContainsFunc(n.Findings, func(f string) bool { return strings.Contains(f, part) }) {
			t.Errorf("not found: %q in %q", part, n.Findings)
		}
	}
	if len(n.Findings) != 4 || !strings.Contains(n.Population, "device that consented") || n.Consent != "granted" {
		t.Errorf("%+v", n)
	}
	where := func(n Notice, what string) bool {
		return slices.ContainsFunc(n.Kept, func(k Kept) bool { return strings.Contains(k.What+k.Until+k.Where, what) })
	}
	for _, part := range []string{"2026-03-01T12:00:00Z", "times to the minute", "assay.exposures", "assay.deadletters", "7 newer"} {
		if !where(n, part) {
			t.Errorf("nothing says %q", part)
		}
	}
	day := 24 * time.Hour
	for kind, want := range map[string]string{"device": "for 90 days", "all": "for 400 days", "user": "until the floor is moved"} {
		length := map[string]time.Duration{"device": 90 * day, "all": 400 * day, "user": 60 * day}
		n := Of(v, &e, Terms{Retention: map[string]time.Duration{kind: length[kind]}})
		if !where(n, want) || !where(n, "from before 2026-03-01T12:00:00Z") {
			t.Errorf("retention of %s: %+v", kind, n.Kept)
		}
	}
	e.Consent = experiment.Consent{}
	n = Of(&experiment.Version{}, &e, Terms{})
	if where(n, "times to the minute") || where(n, "newer ones") || !where(n, "not been moved") || !strings.Contains(n.Population, "not asked") {
		t.Errorf("%+v", n)
	}
}

package report

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/results"
)

// plannedDocument has a plan with conditions of every state.
func plannedDocument() *results.Document {
	none := results.Number(math.NaN())
	d := familyDocument("bonferroni", results.AdjustedEffect{})
	d.Plan = []results.Plan{
		{For: results.PlanInterval, Metric: "conversion", Arm: "treatment", Method: "welch", Why: "because", Gates: []results.Condition{
			{Code: "events", State: results.NotMet, Text: "no decision counts before", Have: 20, Need: 50, Of: "units with an event", Lift: 12345},
			{Code: "rare", State: results.NotMet, Text: "rare", Have: 0.0042, Need: 0.01, Of: "share"},
			{Code: "quantile_events", State: results.NotMet, Text: "both", Have: none, Need: 35, Of: "events"},
			{Code: "tail", State: results.Assumed, Text: "no cap", Have: none, Need: none},
		}},
		{For: results.PlanSplit, Phase: 3, Method: "srm", Why: "always"},
	}
	return d
}

// TestPlanText: a reader sees the method, its reason, what is lacking, and how many
// units would do.
func TestPlanText(t *testing.T) {
	d := plannedDocument()
	var b bytes.Buffer
	if err := PlanText(&b, d); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"checkout-cta · iteration 2 of 2 · plan of the analysis as of 2026-03-02 10:00:00 UTC\ngoals × arms: 4 comparisons",
		"\ninterval of conversion in treatment: welch\n  because\n",
		"  not met  events           no decision counts before (has 20, needs 50: units with an event); about 12\u202f345 units of both arms would do\n",
		"rare (has 0.00420, needs 0.0100: share)\n", "both (has none, needs 35: events)\n", "  assumed  tail             no cap\n",
		"\nsplit of phase 3: srm\n  always\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the plan does not say %q:\n%s", want, b.String())
		}
	}
	d.Plan = nil
	b.Reset()
	if err := PlanText(&b, d); err != nil || !strings.Contains(b.String(), "asks no question") {
		t.Errorf("%v: %s", err, b.String())
	}
}

// TestPlanOnThePage: one click away, with what is not met told before.
func TestPlanOnThePage(t *testing.T) {
	d := day()
	d.Experiments = d.Experiments[:1]
	d.Experiments[0].Document = plannedDocument()
	var b bytes.Buffer
	if err := HTML(&b, d); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"<details><summary>How each question is answered, why, and on what it rests: 2 questions, 3 conditions are not met</summary>",
		"<h4>interval of conversion in treatment: welch <span class=\"chip warn\">3 not met</span></h4>\n<p>because.</p>",
		`<tr><td class="num warn">not met</td><td class="num dim">events</td><td>no decision counts before (has 20, needs 50: units with an event); about 12` + "\u202f" + `345 units of both arms would do</td></tr>`,
		`<td class="num none">assumed</td>`, "<h4>split of phase 3: srm</h4>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for n, want := range []string{"every condition that can be checked is met", "one condition is not met"} {
		one := &results.Document{Plan: []results.Plan{{Gates: []results.Condition{{State: results.Met}, {State: results.Assumed}}}}}
		for range n {
			one.Plan[0].Gates = append(one.Plan[0].Gates, results.Condition{State: results.NotMet})
		}
		if got := planSummary(one); !strings.HasSuffix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

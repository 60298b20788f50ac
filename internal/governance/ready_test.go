package governance

import (
	"math"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/experiment"
)

// readyText is an experiment with which nothing is wrong.
const readyText = `key: x
owner: growth
objective: sell
hypothesis: a price helps
success_criteria: sales are up
rollback_plan: turn it off
variants: {control: 50%, a: 50%}
control: control
planned_units: 20000
goals: [sales]
dimensions: [{attribute: country, values: [DE]}]
guardrails: [{metric: errors, margin: 0, mode: kill}]
assignment: {system: assay, eligible: [{country: [DE, FR]}]}
iterations: [{start: 2026-03-01, enrol_until: 2026-03-20, end: 2026-04-01}]
`

func applied(t *testing.T, text string) *experiment.Experiment {
	t.Helper()
	v, _, problems := experiment.Apply(nil, parse(t, metricsText, text), day(t, "2026-02-01"), "ada")
	if problems != nil {
		t.Fatal(problems.Err())
	}
	return &v.Experiments[0]
}

// Each item is yes with everything there, and no, or unknown, for its one reason.
func TestReady(t *testing.T) {
	facts := func(t *testing.T, text string) Facts {
		return Facts{
			Experiment: applied(t, text), At: day(t, "2026-02-20"), Lift: .05, Target: .8,
			Seen:   map[string]Seen{"purchase": {Count: 3}, "error": {Count: 1}},
			Trials: []Trial{{}}, Powers: []Power{{"sales", "a", .83}},
		}
	}
	all := func(items []Item) map[string]Item {
		out := map[string]Item{}
		for _, i := range items {
			out[i.Name] = i
		}
		return out
	}
	for _, i := range Ready(facts(t, readyText)) {
		if i.Ready != Yes || i.Do != "" {
			t.Errorf("nothing is wrong: %+v", i)
		}
	}
	other := func(pairs ...string) func(*testing.T, *Facts) {
		return func(t *testing.T, f *Facts) {
			f.Others = []experiment.Experiment{*f.Experiment, *applied(t, edit(t, readyText, append([]string{"key: x", "key: y"}, pairs...)...))}
		}
	}
	for _, c := range []struct {
		name  string
		text  string
		with  func(*testing.T, *Facts)
		item  string
		ready Answer
		says  string
	}{
		{"no hypothesis", edit(t, readyText, "hypothesis: a price helps\n", ""), nil, "story", No, "hypothesis"},
		{"over", readyText, func(t *testing.T, f *Facts) { f.At = day(t, "2026-04-01") }, "end", No, "ended at"},
		{"a silent event", readyText, func(_ *testing.T, f *Facts) { delete(f.Seen, "error") }, "data", No, "error"},
		{"events not looked at", readyText, func(_ *testing.T, f *Facts) { f.Seen = nil }, "data", Unknown, ""},
		{"no guardrail", edit(t, readyText, "guardrails: [{metric: errors, margin: 0, mode: kill}]\n", ""), nil, "guardrails", No, "nothing would stop it"},
		{"no switch", edit(t, readyText, "assignment: {system: assay, eligible: [{country: [DE, FR]}]}\n", "", "mode: kill", "mode: notify"), nil, "kill switch", No, "none is named"},
		{"a refused token", readyText, func(_ *testing.T, f *Facts) {
			f.Trials = []Trial{{}, {Arm: "a", Trouble: "401", Remedy: "renew it"}}
		}, "kill switch", No, "turning arm a off would fail: 401"},
		{"a switch without a ramp", readyText, func(_ *testing.T, f *Facts) {
			f.Trials = []Trial{{}, {Ramp: true, Trouble: "it has none"}}
		}, "kill switch", No, "its ramp would be held: it has none"},
		{"a switch that is not here", readyText, func(_ *testing.T, f *Facts) { f.Trials = nil }, "kill switch", Unknown, ""},
		{"too few units", readyText, func(_ *testing.T, f *Facts) { f.Powers[0].At = .61 }, "power", No, "sales in a with 61%"},
		{"no spread", readyText, func(_ *testing.T, f *Facts) { f.Powers[0].At = math.NaN() }, "power", Unknown, "sales in a"},
		{"the same people", readyText, other(), "audience", No, "y"},
		{"other people", readyText, other("[DE, FR]", "[NO]"), "audience", Yes, "no other"},
		{"at another time", readyText, other("start: 2026-03-01, enrol_until: 2026-03-20, end: 2026-04-01", "start: 2026-04-01, enrol_until: 2026-05-01, end: 2026-05-01"), "audience", Yes, "no other"},
		{"other units", readyText, other("owner: growth", "owner: growth\nunit_kind: device"), "audience", Yes, "no other"},
		{"assigned elsewhere", readyText, other("assignment: {system: assay, eligible: [{country: [DE, FR]}]}\n", "kill_switch: f\n"), "audience", Unknown, "y"},
		{"a sensitive attribute", readyText, func(_ *testing.T, f *Facts) { f.Sensitive = []string{"age", "country"} }, "privacy", No, "it reads country"},
		{"reviewed", edit(t, readyText, "owner: growth", "owner: growth\nprivacy_review: dpo, 2026-02-01"), func(_ *testing.T, f *Facts) { f.Sensitive = []string{"country"} }, "privacy", Yes, "dpo, 2026-02-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := facts(t, c.text)
			if c.with != nil {
				c.with(t, &f)
			}
			got := all(Ready(f))
			if i := got[c.item]; i.Ready != c.ready || !strings.Contains(i.Text, c.says) || i.Ready == No && i.Do == "" && c.item != "kill switch" {
				t.Errorf("%+v, want %s: %s", i, c.ready, c.says)
			}
			for name, i := range got {
				if name != c.item && i.Ready == No && c.name != "no switch" {
					t.Errorf("%s too: %+v", name, i)
				}
			}
		})
	}
}

// Parts of one group that do not meet are apart, those that do are not.
func TestApart(t *testing.T) {
	group := func(name string, from, to uint32) *experiment.Assignment {
		return &experiment.Assignment{System: experiment.Assay, Group: &experiment.GroupRange{Name: name, From: from, To: to}}
	}
	for _, c := range []struct {
		a, b *experiment.Assignment
		want bool
	}{
		{group("g", 0, 5), group("g", 5, 9), true},
		{group("g", 0, 6), group("g", 5, 9), false},
		{group("g", 0, 5), group("h", 5, 9), false},
		{group("g", 0, 5), &experiment.Assignment{System: experiment.Unleash}, false},
		{nil, nil, false},
	} {
		if got := apart(c.a, c.b); got != c.want || apart(c.b, c.a) != c.want {
			t.Errorf("%+v and %+v: %v", c.a, c.b, got)
		}
	}
}

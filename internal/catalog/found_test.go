package catalog

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// foundWorld are three experiments: one was better by a tenth and shipped nobody knows
// what, one was killed for harm, one showed nothing.
func foundWorld() (all []Found) {
	march := func(day int) time.Time { return time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC) }
	add := func(key, owner, hypothesis string, end int, killed bool, lift float64, notes ...string) {
		e := &experiment.Experiment{Key: key, Owner: owner, Hypothesis: hypothesis}
		it := &experiment.Iteration{Number: 1, Start: march(1), EnrolUntil: march(end), End: march(end)}
		d := &results.Document{Experiment: key, Iteration: 1, At: march(end), Start: it.Start, End: it.End}
		if killed {
			it.Killed = &experiment.Killed{At: march(end)}
			d.Killed = &results.Killed{Reason: "harm"}
		}
		n := func(x float64) results.Number { return results.Number(x) }
		effect := func(x float64) results.Effect {
			return results.Effect{Estimate: n(x), StdError: .01, Sequential: results.Interval{Low: n(x - .03), High: n(x + .03)}, Fixed: results.Interval{Low: n(x - .02), High: n(x + .02)}}
		}
		none := results.Effect{Estimate: n(math.NaN()), Sequential: results.Interval{Low: n(math.NaN()), High: n(math.NaN())}}
		d.Comparisons = []results.Comparison{
			{Metric: "sales", Arm: "a", Kind: "mean", Direction: "increase", Goal: true, Matured: results.Estimate{Absolute: effect(lift), Relative: effect(lift)}},
			{Metric: "errors", Arm: "a", Kind: "mean", Direction: "decrease", Guardrail: true, Matured: results.Estimate{Absolute: effect(.01), Relative: none}},
			{Metric: "calls", Arm: "a", Kind: "mean", Direction: "decrease", Matured: results.Estimate{Absolute: none, Relative: none}, Open: results.Estimate{Absolute: none, Relative: none}},
		}
		all = append(all, FoundIn(Subject{Experiment: e, Iteration: it, Document: d, Now: march(30)}, notes)...)
	}
	add("button", "growth", "a larger button is seen", 10, false, .1)
	add("price", "brand", "a lower price", 12, true, -.2, "the campaign was on")
	add("banner", "brand", "", 8, false, .01)
	return all
}

// TestFindPast: by metric, by what was shown and how large it was, by how it ended, by
// what people wrote; in either order, page by page.
func TestFindPast(t *testing.T) {
	all := foundWorld()
	for name, c := range map[string]struct {
		q    FoundQuery
		want []string
	}{
		"everything that has a number": {FoundQuery{}, []string{"price/1/errors/a", "price/1/sales/a", "button/1/errors/a", "button/1/sales/a", "banner/1/errors/a", "banner/1/sales/a"}},
		"a metric, the largest first":  {FoundQuery{Metric: "sales", Sort: BySize}, []string{"price/1/sales/a", "button/1/sales/a", "banner/1/sales/a"}},
		"goals":                        {FoundQuery{Goals: true}, []string{"price/1/sales/a", "button/1/sales/a", "banner/1/sales/a"}},
		"better":                       {FoundQuery{Shown: []Shown{Better}}, []string{"button/1/sales/a"}},
		"worse":                        {FoundQuery{Shown: []Shown{Worse}}, []string{"price/1/sales/a"}},
		"nothing":                      {FoundQuery{Metric: "sales", Shown: []Shown{Nothing}}, []string{"banner/1/sales/a"}},
		"large":                        {FoundQuery{Least: .05}, []string{"price/1/sales/a", "button/1/sales/a"}},
		"neither large nor tiny":       {FoundQuery{Least: .05, Most: .15}, []string{"button/1/sales/a"}},
		"killed":                       {FoundQuery{State: []State{Killed}, Goals: true}, []string{"price/1/sales/a"}},
		"told to stop":                 {FoundQuery{Call: []Call{Stop}, Goals: true}, []string{"price/1/sales/a"}},
		"a note":                       {FoundQuery{Text: "Campaign", Goals: true}, []string{"price/1/sales/a"}},
		"a hypothesis":                 {FoundQuery{Text: "LARGER", Goals: true}, []string{"button/1/sales/a"}},
		"an owner":                     {FoundQuery{Owner: "brand", Goals: true}, []string{"price/1/sales/a", "banner/1/sales/a"}},
		"the second page":              {FoundQuery{Goals: true, After: "price/1/sales/a", Limit: 1}, []string{"button/1/sales/a"}},
		"nobody":                       {FoundQuery{Metric: "sale"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			page := FindPast(all, c.q)
			for i := range page.Effects {
				got = append(got, page.Effects[i].id())
			}
			if !slices.Equal(got, c.want) || page.Of < len(got) {
				t.Errorf("got %q of %d, want %q", got, page.Of, c.want)
			}
		})
	}
	if p := FindPast(all, FoundQuery{Goals: true, Limit: 2}); p.Next != "button/1/sales/a" || p.Of != 3 {
		t.Errorf("%q of %d", p.Next, p.Of)
	}
	if got := FoundIn(Subject{Experiment: &experiment.Experiment{}, Iteration: &experiment.Iteration{}}, nil); got != nil {
		t.Errorf("nobody looked: %+v", got)
	}
}

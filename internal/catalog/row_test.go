package catalog

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestRow: a list tells where an experiment stands, and its primary goal with the
// interval.
func TestRow(t *testing.T) {
	s := subject()
	got := RowOf(s, "l1")
	want := Row{
		Key: "checkout-cta", Owner: "ada", Objective: "More orders", Iteration: 1, Iterations: 1, State: Running,
		Start: start, EnrolUntil: s.Iteration.EnrolUntil, End: s.Iteration.End,
		Health: Healthy, Why: "Every guardrail is shown to be healthy.", Verdict: "healthy", Call: Ship, Text: got.Text,
		Look: "l1", At: looked, Freshness: looked.Add(-time.Second), Newest: looked.Add(-time.Second), Version: 3,
		Units: 10010, Planned: 40000, Arms: []string{"control", "treatment"},
		Main: &Effect{
			Metric: "conversion", Arm: "treatment", Kind: "proportion", Direction: "increase", Basis: EveryLook, Complete: true, At: looked,
			Units: Units{5000, 5010}, Relative: Within{0.19, 0.07, 0.31}, Absolute: Within{0.19, 0.07, 0.31}, P: 0.02, Tone: Good,
			Text: "+19.0 %, +7.00 % to +31.0 %",
		},
	}
	near := cmp.Comparer(func(a, b results.Number) bool { return a.Equal(b) || (a-b)*(a-b) < 1e-20 })
	if d := cmp.Diff(want, got, near); d != "" {
		t.Error(d)
	}
}

// TestMainEffect: the primary goal, within its family where it is in one, of an arm that
// is on.
func TestMainEffect(t *testing.T) {
	s := subject(func(s *Subject) {
		c := s.Document.Comparisons[0]
		c.Metric, c.Adjusted = "revenue", &results.Adjusted{Sequential: results.AdjustedEffect{P: 0.04, Rejected: true, Relative: results.Interval{Low: 0, High: 0.38}}}
		s.Document.Comparisons = append(s.Document.Comparisons, c)
		s.Experiment.Goals = []string{"conversion", "revenue"}
		s.Experiment.Families.Primary = "revenue"
		s.Iteration.Metrics = append(s.Iteration.Metrics, experiment.Metric{Name: "revenue"})
	})
	if m := RowOf(s, "").Main; m == nil || m.Metric != "revenue" || m.Basis != OfFamily || m.Relative.High != 0.38 || m.P != 0.04 {
		t.Errorf("main effect %+v", m)
	}
	s.Document.ArmKills = []results.Kill{{Arm: "treatment", ReadBackAt: looked}}
	if m := RowOf(s, "").Main; m != nil {
		t.Errorf("main effect of an arm that is off: %+v", m)
	}
}

// TestStates: an iteration through its life.
func TestStates(t *testing.T) {
	s := subject()
	it := s.Iteration
	for _, c := range []struct {
		at   time.Time
		want State
	}{
		{start.Add(-time.Second), Scheduled}, {start, Running}, {it.EnrolUntil, Maturing}, {it.End, Ended},
	} {
		if got := StateOf(it, c.at); got != c.want {
			t.Errorf("at %s: %s, want %s", c.at, got, c.want)
		}
	}
	it.Killed = &experiment.Killed{}
	if got := StateOf(it, start); got != Killed {
		t.Errorf("%s, want killed", got)
	}
}

// TestPages: all rows come once, in order, whatever the size of the pages.
func TestPages(t *testing.T) {
	var rows []Row
	for i := range 25 {
		rows = append(rows, Row{
			Key: fmt.Sprintf("e%02d", (i*7)%25), Owner: []string{"ada", "bob"}[i%2], Health: Fitnesses()[i%len(Fitnesses())],
			State: States()[i%5], Start: start.Add(time.Duration(i) * time.Hour), Hypothesis: []string{"Faster", "Cheaper"}[i%2],
		})
	}
	for _, order := range []Order{"", ByKey, ByHealth, ByStart} {
		var all []Row
		for q := (Query{Sort: order, Limit: 4}); ; {
			page := Find(rows, q)
			all = append(all, page.Rows...)
			if page.Of != len(rows) || len(page.Rows) > 4 {
				t.Fatalf("%s: %d rows of %d", order, len(page.Rows), page.Of)
			}
			if q.After = page.Next; page.Next == "" {
				break
			}
		}
		if d := cmp.Diff(Find(rows, Query{Sort: order}).Rows, all); d != "" {
			t.Errorf("%s: %s", order, d)
		}
	}
	for _, c := range []struct {
		q    Query
		want int
	}{
		{Query{Owner: "ada"}, 13}, {Query{Text: "FASTER"}, 13}, {Query{Text: "e01"}, 1}, {Query{State: []State{Killed, Running}}, 10},
		{Query{Health: []Fitness{Breached}}, 3}, {Query{Call: []Call{Ship}}, 0}, {Query{Owner: "ada", Text: "cheaper"}, 0},
	} {
		if got := Find(rows, c.q).Of; got != c.want {
			t.Errorf("%+v finds %d, want %d", c.q, got, c.want)
		}
	}
	gravest := Find(rows, Query{Sort: ByHealth}).Rows
	if !slices.IsSortedFunc(gravest, func(a, b Row) int {
		return slices.Index(Fitnesses(), a.Health) - slices.Index(Fitnesses(), b.Health)
	}) || gravest[0].Health != Breached {
		t.Error("the gravest do not come first")
	}
}

// TestHealth: the state of the data is the gravest of what is wrong, and each is named.
func TestHealth(t *testing.T) {
	ok := results.ShardStatus{Shard: 1, State: "ok", Freshness: looked.Add(-3 * time.Second), At: looked.Add(-time.Second)}
	silent, stuck := ok, ok
	silent.At = looked.Add(-time.Minute)
	stuck.State, stuck.Detail = "gap", "offset 17 is gone"
	for _, c := range []struct {
		shard results.ShardStatus
		also  func(*Health)
		state string
		why   []string
	}{
		{ok, nil, OK, []string{}},
		{silent, nil, Stopped, []string{"shard 1: nobody has reported for 1m0s"}},
		{stuck, nil, Stopped, []string{"shard 1: gap offset 17 is gone"}},
		{ok, func(h *Health) { h.Reconciliation.Difference = -2 }, Stopped, []string{"-2 offsets are unaccounted for"}},
		{ok, func(h *Health) { h.Gaps = []Gap{{Text: "12 records"}} }, Doubted, []string{"12 records"}},
		{stuck, func(h *Health) { h.Placebos = []Placebo{{Experiment: "e", Suspect: []string{"revenue"}}} }, Stopped,
			[]string{"shard 1: gap offset 17 is gone", "e: random halves of the control differ in revenue by more than chance explains"}},
	} {
		h := Health{At: looked, Shards: []Shard{ShardOf(c.shard, looked)}}
		if h.Shards[0].Lag != 3 {
			t.Errorf("lag %v", h.Shards[0].Lag)
		}
		if c.also != nil {
			c.also(&h)
		}
		if h.Judge(); h.State != c.state || !slices.Equal(h.Why, c.why) {
			t.Errorf("%s %q, want %s %q", h.State, h.Why, c.state, c.why)
		}
	}
	h := Health{At: looked}
	if h.Judge(); h.State != Stopped {
		t.Errorf("without a shard: %s", h.State)
	}
}

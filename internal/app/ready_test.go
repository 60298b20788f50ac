package app

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/planning"
)

// TestReady: of an experiment that was never applied, on a real engine: events that are
// stored, a switch that is tried, power from what is given.
func TestReady(t *testing.T) {
	s := newStack(t)
	now := time.Now()
	files := []experiment.File{
		{Name: "metrics/m.yaml", Data: []byte("name: m\nowner: o\nevent: e\nkind: proportion\ndirection: increase\n")},
		{Name: "experiments/x.yaml", Data: []byte(`key: x
owner: growth
objective: sell
hypothesis: h
success_criteria: s
rollback_plan: r
variants: {control: 50%, a: 50%}
control: control
planned_units: 100000
goals: [m]
guardrails: [{metric: m, margin: 20%, mode: notify}]
assignment: {system: assay}
`)},
	}
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	ask := func(mean float64) map[string]governance.Item {
		t.Helper()
		q := ReadyQuestion{Key: "x", Power: planning.Question{Lift: .05, Power: .8}}
		if mean > 0 {
			q.Given = map[string]planning.Given{"m": {Mean: mean}}
		}
		r, err := s.Ready(t.Context(), set, q, now)
		if err != nil {
			t.Fatal(err)
		}
		out, ready := map[string]governance.Item{}, true
		for _, i := range r.Items {
			out[i.Name] = i
			ready = ready && i.Ready != governance.No
		}
		if ready != r.Ready {
			t.Errorf("ready %v of %+v", r.Ready, r.Items)
		}
		return out
	}
	if i := ask(0); i["data"].Ready != governance.No || i["power"].Ready != governance.Unknown || i["kill switch"].Ready == governance.Unknown {
		t.Errorf("nothing was ever sent: %+v", i)
	}
	event := ingest.Event{Type: ingest.Outcome, T: now.Add(-time.Hour).UnixMilli(), KafkaT: now.UnixMilli(), Unit: ingest.Unit{Lo: 1}, UnitKind: "user", Name: "e"}
	if err := s.DB.AppendEvents(t.Context(), 0, []string{"assay.outcomes"}, []ingest.Event{event}, nil); err != nil {
		t.Fatal(err)
	}
	if i := ask(.2); i["data"].Ready != governance.Yes || i["power"].Ready != governance.Yes {
		t.Errorf("an event came, and a fifth converts: %+v", i)
	}
	if i := ask(.001); i["power"].Ready != governance.No {
		t.Errorf("one in a thousand converts: %+v", i["power"])
	}
	if _, err := s.Ready(t.Context(), set, ReadyQuestion{Key: "y"}, now); err == nil {
		t.Error("an experiment without a file")
	}
}

// TestReadinessOfWhatIsInForce: the pages and the API ask of what was applied; within a
// minute the same question has the same answer, and another version another one.
func TestReadinessOfWhatIsInForce(t *testing.T) {
	s := newStack(t)
	now := time.Now()
	apply := func(more string, at time.Time) {
		t.Helper()
		set, problems := experiment.Parse([]experiment.File{
			{Name: "m.yaml", Data: []byte("name: m\nowner: o\nevent: e\nkind: proportion\ndirection: increase\n")},
			{Name: "x.yaml", Data: []byte("key: x\nowner: growth\nvariants: {control: 50%, a: 50%}\ncontrol: control\nplanned_units: 1000\ngoals: [m]\nkill_switch: elsewhere\n" + more)}})
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Apply(t.Context(), set, "ada", func() time.Time { return at }); err != nil {
			t.Fatal(err)
		}
	}
	apply("", now)
	c := s.NewCatalog()
	ask := func() (governance.Readiness, map[string]governance.Answer) {
		t.Helper()
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, err := c.Readiness(t.Context(), "x", .05, .8)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]governance.Answer{}
		for _, i := range r.Items {
			out[i.Name] = i.Ready
		}
		return r, out
	}
	first, items := ask()
	if first.Ready || items["story"] != governance.No || items["kill switch"] != governance.Unknown {
		t.Errorf("%+v", first)
	}
	if again, _ := ask(); !again.At.Equal(first.At) {
		t.Error("computed twice within a minute")
	}
	apply("objective: o\nhypothesis: h\nsuccess_criteria: s\nrollback_plan: r\n", now.Add(time.Second))
	if _, items := ask(); items["story"] != governance.Yes {
		t.Errorf("of the version before: %v", items)
	}
	w, err := c.Writeup(t.Context(), "x")
	if err != nil || w.Hypothesis != "h" || len(w.Arms) != 2 || w.Iterations == nil {
		t.Errorf("%+v, %v", w, err)
	}
	if _, err := c.Writeup(t.Context(), "y"); err == nil {
		t.Error("a write-up of nothing")
	}
}

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

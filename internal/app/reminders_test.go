package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/watch"
)

// heard takes alerts down.
type heard struct{ all []watch.Alert }

func (h *heard) Notify(a watch.Alert) { h.all = append(h.all, a) }

func (h *heard) take() (out []string) {
	for _, a := range h.all {
		state := "due "
		if a.Resolved {
			state = "over "
		}
		out = append(out, state+a.Reason+" "+a.Key)
	}
	h.all = nil
	return out
}

// TestReminders: on a real engine, an experiment ends and stays on; people are told once,
// it is reported, then held, and a note ends all of that.
func TestReminders(t *testing.T) {
	s := newStack(t)
	began := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return began.AddDate(0, 0, n-1) }
	set, problems := experiment.Parse([]experiment.File{
		{Name: "m.yaml", Data: []byte("name: m\nowner: o\nevent: e\nkind: mean\ndirection: increase\n")},
		{Name: "x.yaml", Data: []byte("key: x\nowner: growth\nvariants: {control: 50%, a: 50%}\ncontrol: control\ngoals: [m]\nwindow: 1d\nreviews: [2026-03-04]\nstop_when: {units: 10}\nstale: {after: 3d, hold: 4d}\niterations: [{end: 2026-03-11}]\n")},
		{Name: "y.yaml", Data: []byte("key: y\nowner: growth\nvariants: {control: 50%, a: 50%}\ncontrol: control\ngoals: [m]\niterations: [{end: 2026-03-11}]\n")},
	})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), set, "ada", func() time.Time { return began }); err != nil {
		t.Fatal(err)
	}
	v, err := s.DB.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	look := func(at time.Time, units int64) {
		t.Helper()
		if err := s.storeLook(t.Context(), &results.Document{
			Experiment: "x", Iteration: 1, Control: "control", Kind: results.KindFull, At: at, Version: v.Number, Vector: map[uint16]uint64{0: 1}, Newest: at,
			Phases: []results.Phase{{Number: 1, Arms: []results.PhaseArm{{Variant: "control", Units: units}}}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	people, registry, now := &heard{}, prometheus.NewRegistry(), time.Time{}
	r, err := newReminders(s, people, registry)
	if err != nil {
		t.Fatal(err)
	}
	r.now = func() time.Time { return now }
	round := func(at time.Time, want ...string) {
		t.Helper()
		now = at
		if err := r.round(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := people.take(); !slices.Equal(got, want) {
			t.Errorf("%s: told %q, want %q", at, got, want)
		}
	}
	if x, y := r.Held(v.Find("x")), r.Held(v.Find("y")); x == "" || y != "" {
		t.Errorf("before the first round: %q, %q", x, y)
	}
	look(day(2), 9)
	round(day(2))
	if why := r.Held(v.Find("x")); why != "" {
		t.Errorf("after it: %q", why)
	}
	look(day(3), 10)
	round(day(3), "due reminder reminder/x/1/units")
	round(day(3).Add(time.Minute))
	look(day(5), 10)
	round(day(5), "due reminder reminder/x/1/review")
	if all, err := registry.Gather(); err != nil || len(all) != 1 || len(all[0].GetMetric()) != 2 {
		t.Errorf("the metric says %v, %v", all, err)
	}
	note := func(at time.Time) {
		t.Helper()
		last, head, err := s.DB.LastDecision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (journal{s.DB}).Append(t.Context(), guardrails.Entry{Seq: last + 1, At: at, Kind: guardrails.Noted, Experiment: "x", Iteration: 1, Actor: "ada", Text: "looked"}, head); err != nil {
			t.Fatal(err)
		}
	}
	note(day(6))
	look(day(6), 10)
	round(day(6).Add(time.Hour), "over reminder reminder/x/1/review")
	look(day(11).Add(time.Hour), 10)
	round(day(12), "over reminder reminder/x/1/units")

	// Three days after the end units are still exposed.
	row := ingest.Row{Cell: ingest.Cell{Experiment: "x", Metric: ingest.Outside, Variant: "a"}, Delta: ingest.Delta{N: 1, Newest: day(18).Add(-time.Hour).UnixMilli()}}
	part := ingest.Part{Shard: 0, Seq: 1, Config: v.Number, Rows: []ingest.Row{row}, Offsets: []ingest.Counts{{Topic: 0, From: 0, Next: 1, Accepted: 1}}}
	if a, err := s.DB.AppendPart(t.Context(), []clickhouse.Topic{{Name: "exposures"}}, part); err != nil || a != clickhouse.Committed {
		t.Fatal(a, err)
	}
	round(day(18), "due reminder reminder/x/1/left_on", "due reminder reminder/x/1/held")
	if why := r.Held(v.Find("x")); !strings.Contains(why, "held: ramps wait") || r.Held(v.Find("y")) != "" {
		t.Errorf("held %q", why)
	}
	grown, problems := experiment.Parse([]experiment.File{
		{Name: "m.yaml", Data: []byte("name: m\nowner: o\nevent: e\nkind: mean\ndirection: increase\n")},
		{Name: "x.yaml", Data: []byte("key: x\nowner: growth\nvariants: {control: 50%, a: 50%}\ncontrol: control\ngoals: [m]\nwindow: 1d\nreviews: [2026-03-04]\nstop_when: {units: 10}\nstale: {after: 3d, hold: 4d}\niterations: [{end: 2026-03-11}, {start: 2026-04-01}]\n")},
	})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	at18 := func() time.Time { return day(18) }
	done, err := s.Apply(t.Context(), grown, "ada", at18)
	if err != nil || len(done.Held) != 1 || done.Held[0].Class != governance.Grow || !strings.Contains(done.Held[0].Why, "units are still exposed") {
		t.Fatalf("another iteration of it: %v %+v", err, done)
	}
	catalog := s.NewCatalog()
	catalog.now = at18
	if err := catalog.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := catalog.Rows(t.Context())
	if err != nil || len(rows) == 0 || len(rows[0].Due) != 2 || rows[0].Due[1].What != governance.Hold {
		t.Errorf("the list: %+v, %v", rows, err)
	}
	detail, err := catalog.Detail(t.Context(), "x", 0)
	if err != nil || len(detail.Row.Due) != 2 || !strings.Contains(detail.Tag, "left_on,held") {
		t.Errorf("the page: %+v %q, %v", detail.Row.Due, detail.Tag, err)
	}
	note(day(18))
	round(day(18).Add(time.Minute), "over reminder reminder/x/1/held", "over reminder reminder/x/1/left_on")
	if done, err := s.Apply(t.Context(), grown, "ada", func() time.Time { return day(18).Add(time.Hour) }); err != nil || len(done.Held) != 0 {
		t.Errorf("after the note: %v %+v", err, done)
	}

	// A guard that begins finds what is open, and says that it may have been told.
	again, err := newReminders(s, people, nil)
	if err != nil {
		t.Fatal(err)
	}
	again.now = func() time.Time { return day(5) }
	if err := again.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, a := range people.all {
		if !a.Repeat {
			t.Errorf("%s is no news", a.Key)
		}
	}
}

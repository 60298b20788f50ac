package app

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestFindPast: on a real engine, an iteration that is over and the one that runs are
// both found, each by its last look, and experiments whose file is gone too.
func TestFindPast(t *testing.T) {
	s := newStack(t)
	began := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	apply := func(at time.Time, more ...experiment.File) *experiment.Version {
		t.Helper()
		set, problems := experiment.Parse(append(more, experiment.File{Name: "m.yaml", Data: []byte("name: m\nowner: o\nevent: e\nkind: mean\ndirection: increase\n")}))
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Apply(t.Context(), set, "ada", func() time.Time { return at }); err != nil {
			t.Fatal(err)
		}
		v, err := s.DB.Version(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return &v
	}
	file := func(key, iterations string) experiment.File {
		return experiment.File{Name: key + ".yaml", Data: []byte("key: " + key + "\nowner: growth\nhypothesis: of " + key + "\nvariants: {control: 50%, a: 50%}\ncontrol: control\ngoals: [m]\nwindow: 1d\niterations: " + iterations + "\n")}
	}
	apply(began, file("x", "[{end: 2026-03-11}]"), file("gone", "[{end: 2026-03-11}]"))
	v := apply(began.AddDate(0, 0, 30), file("x", "[{end: 2026-03-11}, {start: 2026-03-31}]"))
	look := func(key string, number uint32, estimate float64) {
		t.Helper()
		it := v.Find(key).Iteration(number)
		at := it.End.Add(time.Hour)
		effect := results.Effect{Estimate: results.Number(estimate), StdError: .01, Sequential: results.Interval{Low: results.Number(estimate - .03), High: results.Number(estimate + .03)}}
		if err := s.storeLook(t.Context(), &results.Document{
			Experiment: key, Iteration: number, Control: "control", Kind: results.KindFull, At: at, Version: v.Number, Vector: map[uint16]uint64{0: 1}, Start: it.Start, End: it.End,
			Comparisons: []results.Comparison{{Metric: "m", Arm: "a", Kind: "mean", Direction: "increase", Goal: true, Matured: results.Estimate{Absolute: effect, Relative: effect}}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	look("x", 1, .1)
	look("gone", 1, -.2)
	look("x", 2, .01)
	c := s.NewCatalog()
	c.now = func() time.Time { return began.AddDate(0, 2, 0) }
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from what is held
		all, err := c.FindPast(t.Context(), catalog.FoundQuery{Sort: catalog.BySize})
		if err != nil || all.Of != 3 || all.Effects[0].Experiment != "gone" || all.Effects[1].Iteration != 1 || all.Effects[1].Shows() != catalog.Better || all.Effects[2].Iteration != 2 || all.Effects[2].Shows() != catalog.Nothing {
			t.Fatalf("%+v %v", all, err)
		}
	}
	if found, err := s.FindPast(t.Context(), catalog.FoundQuery{Text: "of gone", Shown: []catalog.Shown{catalog.Worse}}); err != nil || found.Of != 1 || found.Effects[0].Owner != "growth" || found.Effects[0].State != catalog.Ended {
		t.Errorf("%+v %v", found, err)
	}
}

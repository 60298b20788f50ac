package watch

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/guardrails"
)

// overloaded is a world that is counted six minutes late, with a plan for that.
func overloaded(keep ...float64) (*world, Config) {
	w := newWorld(checkout())
	w.fresh = 6 * time.Minute
	c := seldom()
	c.Shed = guardrails.ShedPlan{Keep: keep, Lag: 5 * time.Minute, For: 10 * time.Minute}
	return w, c
}

// TestShedsByPlan: one step after another, each when counting has been behind for its
// time, each a version with a phase, a line that replays, and an alert; none after the
// last. When a person ends it, people are told too.
func TestShedsByPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := overloaded(.5, .25)
		w.run(t, c, 0, 9*time.Minute)
		if len(w.versions) != 1 {
			t.Fatalf("before its time: %d versions", len(w.versions))
		}
		w.run(t, c, 0, 2*time.Hour)
		if len(w.versions) != 3 || w.kinds()[guardrails.LoadShed] != 2 {
			t.Fatalf("%d versions, %v", len(w.versions), w.kinds())
		}
		v := w.newestVersion()
		if len(v.Sheds) != 2 || v.Sheds[0].Keep != .5 || v.Sheds[1].Keep != .25 || v.Author != "guard" {
			t.Errorf("by %s: %+v", v.Author, v.Sheds)
		}
		if apart := v.Sheds[1].From.Sub(v.Sheds[0].From); apart < 11*time.Minute {
			t.Errorf("the second step came %s after the first: its time begins when that is in force", apart)
		}
		if it := v.Experiments[0].Latest(); len(it.Phases) != 3 {
			t.Errorf("phases %+v", it.Phases)
		}
		for _, e := range w.entries {
			var evidence guardrails.ShedEvidence
			if e.Kind != guardrails.LoadShed {
				continue
			}
			if err := json.Unmarshal(e.Evidence, &evidence); err != nil {
				t.Fatal(err)
			}
			if _, step := evidence.Plan.Step(evidence.Overload, evidence.Now, e.Shed.Was); step == nil || *step != *e.Shed || !strings.Contains(e.Text, "6m0s behind") {
				t.Errorf("decided again: %+v; %s", step, e.Text)
			}
		}
		told := 0
		for _, a := range w.alerts {
			if a.Key == shedKey && a.Page && !a.Resolved {
				told++
			}
		}
		if told != 2 {
			t.Errorf("people were told %d times: %+v", told, w.alerts)
		}
		end, err := v.Shedding(1, "over", "ada", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		w.versions, w.fresh = append(w.versions, *end), 0
		w.run(t, c, 0, time.Minute)
		if !slices.ContainsFunc(w.alerts, func(a Alert) bool { return a.Key == shedKey && a.Resolved }) {
			t.Error("nobody was told that it is over")
		}
	})
}

// TestShedsNothing: without a plan, while automatic acts are stopped, when a consumer
// stands still, and while what an outage left is worked off.
func TestShedsNothing(t *testing.T) {
	for name, spoil := range map[string]func(*world, *Config){
		"no plan":        func(_ *world, c *Config) { c.Shed = guardrails.ShedPlan{} },
		"only observing": func(_ *world, c *Config) { c.Limits.GlobalStop = true },
		"a gap":          func(w *world, _ *Config) { w.state = "gap" },
		"in time":        func(w *world, _ *Config) { w.fresh = 4 * time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, c := overloaded(.5)
				spoil(w, &c)
				w.run(t, c, 0, time.Hour)
				if len(w.versions) != 1 || w.kinds()[guardrails.LoadShed] != 0 {
					t.Errorf("%d versions, %v", len(w.versions), w.kinds())
				}
			})
		})
	}
}

// TestShedsOnceWhereverItDies: a guard dies at each operation of a step, and the next one
// finds it where it stands.
func TestShedsOnceWhereverItDies(t *testing.T) {
	var points int
	synctest.Test(t, func(t *testing.T) {
		w, c := overloaded(.5)
		w.run(t, c, 0, 9*time.Minute)
		points = w.run(t, c, 0, 20*time.Minute)
	})
	for dieAt := 1; dieAt <= points; dieAt++ {
		synctest.Test(t, func(t *testing.T) {
			w, c := overloaded(.5)
			w.run(t, c, dieAt, 20*time.Minute)
			c.Instance = "another"
			w.run(t, c, 0, 20*time.Minute)
			if len(w.versions) != 2 || w.kinds()[guardrails.LoadShed] != 1 {
				t.Errorf("died at %d: %d versions, %v", dieAt, len(w.versions), w.kinds())
			}
		})
	}
}

func TestTwoGuardsShedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := overloaded(.5)
		var both sync.WaitGroup
		for _, name := range []string{"one", "two"} {
			c.Instance = name
			both.Go(func() { w.run(t, c, 0, 20*time.Minute) })
		}
		both.Wait()
		if len(w.versions) != 2 || w.kinds()[guardrails.LoadShed] != 1 {
			t.Errorf("%d versions, %v", len(w.versions), w.kinds())
		}
	})
}

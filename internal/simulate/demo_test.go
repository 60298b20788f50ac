package simulate

import (
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/experiment"
)

// demoVersion applies the demo's files as the program would.
func demoVersion(t *testing.T) *experiment.Version {
	t.Helper()
	folder, err := DemoFiles()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(folder, "*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var files []experiment.File
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, experiment.File{Name: name, Data: data})
	}
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	// A demo has no weeks to see its guardrails at work before they may kill.
	for _, w := range set.Warnings {
		if w.Rule != experiment.WarnNewKill {
			t.Errorf("warning: %v", w)
		}
	}
	version, _, problems := experiment.Apply(nil, set, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), "demo")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return version
}

// TestDemoFilesFitTheStories: what the files declare is what the flags split,
// and what the metrics count is what visitors do.
func TestDemoFilesFitTheStories(t *testing.T) {
	version, stories := demoVersion(t), DemoStories()
	if len(version.Experiments) != 4 || len(stories) != 4 {
		t.Fatalf("%d experiments and %d stories, want four of each", len(version.Experiments), len(stories))
	}
	for _, s := range stories {
		e := version.Find(s.Key)
		if e == nil {
			t.Errorf("no file for %s", s.Key)
			continue
		}
		flag := s.Flag()
		var weights uint32
		for _, split := range flag.Variants {
			weights += split.Weight
		}
		var want []experiment.Variant
		for _, split := range flag.Variants {
			want = append(want, experiment.Variant{Key: split.Variant, Share: float64(split.Weight) / float64(weights)})
		}
		if diff := cmp.Diff(want, e.Variants); diff != "" {
			t.Errorf("%s: variants (-flag +file):\n%s", s.Key, diff)
		}
		if e.KillSwitch != DemoSwitch || e.Owner == "" || e.Hypothesis == "" || len(e.Goals) == 0 || len(e.Guardrails) == 0 {
			t.Errorf("%s is told in part only: %+v", s.Key, e)
		}
		for _, m := range e.Latest().Metrics {
			known := slices.ContainsFunc(s.Base, func(h Habit) bool { return h.Event == m.Event })
			if !known {
				t.Errorf("%s measures %s, but no visitor ever does %s", s.Key, m.Name, m.Event)
			}
		}
		for _, d := range e.Dimensions {
			if d.Attribute != DemoAttribute {
				t.Errorf("%s splits by %s, which no exposure carries", s.Key, d.Attribute)
			}
		}
	}
}

// TestOnlyTheHarmfulOneCanBreach: the guardrails that may kill belong to
// experiments that do what their story says.
func TestOnlyTheHarmfulOneCanBreach(t *testing.T) {
	version := demoVersion(t)
	chance := func(habits []Habit, event string) float64 {
		i := slices.IndexFunc(habits, func(h Habit) bool { return h.Event == event })
		return habits[i].Chance
	}
	for _, s := range DemoStories() {
		for _, g := range version.Find(s.Key).Guardrails {
			m := version.Find(s.Key).Latest().Metric(g.Metric)
			harm := chance(s.Arms[1].Habits, m.Event) - chance(s.Arms[0].Habits, m.Event)
			if m.Direction == experiment.Increase {
				harm = -harm
			}
			breaches := s.Key == "new-search" && g.Metric == "errors"
			if (harm > g.Margin) != breaches {
				t.Errorf("%s: %s is harmed by %.3f against a margin of %.3f", s.Key, g.Metric, harm, g.Margin)
			}
		}
	}
}

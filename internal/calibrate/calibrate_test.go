package main

import (
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// find returns the scenario of that name.
func find(t *testing.T, name string) *scenario {
	t.Helper()
	for _, s := range scenarios(form{}) {
		if s.name == name {
			return &s
		}
	}
	t.Fatalf("no scenario %q", name)
	return nil
}

// TestScenarios runs a few replicates of each kind of scenario and holds them
// against the same bounds as the long run.
func TestScenarios(t *testing.T) {
	for name, n := range map[string]int{
		"normal 90/10": 25, "ratio with correlated events 90/10": 25, "cumulative totals, ramp": 25,
		"time to kill, 0 % left, 90/10": 15, "harm at the margin, 50/50": 15, "split, 55/45 of 50/50": 15,
		"duplicates": 8, "segments": 8, "20 metrics × 3 arms, holm": 4, "quantile of clustered events, p90": 25,
		"covariate with unequal slopes, 90/10": 25,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := find(t, name).run(t.Context(), 0, n, 7, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range found.Figures {
				if !m.Passes {
					t.Errorf("%s: %.4f, want %s", m.Name, m.Mean, m.Bound)
				}
			}
		})
	}
}

// TestReplicatesAreReproducible: a replicate depends on the seed and its number.
func TestReplicatesAreReproducible(t *testing.T) {
	s := find(t, "delay, median 10 % of the run")
	run := func() outcome {
		found, err := s.run(t.Context(), 0, 3, 1, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		found.Seconds, found.CPU = 0, 0
		return found
	}
	if diff := cmp.Diff(run(), run()); diff != "" {
		t.Error(diff)
	}
}

// TestNaivePeekingIsCaught: a rate that breaks its bound is reported, or no run
// would prove anything.
func TestNaivePeekingIsCaught(t *testing.T) {
	s := find(t, "normal 50/50")
	for i := range s.figures {
		s.figures[i].bound = bound{atMost, alpha, 0}
	}
	found, err := s.run(t.Context(), 0, 40, 1, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if m := found.Figures[0]; m.Passes || m.Mean < .25 {
		t.Errorf("%s: %.3f passes a bound of 0.05", m.Name, m.Mean)
	}
	if found.print(io.Discard) == 0 {
		t.Error("nothing is reported")
	}
}

// TestBounds: a bound is passed up to where chance stops explaining it, by the binomial.
func TestBounds(t *testing.T) {
	// P(X ≥ 9) of 100 at 0.05 is 0.0631, P(X ≥ 10) 0.0282; P(X ≤ 97) of 100 at 0.99 is 0.0794, P(X ≤ 96) 0.0184.
	for _, c := range []struct {
		bound bound
		mean  float64
		holds bool
	}{
		{bound{atMost, .05, 0}, .09, true}, {bound{atMost, .05, 0}, .10, false}, {bound{atMost, .05, 0}, 0, true},
		{bound{atLeast, .99, 0}, .97, true}, {bound{atLeast, .99, 0}, .96, false}, {bound{atLeast, .99, 0}, 1, true},
		{bound{atMost, 0, 0}, 0, true}, {bound{atMost, 0, 0}, .01, false},
		{bound{near, .04, .01}, .09, true}, {bound{near, .04, .01}, .10, false}, {bound{near, .98, .01}, .97, true},
	} {
		if got := c.bound.holds(c.mean, 0, 100, .03); got != c.holds {
			t.Errorf("%s: %.2f of 100 holds: %v", c.bound, c.mean, got)
		}
	}
	for want, b := range map[float64]bound{.09: {atMost, .05, 0}, .97: {atLeast, .99, 0}, 0: {atMost, 0, 0}} {
		if got := b.reach(0, 100, .03); got != want {
			t.Errorf("%s reaches %v, want %v", b, got, want)
		}
	}
	if n := targets(); n < 100 || shareOf(n)*float64(n) != falseAlarm {
		t.Errorf("%d figures with a target", n)
	}
}

// TestNamesAreUnique: a scenario's name is its seed and its file.
func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios(form{}) {
		if file := (options{}).file(&s); seen[file] {
			t.Errorf("%s: another scenario has the file %s", s.name, file)
		} else {
			seen[file] = true
		}
	}
}

// TestGatesAreSeenToOpen: who promises something of an open gate must show one.
func TestGatesAreSeenToOpen(t *testing.T) {
	for _, f := range []form{{}, {short: true}} {
		for _, s := range scenarios(f) {
			guarded, seen := false, false
			for _, m := range s.figures {
				guarded = guarded || strings.Contains(m.name, "gate open")
				seen = seen || strings.HasSuffix(m.name, "the gate opens")
			}
			if guarded && !seen {
				t.Errorf("short %v, %s: nothing shows that the gate opens", f.short, s.name)
			}
		}
	}
}

// TestDuplicatesAreThere: the world that repeats records does so, and they reach
// the path later than what they repeat.
func TestDuplicatesAreThere(t *testing.T) {
	w := find(t, "duplicates").world
	_, log := w.draw(rand.New(rand.NewPCG(1, 1)))
	again := len(log) - len(once(log))
	if want := .2 * float64(len(once(log))); math.Abs(float64(again)-want) > want/4 {
		t.Errorf("%d records arrive again, want about %.0f", again, want)
	}
}

// TestResultsAreKept: a scenario with a result of the same commit and seed, and as
// many replicates, is not run again.
func TestResultsAreKept(t *testing.T) {
	o := options{dir: t.TempDir(), commit: "abc", seed: 3, replicates: 2}
	s := find(t, "coverage of one look, normal")
	first, err := o.outcome(t.Context(), s, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s.figures = nil // a second run would find nothing
	second, err := o.outcome(t.Context(), s, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	o.commit = "def"
	if third, err := o.outcome(t.Context(), s, io.Discard); err != nil || len(third.Figures) != 0 {
		t.Errorf("a result of another commit was taken: %v, %v", third, err)
	}
}

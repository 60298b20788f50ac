package results_test

import (
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// side is one reading of a test: at every look, or at one.
type side struct {
	name string
	p    func(results.Effect) float64
	of   func(*results.Adjusted) results.AdjustedEffect
}

func sides() []side {
	return []side{
		{"every look", func(e results.Effect) float64 { return float64(e.SequentialP) }, func(a *results.Adjusted) results.AdjustedEffect { return a.Sequential }},
		{"one look", func(e results.Effect) float64 { return float64(e.FixedP) }, func(a *results.Adjusted) results.AdjustedEffect { return a.Fixed }},
	}
}

// families are the members of both families that are in one.
func (w familyWorld) families(o order) map[string]map[cellPlace]member {
	goals, segments := w.members(o)
	for _, f := range []map[cellPlace]member{goals, segments} {
		maps.DeleteFunc(f, func(_ cellPlace, m member) bool { return m.Adjusted == nil })
	}
	return map[string]map[cellPlace]member{results.GoalFamily: goals, results.SegmentFamily: segments}
}

func rejected(f map[cellPlace]member, s side) map[cellPlace]bool {
	out := map[cellPlace]bool{}
	for at, m := range f {
		if s.of(m.Adjusted).Rejected {
			out[at] = true
		}
	}
	return out
}

func subset(a, b map[cellPlace]bool) bool {
	for at := range a {
		if !b[at] {
			return false
		}
	}
	return true
}

// excludesZero tells whether an interval says "not 0". The end at 0 of a finding by
// Holm's is no part of it.
func excludesZero(i results.Interval) bool {
	return i.Low.Known() && i.Low >= 0 || i.High.Known() && i.High <= 0
}

// TestFamilyIntervalsAgree: whatever the correction, what is found is what the adjusted
// interval leaves out, for every look and for one, of goals and of segments; and no
// adjusted p is below the plain one.
func TestFamilyIntervalsAgree(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawFamilyWorld(t)
		for name, f := range w.families(w.asDrawn()) {
			for at, m := range f {
				for _, s := range sides() {
					a, p := s.of(m.Adjusted), s.p(m.plain)
					if float64(a.P) < p || a.P > 1 || a.Rejected != (float64(a.P) <= w.alpha) {
						t.Fatalf("%s %+v, %s: adjusted p %v of %v, rejected %v at %v", name, at, s.name, a.P, p, a.Rejected, w.alpha)
					}
					if math.Abs(float64(a.P)-w.alpha) < 1e-9 {
						continue // the interval ends at 0, give or take a rounding
					}
					if a.Rejected != excludesZero(a.Absolute) {
						t.Fatalf("%s %+v, %s: rejected %v, interval %v", name, at, s.name, a.Rejected, a.Absolute)
					}
					bounded := a.Relative.Low.Known() || a.Relative.High.Known()
					if excludesZero(a.Relative) != (a.Rejected && bounded) {
						t.Fatalf("%s %+v, %s: rejected %v, interval of the lift %v", name, at, s.name, a.Rejected, a.Relative)
					}
					if a.Rejected {
						found++
					}
				}
			}
		}
	})
	if found == 0 {
		t.Error("nothing was ever found: this proves nothing")
	}
}

// TestFamiliesAreAsDeclared: goals × arms are one family, their segments another, the
// guardrails that may kill a third. No test is in two, none outside, and one test alone
// is not adjusted.
func TestFamiliesAreAsDeclared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawFamilyWorld(t)
		d := w.look(w.asDrawn())
		tests := w.goals * (w.arms - 1)
		want := map[string]int{results.GuardrailFamily: 2}
		if tests > 1 && w.goalsBy != experiment.Unadjusted {
			want[results.GoalFamily] = tests
		}
		if w.segBy != experiment.Unadjusted {
			want[results.SegmentFamily] = tests * 4 // two values, (other) and (none)
		}
		got := map[string]int{}
		for _, f := range d.Families {
			got[f.Name] = f.Size
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("families (-want +got): %s", diff)
		}
		goals, segments := w.members(w.asDrawn())
		for at, m := range goals {
			declared(t, at, m, results.GoalFamily, at.metric < w.goals && want[results.GoalFamily] > 0, tests)
		}
		for at, m := range segments {
			declared(t, at, m, results.SegmentFamily, at.metric < w.goals && want[results.SegmentFamily] > 0, tests*4)
		}
		if len(goals) != len(w.kinds)*(w.arms-1) || len(segments) != 3*len(goals) {
			t.Fatalf("%d comparisons, %d segments", len(goals), len(segments))
		}
	})
}

func declared(t *rapid.T, at cellPlace, m member, family string, in bool, size int) {
	if (m.Adjusted != nil) != in {
		t.Fatalf("%+v: adjusted %+v, in the family of %s: %v", at, m.Adjusted, family, in)
	}
	if in && (m.Family != family || m.Size != size) {
		t.Fatalf("%+v: %+v, want the family of %s, %d tests", at, m.Adjusted, family, size)
	}
}

// TestFamiliesKnowNoNames: other names and another order of metrics, goals and arms in
// the file change no number.
func TestFamiliesKnowNoNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawFamilyWorld(t)
		o := w.asDrawn()
		was := w.families(o)
		other := order{
			metrics: rapid.Permutation(o.metrics).Draw(t, "metrics"), arms: rapid.Permutation(o.arms).Draw(t, "order of arms"),
			name: func(what string, i int) string { return what + strings.Repeat("z", 7-i) },
		}
		if diff := cmp.Diff(was, w.families(other), cmp.AllowUnexported(member{}, cellPlace{})); diff != "" {
			t.Fatalf("under other names (-was +is): %s", diff)
		}
	})
}

// TestFamiliesAreMonotone: more evidence in one test never takes a finding back, its own
// or another's.
func TestFamiliesAreMonotone(t *testing.T) {
	proved := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawFamilyWorld(t)
		at := cellPlace{metric: 0, arm: rapid.IntRange(1, w.arms-1).Draw(t, "arm"), value: rapid.IntRange(0, 3).Draw(t, "value")}
		w.kinds[0] = experiment.Mean
		for place := range w.sums {
			if place.metric == 0 {
				w.sums[place] = drawnSums(experiment.Mean, w.sums[place].N, 0)
			}
		}
		for phase := range w.phases { // the same units, all raised by as much
			place := at
			place.phase = phase
			w.sums[place] = shifted(w.sums[place], rapid.Int64Range(-400, 400).Draw(t, "effect"))
		}
		after := w
		after.sums = maps.Clone(w.sums)
		by := rapid.Int64Range(-400, 400).Draw(t, "more")
		for phase := range w.phases {
			place := at
			place.phase = phase
			after.sums[place] = shifted(w.sums[place], by)
		}
		was, is := w.families(w.asDrawn()), after.families(w.asDrawn())
		for name := range was {
			for _, s := range sides() {
				if evidence(t, was[name], is[name], at, s) && !subset(rejected(was[name], s), rejected(is[name], s)) {
					t.Fatalf("%s, %s: %v were found, and with more evidence in %+v %v", name, s.name, rejected(was[name], s), at, rejected(is[name], s))
				}
				proved += len(rejected(was[name], s))
			}
		}
	})
	if proved == 0 {
		t.Error("nothing was ever found: this proves nothing")
	}
}

// evidence tells whether the second look has the smaller p at the place, on the same side,
// and the same numbers everywhere else.
func evidence(t *rapid.T, was, is map[cellPlace]member, at cellPlace, s side) bool {
	for place := range was {
		if place != at && s.p(was[place].plain) != s.p(is[place].plain) {
			t.Fatalf("%+v has moved, and only %+v was meant to", place, at)
		}
	}
	a, ok := was[at]
	if !ok {
		return false
	}
	b := is[at]
	return s.p(b.plain) <= s.p(a.plain) && (a.plain.Estimate > 0) == (b.plain.Estimate > 0)
}

// TestCorrectionsAreOrdered: on the same look Holm finds all that Bonferroni does, Hommel's
// procedure all that Holm does, Benjamini and Hochberg's all that Benjamini and
// Yekutieli's does; and at every look it finds what e-BH does of the e-values.
func TestCorrectionsAreOrdered(t *testing.T) {
	differ := map[string]bool{}
	check := func(t *rapid.T) {
		w := drawFamilyWorld(t)
		w.primary = 0
		by := func(c experiment.Adjustment) map[string]map[cellPlace]member {
			w.goalsBy, w.segBy = c, c
			return w.families(w.asDrawn())
		}
		bonferroni, holm := by(experiment.Bonferroni), by(experiment.Holm)
		bh, bky := by(experiment.BenjaminiHochberg), by(experiment.BenjaminiYekutieli)
		for name := range holm {
			for _, s := range sides() {
				hommel, ebh := notOffered(holm[name], s, w.alpha)
				ordered := []map[cellPlace]bool{rejected(bonferroni[name], s), rejected(holm[name], s), hommel}
				for i, what := range []string{"Bonferroni finds what Holm does not", "Holm finds what Hommel does not"} {
					if !subset(ordered[i], ordered[i+1]) {
						t.Fatalf("%s, %s: %s: %v, %v", name, s.name, what, ordered[i], ordered[i+1])
					}
					differ[what] = differ[what] || len(ordered[i]) < len(ordered[i+1])
				}
				all, some := rejected(bh[name], s), rejected(bky[name], s)
				if !subset(some, all) || !subset(ordered[1], all) {
					t.Fatalf("%s, %s: Benjamini–Hochberg finds %v, –Yekutieli %v, Holm %v", name, s.name, all, some, ordered[1])
				}
				if s.name == "every look" && !maps.Equal(all, ebh) {
					t.Fatalf("%s: Benjamini–Hochberg finds %v, e-BH %v", name, all, ebh)
				}
			}
		}
	}
	for range 20 { // what sets them apart is rare among families drawn at random
		rapid.Check(t, check)
		if differ["Bonferroni finds what Holm does not"] && differ["Holm finds what Hommel does not"] {
			return
		}
	}
	t.Errorf("the corrections never differed: %v", differ)
}

// notOffered are the findings of two procedures that a file cannot ask for, on the plain p of
// a family: a test without data takes part with 1.
func notOffered(f map[cellPlace]member, s side, alpha float64) (hommel, ebh map[cellPlace]bool) {
	hommel, ebh = map[cellPlace]bool{}, map[cellPlace]bool{}
	var places []cellPlace
	var p, e []float64
	for at, m := range f {
		places, p = append(places, at), append(p, s.p(m.plain))
	}
	for i := range f {
		for len(p) < f[i].Size {
			p = append(p, 1)
		}
	}
	for _, x := range p {
		e = append(e, 1/x)
	}
	adjusted, found := stats.Hommel.Adjust(p), stats.EBH(e, alpha)
	for i, at := range places {
		if adjusted[i] <= alpha {
			hommel[at] = true
		}
		if found[i] {
			ebh[at] = true
		}
	}
	return hommel, ebh
}

package stats

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func pValues(t *rapid.T) []float64 {
	return rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 7).Draw(t, "p")
}

// TestHommelIsTheClosedTest: Hommel's shortcut equals the definition: the
// largest Simes p-value of all the intersections that contain the hypothesis.
func TestHommelIsTheClosedTest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pValues(t)
		want := make([]float64, len(p))
		for set := 1; set < 1<<len(p); set++ {
			var members []float64
			for i, x := range p {
				if set>>i&1 == 1 {
					members = append(members, x)
				}
			}
			slices.Sort(members)
			simes := math.Inf(1)
			for rank, x := range members {
				simes = math.Min(simes, float64(len(members))*x/float64(rank+1))
			}
			for i := range p {
				if set>>i&1 == 1 {
					want[i] = math.Max(want[i], simes)
				}
			}
		}
		for i, got := range Hommel.Adjust(p) {
			if math.Abs(got-math.Min(1, want[i])) > 1e-12 {
				t.Fatalf("p = %v: got %v, want %v", p, Hommel.Adjust(p), want)
			}
		}
	})
}

// TestCorrectionsAreOrdered: each adjusted p is at least the raw one, at most
// Bonferroni's, and the sharper corrections never exceed the blunter ones.
func TestCorrectionsAreOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pValues(t)
		chain := []Correction{Bonferroni, Holm, Hochberg, Hommel}
		for i := range p {
			last := 1.0
			for _, c := range chain {
				q := c.Adjust(p)[i]
				if q < p[i]-1e-12 || q > last+1e-12 {
					t.Fatalf("%s gives %v for p = %v, after %v", c, q, p, last)
				}
				last = q
			}
			if bh := BenjaminiHochberg.Adjust(p)[i]; bh > Hochberg.Adjust(p)[i]+1e-12 || bh > BenjaminiYekutieli.Adjust(p)[i]+1e-12 {
				t.Fatalf("Benjamini–Hochberg gives %v for %v", bh, p)
			}
		}
	})
}

// TestAdjustedIsNeverBelow: not by a rounding either; 3·p/3 of this p is.
func TestAdjustedIsNeverBelow(t *testing.T) {
	const p = 0.3547649724731289
	for _, c := range []Correction{Bonferroni, Sidak, Holm, HolmSidak, Hochberg, Hommel, BenjaminiHochberg, BenjaminiYekutieli} {
		for i, q := range c.Adjust([]float64{p / 3, p / 2, p}) {
			if plain := p / float64(3-i); q < plain {
				t.Errorf("%s: %v of %v", c, q, plain)
			}
		}
		if q := c.Adjust([]float64{p})[0]; q < p {
			t.Errorf("%s alone: %v of %v", c, q, p)
		}
	}
}

func TestCorrectionsRefuse(t *testing.T) {
	for name, got := range map[string][]float64{
		"unknown": Correction("none").Adjust([]float64{0, 0.001}),
		"zero":    Correction("").Adjust([]float64{0, 0.001}),
		"NaN":     Holm.Adjust([]float64{0, math.NaN()}),
	} {
		if !slices.Equal(got, []float64{1, 1}) {
			t.Errorf("%s correction gives %v", name, got)
		}
	}
	if got := Holm.Adjust(nil); len(got) != 0 {
		t.Errorf("no tests give %v", got)
	}
	if got := EBH([]float64{1, 1, 1}, 0.05); slices.Contains(got, true) {
		t.Errorf("e-values of one reject: %v", got)
	}
}

// TestScoreIntervals: they contain the estimate, stay in range, and swapping the
// arms mirrors them.
func TestScoreIntervals(t *testing.T) {
	draw := func(t *rapid.T, label string) Share {
		n := rapid.Int64Range(1, 500).Draw(t, label+" units")
		return Share{rapid.Int64Range(0, n).Draw(t, label), n}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, alpha := draw(t, "treatment"), draw(t, "control"), rapid.Float64Range(0.001, 0.3).Draw(t, "alpha")
		const slack = 1e-9
		for name, f := range map[string]func(a, b Share, alpha float64) Interval{
			"score": ScoreDifference, "Newcombe": NewcombeDifference,
		} {
			got, mirror, d := f(a, b, alpha), f(b, a, alpha), a.p()-b.p()
			if !(got.Low <= d+slack && d-slack <= got.High && got.Low >= -1-slack && got.High <= 1+slack) {
				t.Fatalf("%s: %v of %v and %v around %v", name, got, a, b, d)
			}
			if math.Abs(got.Low+mirror.High) > 1e-6 || math.Abs(got.High+mirror.Low) > 1e-6 {
				t.Fatalf("%s: %v is no mirror of %v", name, got, mirror)
			}
		}
		if w := a.Wilson(alpha); !(w.Low <= a.p()+slack && a.p()-slack <= w.High && w.Low >= 0 && w.High <= 1) {
			t.Fatalf("Wilson: %v of %v", w, a)
		}
		if a.Successes+b.Successes == 0 {
			return
		}
		got, inverse, ratio := ScoreRatio(a, b, alpha), ScoreRatio(b, a, alpha), a.p()/b.p()
		if !(got.Low <= ratio*(1+slack) && ratio*(1-slack) <= got.High && got.Low >= 0) {
			t.Fatalf("ratio: %v of %v and %v around %v", got, a, b, ratio)
		}
		if !nearly(got.Low, 1/inverse.High, 1e-6) || !nearly(got.High, 1/inverse.Low, 1e-6) {
			t.Fatalf("ratio: %v is not the inverse of %v", got, inverse)
		}
	})
}

func TestScoreIntervalsWithoutUnits(t *testing.T) {
	none, some := Share{}, Share{3, 10}
	for _, arms := range [][2]Share{{none, none}, {none, some}, {some, none}} {
		if got := ScoreDifference(arms[0], arms[1], 0.05); got != (Interval{-1, 1}) {
			t.Errorf("difference of %v: %v", arms, got)
		}
		if got := NewcombeDifference(arms[0], arms[1], 0.05); got != (Interval{-1, 1}) {
			t.Errorf("Newcombe of %v: %v", arms, got)
		}
		if got := ScoreRatio(arms[0], arms[1], 0.05); got != (Interval{0, math.Inf(1)}) {
			t.Errorf("ratio of %v: %v", arms, got)
		}
	}
	if got := none.Wilson(0.05); got != (Interval{0, 1}) {
		t.Errorf("Wilson of nothing: %v", got)
	}
}

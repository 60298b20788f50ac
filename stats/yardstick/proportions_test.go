package yardstick

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Abs(want)+1e-12 }

// TestShareIntervals: whatever is counted, an interval is in [0, 1], holds the share,
// and covers less at a greater alpha; without units it is nowhere.
func TestShareIntervals(t *testing.T) {
	methods := map[string]func(Share, float64) Interval{
		"Agresti-Coull": Share.AgrestiCoull, "Clopper-Pearson": Share.ClopperPearson, "Jeffreys": Share.Jeffreys, "Wald": Share.Wald}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]float64{1, 2, 30, 1000, 1e6}).Draw(t, "n")
		s := Share{math.Floor(n * rapid.Float64Range(0, 1).Draw(t, "share")), n}
		for name, f := range methods {
			wide, narrow := f(s, 0.01), f(s, 0.2)
			if !(0 <= wide.Low && wide.Low <= narrow.Low && narrow.Low <= narrow.High && narrow.High <= wide.High && wide.High <= 1) {
				t.Fatalf("%s of %v: %v at 1 %%, %v at 20 %%", name, s, wide, narrow)
			}
		}
	})
	for name, f := range methods {
		for _, bad := range []Interval{f(Share{0, 0}, 0.05), f(Share{3, 2}, 0.05), f(Share{1, 2}, 0), f(Share{1, 2}, math.NaN())} {
			if name != "Agresti-Coull" && !math.IsNaN(bad.Low) {
				t.Errorf("%s of no share: %v", name, bad)
			}
		}
	}
}

// TestBinomialP: the exact p by adding up all numbers of successes.
func TestBinomialP(t *testing.T) {
	for _, n := range []float64{1, 7, 40} {
		for x := range int(n) + 1 {
			for _, p := range []float64{0, 0.1, 0.5, 0.77, 1} {
				chance := func(k float64) float64 {
					log := binomialLog(k, n, p)
					return math.Exp(log)
				}
				want, seen := 0.0, chance(float64(x))
				for k := range int(n) + 1 {
					if c := chance(float64(k)); c <= seen*(1+1e-7) {
						want += c
					}
				}
				if got := (Share{float64(x), n}).BinomialP(p); !near(got, math.Min(1, want)) {
					t.Errorf("%d of %v at %v: %v, want %v", x, n, p, got, want)
				}
			}
		}
	}
	if p := (Share{0, 0}).BinomialP(0.5); p != 1 {
		t.Errorf("without units: %v", p)
	}
}

// TestOddsRatioOfEmptyCells: where a cell of the table is empty one end is open and the
// other is where the score test just refutes.
func TestOddsRatioOfEmptyCells(t *testing.T) {
	none, some, all := Share{0, 30}, Share{5, 40}, Share{30, 30}
	check := func(name string, c Compared, a, b Share, low, high bool) {
		t.Helper()
		for end, open := range map[float64]bool{c.Low: low, c.High: high} {
			if open != (end == 0 || math.IsInf(end, 1)) {
				t.Errorf("%s: %+v", name, c)
			}
			if z := math.Abs(oddsScore(a, b, end, true)); !open && math.Abs(z-normal(0.05)) > 1e-6 {
				t.Errorf("%s: at %v the score is %v", name, end, z)
			}
		}
		if (c.P < 0.05) != (c.Low > 1 || c.High < 1) {
			t.Errorf("%s: p %v, %+v", name, c.P, c.Interval)
		}
	}
	check("none against some", OddsRatioScore(none, some, true, 0.05), none, some, true, false)
	check("some against none", OddsRatioScore(some, none, true, 0.05), some, none, false, true)
	check("all against some", OddsRatioScore(all, some, true, 0.05), all, some, false, true)
	check("none against all", OddsRatioScore(none, all, true, 0.05), none, all, true, false)
	check("some against some", OddsRatioScore(some, some, true, 0.05), some, some, false, false)
	if c := OddsRatioScore(Share{}, some, true, 0.05); !math.IsNaN(c.Low) || c.P != 1 {
		t.Errorf("without units: %+v", c)
	}
}

// TestRates: of equal rates at unequal exposure, and of no event.
func TestRates(t *testing.T) {
	ratio, i, p := Rates(20, 100, 200, 1000, 0.05)
	if !near(ratio, 1) || !(i.Low < 1 && 1 < i.High) || p < 0.9 {
		t.Errorf("%v %v %v", ratio, i, p)
	}
	if ratio, _, p := Rates(0, 1, 0, 1, 0.05); !math.IsNaN(ratio) || p != 1 {
		t.Errorf("no event: %v %v", ratio, p)
	}
}

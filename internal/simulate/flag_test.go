package simulate

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestAssignSplitsAsIntended: 40,000 units over 70:20:10, each count within
// four standard deviations.
func TestAssignSplitsAsIntended(t *testing.T) {
	const units = 40_000
	f := Flag{Key: "f", Salt: "s", Variants: []Split{{"a", 70}, {"b", 20}, {"c", 10}}}
	counts := map[string]float64{}
	for i := range units {
		counts[f.Assign(fmt.Sprintf("u%d", i))]++
	}
	for variant, share := range map[string]float64{"a": 0.7, "b": 0.2, "c": 0.1} {
		expected, deviation := units*share, math.Sqrt(units*share*(1-share))
		if math.Abs(counts[variant]-expected) > 4*deviation {
			t.Errorf("%s has %v units, want %v ± %.0f", variant, counts[variant], expected, 4*deviation)
		}
	}
}

// TestFlagsSplitIndependently: of the units in one flag's treatment half are in
// the other's.
func TestFlagsSplitIndependently(t *testing.T) {
	const units = 20_000
	halves := []Split{{"control", 1}, {"treatment", 1}}
	for _, other := range []Flag{{Key: "g", Salt: "s", Variants: halves}, {Key: "f", Salt: "s2", Variants: halves}} {
		f := Flag{Key: "f", Salt: "s", Variants: halves}
		both := 0.0
		for i := range units {
			unit := fmt.Sprintf("u%d", i)
			if f.Assign(unit) == "treatment" && other.Assign(unit) == "treatment" {
				both++
			}
		}
		if expected := units / 4.0; math.Abs(both-expected) > 4*math.Sqrt(expected*0.75) {
			t.Errorf("%+v: %v units are in both treatments, want about %v", other, both, expected)
		}
	}
}

func TestAssignIsStickyAndTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Flag{Key: rapid.String().Draw(t, "key"), Salt: rapid.String().Draw(t, "salt")}
		some := map[string]bool{}
		for i, weight := range rapid.SliceOf(rapid.Uint32()).Draw(t, "weights") {
			variant := fmt.Sprint(i)
			f.Variants = append(f.Variants, Split{variant, weight})
			if weight > 0 {
				some[variant] = true
			}
		}
		unit := rapid.String().Draw(t, "unit")
		got := f.Assign(unit)
		if got != f.Assign(unit) {
			t.Error("the same unit got two variants")
		}
		if len(some) == 0 && got != "" || len(some) > 0 && !some[got] {
			t.Errorf("variant %q of %+v", got, f.Variants)
		}
	})
}

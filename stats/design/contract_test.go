package design

import (
	"math"
	"testing"

	"github.com/assay-dev/assay/internal/contract"
)

// schedule makes information times of any numbers: at most eight, rising, most of them
// within (0, 1].
func schedule(steps []float64) []float64 {
	last := 0.0
	times := []float64{}
	for _, s := range steps {
		last += math.Abs(s) / 8
		times = append(times, last)
	}
	return times
}

func spendings(k int64, gamma float64) Spending {
	return []Spending{OBrienFleming(), Pocock(), PowerFamily(gamma), HwangShihDeCani(gamma), {}}[uint64(k)%5]
}

// any design that the constructors make, or one made by hand.
func designs(k int64, gamma, alpha float64, sides bool, steps []float64, own Design) Design {
	d, err := New(spendings(k, gamma), alpha, side(sides), schedule(steps))
	if err != nil {
		return own
	}
	return d
}

func side(two bool) Sides {
	if two {
		return TwoSided
	}
	return OneSided
}

// constant is a Monitor's boundary that does not move.
func constant(z float64, two bool) Monitor {
	return Monitor{func(float64) float64 { return z }, side(two)}
}

func designArea() contract.Area {
	return contract.Area{Dir: ".", Functions: map[string]any{
		"New": func(k int64, gamma, alpha float64, two bool, steps []float64) (Design, error) {
			return New(spendings(k, gamma), alpha, side(two), schedule(steps))
		},
		"Overrun": func(k int64, gamma, alpha float64, two bool, steps []float64) (Design, error) {
			return Overrun(spendings(k, gamma), alpha, side(two), schedule(steps))
		},
		"Classical": func(shape, alpha float64, two bool, looks int) (Design, error) {
			if looks > 12 && looks < 2000 {
				looks %= 13 // a thousand take minutes
			}
			return Classical(shape, alpha, side(two), looks)
		},
		"Exits": func(steps, z []float64, drift float64, two, fit bool) ([]float64, []float64) {
			if fit {
				z = append(z, steps...)[:len(steps)]
			}
			return Exits(schedule(steps), z, drift, side(two))
		},
		"Equal": Equal, "OBrienFleming": OBrienFleming, "Pocock": Pocock, "PowerFamily": PowerFamily, "HwangShihDeCani": HwangShihDeCani,
		"Spending.String": func(k int64) string { return spendings(k, 1).String() },
		"Spending.Spent": func(k int64, gamma, t, alpha float64, two bool) float64 {
			return spendings(k, gamma).Spent(t, alpha, side(two))
		},
		"Design.At": func(k int64, gamma, alpha float64, two bool, steps []float64, own Design, drift float64) Character {
			return designs(k, gamma, alpha, two, steps, own).At(drift)
		},
		"Design.Drift": func(k int64, gamma, alpha float64, two bool, steps []float64, own Design, power float64) float64 {
			return designs(k, gamma, alpha, two, steps, own).Drift(power)
		},
		"Design.Inflation": func(k int64, gamma, alpha float64, two bool, steps []float64, own Design, power float64) float64 {
			return designs(k, gamma, alpha, two, steps, own).Inflation(power)
		},
		"Design.Stop": func(k int64, gamma, alpha float64, two bool, steps []float64, own Design, look int64, z float64) Stopped {
			return designs(k, gamma, alpha, two, steps, own).Stop(int(look%9), z)
		},
	}}
}

func sizeArea() contract.Area {
	return contract.Area{Dir: ".", Functions: map[string]any{
		"Monitor.Crossing": func(z, signal, n float64, two bool) ([]float64, []float64) {
			return constant(z, two).Crossing(signal, n)
		},
		"Monitor.Power": func(z, signal, n float64, two bool) float64 { return constant(z, two).Power(signal, n) },
		"Monitor.Size": func(z, signal, power float64, two bool) (float64, float64) {
			return constant(z, two).Size(signal, power)
		},
		"Monitor.Detectable": func(z, n, power float64, two bool) float64 { return constant(z, two).Detectable(n, power) },
		"Monitor.LastPoint":  Monitor.LastPoint,
		"Test.Power":         tests(Test.Power), "Test.Size": tests(Test.Size), "Test.Detectable": tests(Test.Detectable),
		"Test.Means":  func(t Test, a [5]float64) Sizes { return t.Means(a[0], a[1], a[2], a[3], a[4]) },
		"CohenH":      CohenH,
		"Needed":      Needed,
		"Sizes.Total": Sizes.Total,
		"Test.Proportions": func(t Test, two bool, a [4]float64) Sizes {
			t.Sides = side(two)
			return t.Proportions(a[0], a[1], a[2], a[3])
		},
		"Test.ProportionsPower": func(t Test, two bool, a, b float64, n Sizes) float64 {
			t.Sides = side(two)
			return t.ProportionsPower(a, b, n)
		},
		"Test.NonInferiorMeans":       func(t Test, a [6]float64) Sizes { return t.NonInferiorMeans(a[0], a[1], a[2], a[3], a[4], a[5]) },
		"Test.NonInferiorProportions": func(t Test, a [5]float64) Sizes { return t.NonInferiorProportions(a[0], a[1], a[2], a[3], a[4]) },
		"Test.RelativePower": func(t Test, two bool, base Unit, lift float64, n Sizes) float64 {
			t.Sides = side(two)
			return t.RelativePower(base, lift, n)
		},
		"Test.RelativeSize": func(t Test, two bool, base Unit, a [3]float64) Sizes {
			t.Sides = side(two)
			return t.RelativeSize(base, a[0], a[1], a[2])
		},
		"Test.RelativeDetectable": func(t Test, two bool, base Unit, power float64, n Sizes) float64 {
			t.Sides = side(two)
			return t.RelativeDetectable(base, power, n)
		},
	}}
}

func tests(f func(t Test, a, b, c float64) float64) func(Test, bool, [3]float64) float64 {
	return func(t Test, two bool, a [3]float64) float64 {
		t.Sides = side(two)
		return f(t, a[0], a[1], a[2])
	}
}

func FuzzDesigns(f *testing.F) { designArea().Fuzz(f) }
func FuzzSizes(f *testing.F)   { sizeArea().Fuzz(f) }

func TestEveryFunctionIsFuzzed(t *testing.T) {
	missing, err := contract.Missing(designArea(), sizeArea())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range missing {
		t.Error(m)
	}
}

// TestDocumentation: every function that computes something says where it comes from and
// what becomes of arguments that have no answer.
func TestDocumentation(t *testing.T) {
	contract.TestDocumentation(t, ".", []string{"Equal", "Sizes.Total", "Spending.String"})
}

package design

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

// TestStudentTails: without noncentrality it is the t distribution, and for many
// degrees of freedom the normal.
func TestStudentTails(t *testing.T) {
	for _, dof := range []float64{1, 2, 3.5, 10, 1000, 1e6} {
		for _, c := range []float64{0.5, 2, 4} {
			want := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: dof}.Survival(c)
			near(t, "t tail", studentTails(c, 0, dof, OneSided), want, 1e-9)
		}
	}
	near(t, "normal", studentTails(2, 1, 1e10, TwoSided), upper(1)+upper(3), 1e-15)
	// P(T > 0) is Φ(noncentrality) at any degrees of freedom.
	near(t, "half", studentTails(0, 0.7, 4, OneSided), upper(-0.7), 1e-13)
}

// TestSizesHaveTheirPower: every size, put back, gives the power asked for.
func TestSizesHaveTheirPower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		test := Test{
			Alpha: rapid.Float64Range(0.001, 0.2).Draw(t, "alpha"), Student: rapid.Bool().Draw(t, "student"),
			Sides: rapid.SampledFrom([]Sides{OneSided, TwoSided}).Draw(t, "sides"),
		}
		power, ratio := rapid.Float64Range(0.5, 0.99).Draw(t, "power"), rapid.Float64Range(0.1, 9).Draw(t, "ratio")
		d := rapid.Float64Range(0.01, 0.5).Draw(t, "d")
		n := test.Size(d, power, ratio)
		if got := test.Power(d, n, ratio*n); math.Abs(got-power) > 1e-6 {
			t.Fatalf("n = %v has the power %v, want %v", n, got, power)
		}
		if got := test.Detectable(n, ratio*n, power); math.Abs(got-d) > 1e-5*d {
			t.Fatalf("detectable %v, want %v", got, d)
		}
		base := Unit{rapid.Float64Range(0.5, 5).Draw(t, "mean"), rapid.Float64Range(0.1, 30).Draw(t, "variance")}
		test.Student = false
		sizes := test.RelativeSize(base, d, power, ratio)
		if got := test.RelativeDetectable(base, power, sizes); math.Abs(got-d) > 1e-9 {
			t.Fatalf("relative: %v, want %v", got, d)
		}
	})
}

// TestNothingPanics throws anything at the functions: a number comes back, and
// where arguments are out of their domain it is no size.
func TestNothingPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		odd := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-1, 2),
			rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, 1, 1e-300, 1e300}))
		x := make([]float64, 8)
		for i := range x {
			x[i] = odd.Draw(t, "x")
		}
		test := Test{x[0], Sides(rapid.IntRange(0, 3).Draw(t, "sides")), rapid.Bool().Draw(t, "student")}
		for name, n := range map[string]float64{
			"size":             test.Size(x[1], x[2], x[3]),
			"means":            test.Means(x[1], x[2], x[3], x[4], x[5]).Treatment,
			"proportions":      test.Proportions(x[1], x[2], x[3], x[4]).Treatment,
			"non-inferior":     test.NonInferiorProportions(x[1], x[2], x[3], x[4], x[5]).Treatment,
			"relative":         test.RelativeSize(Unit{x[1], x[2]}, x[3], x[4], x[5]).Treatment,
			"detectable":       test.RelativeDetectable(Unit{x[1], x[2]}, x[3], Sizes{x[4], x[5]}),
			"power":            test.Power(x[1], x[2], x[3]),
			"relative power":   test.RelativePower(Unit{x[1], x[2]}, x[3], Sizes{x[4], x[5]}),
			"proportion power": test.ProportionsPower(x[1], x[2], Sizes{x[3], x[4]}),
		} {
			if n < 0 {
				t.Errorf("%s = %v", name, n)
			}
		}
		Needed(x[1], x[2], x[3], x[4], func(n float64) float64 { return x[5] * n })
		_, _ = Overrun(HwangShihDeCani(x[1]), x[2], test.Sides, []float64{x[3], x[4]})
		Exits(x[:3], x[3:6], x[6], test.Sides)
		Monitor{func(n float64) float64 { return x[1] * n }, test.Sides}.Power(x[2], x[3])
	})
}

// TestNonInferior: a truth beyond the margin is never shown, and the restricted
// proportions are symmetric.
func TestNonInferior(t *testing.T) {
	test := Test{Alpha: 0.025, Sides: OneSided}
	if n := test.NonInferiorProportions(0.05, 0.1, 0.02, 0.8, 1).Total(); !math.IsInf(n, 1) {
		t.Errorf("size %v", n)
	}
	if n := test.NonInferiorMeans(-1, 0.5, 1, 1, 0.8, 1).Total(); !math.IsInf(n, 1) {
		t.Errorf("size %v", n)
	}
	// Symmetry: at p and −margin the restricted shares are those of 1−p mirrored.
	a := restricted(0.3, 0.3, -0.1, 1)
	b := restricted(0.7, 0.7, -0.1, 1)
	near(t, "mirror", a+b-0.1, 1, 1e-9)
}

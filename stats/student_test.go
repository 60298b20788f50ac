package stats

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mathext"
	"pgregory.net/rapid"
)

// TestStudentCritical holds quantiles against values computed to 25 digits with
// mpmath (root of the regularised incomplete beta function).
func TestStudentCritical(t *testing.T) {
	cases := []struct{ tail, nu, want float64 }{
		{0.25, 1, 1.0},
		{0.25, 1.5, 0.87259466254157064},
		{0.25, 3, 0.76489232840434528},
		{0.25, 10, 0.69981206131243163},
		{0.25, 50, 0.67942820032634601},
		{0.25, 1000, 0.67473516460700944},
		{0.25, 100000, 0.67449220355329221},
		{0.025, 1, 12.706204736174705},
		{0.025, 1.5, 6.0166631044279319},
		{0.025, 3, 3.1824463052837096},
		{0.025, 10, 2.2281388519862747},
		{0.025, 50, 2.0085591121007611},
		{0.025, 1000, 1.9623390808264085},
		{0.025, 100000, 1.9599877075346096},
		{0.0005, 1, 636.61924876871962},
		{0.0005, 1.5, 82.847446703657612},
		{0.0005, 3, 12.923978636687483},
		{0.0005, 10, 4.5868938587026359},
		{0.0005, 50, 3.4960128818111393},
		{0.0005, 1000, 3.3002826484239129},
		{0.0005, 100000, 3.2906240314118827},
		{1e-8, 1, 31830988.618379057},
		{1e-8, 1.5, 112450.05997355733},
		{1e-8, 3, 479.52506957973828},
		{1e-8, 10, 15.895687652513545},
		{1e-8, 50, 6.6659129257368652},
		{1e-8, 1000, 5.6579123376791052},
		{1e-8, 100000, 5.6124571748817133},
		{0.25, 2e6, 0.67448987286356469},
		{0.025, 2e6, 1.959965170676375},
		{1e-8, 2e6, 5.6120240391921446},
		{0.25, 1e9, 0.67448975044141667},
		{0.025, 1e9, 1.9599639869123255},
		{1e-8, 1e9, 5.612001289764664},
		{0.25, 1e15, 0.67448975019608199},
		{0.025, 1e15, 1.9599639845400566},
		{1e-8, 1e15, 5.6120012441748343},
	}
	for _, c := range cases {
		if got := studentCritical(c.tail, c.nu); !nearly(got, c.want, 1e-10) {
			t.Errorf("studentCritical(%v, %v) = %.15g, want %.15g", c.tail, c.nu, got, c.want)
		}
	}
	if got := studentCritical(0.025, math.NaN()); !math.IsInf(got, 1) {
		t.Errorf("without degrees of freedom: %v", got)
	}
}

// TestStudentOfManyDegrees: the tail keeps its digits where the incomplete beta
// function does not. Computed with mpmath.
func TestStudentOfManyDegrees(t *testing.T) {
	for _, c := range []struct{ t, nu, want float64 }{
		{0.5, 2e6, 0.61707513246217684},
		{1.96, 2e6, 0.049995928940828743},
		{5, 2e6, 5.733514637831463e-7},
		{12, 2e6, 3.5623128243194194e-33},
		{0.5, 1e9, 0.61707507756199421},
		{1.96, 1e9, 0.049995790573729595},
		{12, 1e9, 3.5529828977411436e-33},
		{1.96, 1e12, 0.049995790296718161},
		{12, 1e12, 3.5529642428288965e-33},
		{0.5, 1e15, 0.6170750774519739},
		{5, 1e15, 5.7330314375848446e-7},
		{12, 1e15, 3.5529642241740315e-33},
	} {
		if got := studentTwoSided(c.t, c.nu); !nearly(got, c.want, 1e-9) {
			t.Errorf("studentTwoSided(%v, %v) = %.15g, want %.15g", c.t, c.nu, got, c.want)
		}
	}
}

// quadrature is P(|T| ≥ t) by Gauss–Legendre in v = √ln(1+t²/ν), where the density is
// e^(−ν·v²/2)·v/√(1−e^(−v²)) but for a factor: no special function is in it.
func quadrature(t, nu float64) float64 {
	from := math.Sqrt(math.Log1p(t / nu * t))
	integral := func(a, b float64) float64 {
		sum := 0.0
		for i := range 64 {
			low, high := a+(b-a)*float64(i)/64, a+(b-a)*float64(i+1)/64
			sum += quad.Fixed(func(v float64) float64 {
				return math.Exp(-nu/2*(v-from)*(v+from)) * v / math.Sqrt(-math.Expm1(-v*v))
			}, low, high, 24, nil, 0)
		}
		return sum
	}
	far := math.Sqrt(from*from + 90/nu)
	upper := integral(from, far)
	all := integral(0, from) + upper
	if nu/2*from*from > 600 { // the middle overflows beside so far a tail
		return math.NaN()
	}
	return upper / all
}

// TestStudentWide holds the tail over a wide grid against quadrature, and against
// gonum where its argument keeps the digits.
func TestStudentWide(t *testing.T) {
	compared := 0
	for _, nu := range []float64{1, 1.3, 2, 3, 4.9, 7, 11, 15.99, 16, 17.5, 25, 40, 99, 317, 1e3, 1e4, 1e6, 1e9, 1e13, 1e17} {
		for _, x := range []float64{1e-3, 0.1, 0.5, 1, 1.5, 1.96, 2.5, 3, 4, 5, 7, 10, 15, 20, 26, 33} {
			got := studentTwoSided(x, nu)
			if want := quadrature(x, nu); !math.IsNaN(want) && want > 1e-280 {
				compared++
				if !nearly(got, want, 1e-11) {
					t.Errorf("P(|T| ≥ %v) at %v = %.15g, want %.15g", x, nu, got, want)
				}
			}
			if nu < 200 && x*x > nu/10 {
				if want := mathext.RegIncBeta(nu/2, 0.5, nu/(nu+x*x)); !nearly(got, want, 1e-10) {
					t.Errorf("P(|T| ≥ %v) at %v = %.15g, gonum has %.15g", x, nu, got, want)
				}
			}
			if tail := got / 2; tail > 1e-305 && tail < 0.49 {
				if back := studentCritical(tail, nu); !nearly(back, x, 1e-11) {
					t.Errorf("critical(%v, %v) = %.15g, want %v", tail, nu, back, x)
				}
			}
		}
	}
	if compared < 280 {
		t.Errorf("only %d values were compared", compared)
	}
	if got, want := studentTwoSided(1e300, 1), 2/math.Pi*1e-300; !nearly(got, want, 1e-10) {
		t.Errorf("Cauchy far out: %v, want %v", got, want)
	}
	if got := studentCritical(1e-300, 1); !nearly(got, 1e300/math.Pi, 1e-10) {
		t.Errorf("Cauchy quantile: %v", got)
	}
}

// TestStudentIsADistribution: falling in t, symmetric, and inverted by critical.
func TestStudentIsADistribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nu := math.Exp(rapid.Float64Range(0, 60).Draw(t, "ln ν"))
		x := math.Exp(rapid.Float64Range(-10, 3.6).Draw(t, "ln t"))
		p, further := studentTwoSided(x, nu), studentTwoSided(x*1.0001, nu)
		if !(further <= p && p <= 1 && further >= 0) {
			t.Fatalf("ν = %v: P rises from %v to %v at %v", nu, p, further, x)
		}
		if both := studentUpper(x, nu) + studentUpper(-x, nu); math.Abs(both-1) > 1e-15 {
			t.Fatalf("the two sides make %v", both)
		}
		tail := math.Exp(rapid.Float64Range(-690, -0.7).Draw(t, "ln tail"))
		c := studentCritical(tail, nu)
		if back := studentTwoSided(c, nu) / 2; !nearly(back, tail, 1e-10) {
			t.Fatalf("ν = %v: P(T ≥ %v) = %v, want %v", nu, c, back, tail)
		}
	})
}

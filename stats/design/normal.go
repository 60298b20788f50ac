package design

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// upper is the normal tail P(Z > z), exact to the last digits far out too.
func upper(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// upperQuantile is the z with P(Z > z) = p: NaN outside [0, 1], ±Inf at its ends.
func upperQuantile(p float64) float64 {
	switch {
	case !(p >= 0 && p <= 1):
		return math.NaN()
	case p == 0:
		return math.Inf(1)
	case p == 1:
		return math.Inf(-1)
	}
	return -mathext.NormalQuantile(p)
}

// density is the normal density.
func density(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

// Sides says in how many directions a test can reject.
type Sides int

// One-sided tests reject for large z only; two-sided ones for large |z|, with
// half of the error rate in each direction.
const (
	OneSided Sides = 1
	TwoSided Sides = 2
)

func (s Sides) valid() bool { return s == OneSided || s == TwoSided }

// critical is the z of a test at one look.
func (s Sides) critical(alpha float64) float64 {
	if !s.valid() || !probability(alpha) {
		return math.NaN()
	}
	return upperQuantile(alpha / float64(s))
}

// power is the chance that a normal statistic with this mean exceeds the
// critical value, in either direction where the test has two.
func (s Sides) power(mean, critical float64) float64 {
	p := upper(critical - mean)
	if s == TwoSided {
		p += upper(critical + mean)
	}
	return p
}

func probability(p float64) bool { return p > 0 && p < 1 }

func positive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }

// root finds where the monotone f changes its sign between low and high, to the
// last digits. NaN values of f end the search with NaN.
func root(f func(float64) float64, low, high float64) float64 {
	rising := f(low) < 0
	for range 200 {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			break
		}
		y := f(middle)
		if math.IsNaN(y) {
			return y
		}
		if (y < 0) == rising {
			low = middle
		} else {
			high = middle
		}
	}
	return low + (high-low)/2
}

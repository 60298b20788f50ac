package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// logBetaUpper is ln P(X > x) for X ~ Beta(a, b), also where the probability is
// too small for a float64.
func logBetaUpper(a, b, x float64) float64 {
	if p := mathext.RegIncBeta(b, a, 1-x); p > 1e-290 {
		return math.Log(p)
	}
	// The continued fraction of the incomplete beta function (DLMF 8.17.22) for
	// the tail, whose leading factor is taken as a logarithm.
	y := 1 - x
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return b*math.Log(y) + a*math.Log1p(-y) - math.Log(b) - (la + lb - lab) + math.Log(betaFraction(b, a, y))
}

// betaFraction is that continued fraction, by Lentz's method. It converges fast
// for x < (a+1)/(a+b+2), which a far tail is.
func betaFraction(a, b, x float64) float64 {
	const tiny = 1e-300
	floor := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/floor(1-(a+b)*x/(a+1))
	h := d
	for m := 1.0; m < 10_000; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / floor(1+even*d)
		c = floor(1 + even/c)
		h *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / floor(1+odd*d)
		c = floor(1 + odd/c)
		h *= d * c
		if math.Abs(d*c-1) < 1e-14 {
			break
		}
	}
	return h
}

package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// studentTwoSided is P(|T| ≥ |t|) at ν degrees of freedom; ν = +Inf is the
// normal. It is computed as a tail, so it stays accurate far below 1e-16.
func studentTwoSided(t, nu float64) float64 {
	if math.IsInf(nu, 1) {
		return math.Erfc(math.Abs(t) / math.Sqrt2)
	}
	if math.IsInf(t, 0) {
		return 0
	}
	if nu > manyDegrees {
		return math.Erfc(wallace(math.Abs(t), nu) / math.Sqrt2)
	}
	t2 := t * t
	// Two forms of the same: the first loses digits as p shrinks, the second as
	// ν grows and its argument nears one.
	if math.Erfc(math.Abs(t)/math.Sqrt2)*nu > 1 {
		return 1 - mathext.RegIncBeta(0.5, nu/2, t2/(nu+t2))
	}
	return mathext.RegIncBeta(nu/2, 0.5, nu/(nu+t2))
}

// studentUpper is P(T ≥ t).
func studentUpper(t, nu float64) float64 {
	half := studentTwoSided(t, nu) / 2
	if t < 0 {
		return 1 - half
	}
	return half
}

// studentCritical is the t with P(T ≥ t) = tail, for tail in (0, 0.5); +Inf
// without degrees of freedom. It is Newton's method on the tail, which is convex
// there, from the normal quantile and its first correction (Abramowitz & Stegun
// 26.7.5): to the left of the root or next to it, so it cannot diverge.
func studentCritical(tail, nu float64) float64 {
	x := -distuv.UnitNormal.Quantile(tail)
	switch {
	case !(nu > 0):
		return math.Inf(1)
	case math.IsInf(nu, 1):
		return x
	case nu > manyDegrees:
		x *= (8*nu + 3) / (8*nu + 1)
		return math.Sqrt(nu * math.Expm1(x*x/nu)) // wallace, turned round
	}
	t := x
	if nu >= 10 {
		t += x * (x*x + 1) / (4 * nu)
	}
	density := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: nu}
	for range 100 {
		step := (studentUpper(t, nu) - tail) / density.Prob(t)
		t += step
		if math.Abs(step) <= 1e-9*t { // the next step would be its square
			break
		}
	}
	return t
}

// manyDegrees is where the incomplete beta function begins to lose more digits than
// the normal form does: at 1e9 it is right to 6 digits, at 1e15 to none.
const manyDegrees = 1e6

// wallace is the normal quantile that has the tail of t: (8ν+1)/(8ν+3)·√(ν·ln(1+t²/ν))
// (Wallace 1959), whose relative error falls with 1/ν².
func wallace(t, nu float64) float64 {
	return (8*nu + 1) / (8*nu + 3) * math.Sqrt(nu*math.Log1p(t*t/nu))
}

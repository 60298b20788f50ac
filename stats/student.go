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
	t2 := t * t
	if t2 < nu { // keep the argument of the beta away from 1
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
// without degrees of freedom.
func studentCritical(tail, nu float64) float64 {
	if !(nu > 0) {
		return math.Inf(1)
	}
	if math.IsInf(nu, 1) {
		return -distuv.UnitNormal.Quantile(tail)
	}
	student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: nu}
	t := student.Quantile(1 - tail)
	for range 3 { // the library's quantile has nine digits; Newton finds the rest
		t += (studentUpper(t, nu) - tail) / student.Prob(t)
	}
	return t
}

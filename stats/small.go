package stats

import "math"

// For few units the variance is not known: the t version of the mixture, with ν
// degrees of freedom and share = 1/(1+a) of the prior's information, is exact
// for normal data (Lindon, Ham, Tingley & Bojinov 2022). It tends to the normal
// one as ν grows.

// StudentMixtureLogE is the log of its e-value at t:
// ln(share)/2 + (ν+1)/2·(ln(1+t²/ν) − ln(1+share·t²/ν)) (Lindon, Ham, Tingley &
// Bojinov 2022, whose g is n/a). An a below 0 or infinite, ν not above 0 and a t that is
// no number are no evidence: −Inf.
func StudentMixtureLogE(a, t, nu float64) float64 {
	if !(a >= 0) || math.IsInf(a, 1) || !(nu > 0) || math.IsNaN(t) {
		return math.Inf(-1)
	}
	return anytimeLogE(t, 1/(1+a), nu)
}

// StudentMixtureRadius is the two-sided boundary of |t| of StudentMixtureLogE (Lindon,
// Ham, Tingley & Bojinov 2022); +Inf while ν is too
// small to refute anything at alpha, without information, and for arguments that make
// no sense.
func StudentMixtureRadius(a, alpha, nu float64) float64 {
	if !(a > 0) || math.IsInf(a, 1) || !(nu > 0) || !(alpha > 0 && alpha < 1) {
		return math.Inf(1)
	}
	return anytimeRadius(1/(1+a), nu, alpha)
}

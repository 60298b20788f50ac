package stats

import "math"

// For few units the variance is not known: the t version of the mixture, with ν
// degrees of freedom and share = 1/(1+a) of the prior's information, is exact
// for normal data (Lindon, Ham, Tingley & Bojinov 2022). It tends to the normal
// one as ν grows.

// StudentMixtureLogE is the log of its e-value at t:
// ln(share)/2 + (ν+1)/2·(ln(1+t²/ν) − ln(1+share·t²/ν)).
func StudentMixtureLogE(a, t, nu float64) float64 {
	share := 1 / (1 + a)
	return math.Log(share)/2 + (nu+1)/2*(math.Log1p(t*t/nu)-math.Log1p(share*t*t/nu))
}

// StudentMixtureRadius is its two-sided boundary of |t|; +Inf while ν is too
// small to refute anything at alpha.
func StudentMixtureRadius(a, alpha, nu float64) float64 {
	share := 1 / (1 + a)
	r := math.Pow(share*alpha*alpha, 1/(nu+1))
	if r <= share {
		return math.Inf(1)
	}
	return math.Sqrt(nu * (1 - r) / (r - share))
}

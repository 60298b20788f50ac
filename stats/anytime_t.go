package stats

import "math"

// AnytimeStudent is the always-valid t interval and test of zero of a regression
// coefficient from n rows (Lindon, Ham, Tingley & Bojinov 2022; the R package
// avlm). With ν degrees of freedom and r = g/(g+n) the e-value is
//
//	e = √r·((1 + t²/ν)/(1 + r·t²/ν))^((ν+1)/2)
//
// with p = min(1, 1/e), and the interval is what e < 1/α does not refute. g > 0 is
// fixed beforehand, like N* elsewhere; it is the weight of the prior in rows. With
// the classic error and normal residuals it is exact at any n, and asymptotic
// otherwise. While r·α² leaves no t that could refute anything the interval is
// (−Inf, +Inf). An estimate without an error (or NaN), and a g or an alpha that makes no
// sense, claim nothing.
func (e Estimate) AnytimeStudent(n int, g, alpha float64) Effect {
	if !e.usable() || n <= 0 || !(g > 0) || math.IsInf(g, 1) || !(alpha > 0 && alpha < 1) {
		return e.unknown()
	}
	r := g / (g + float64(n))
	t := e.Value / e.StdError
	return e.effect(anytimeRadius(r, e.DoF, alpha), math.Min(1, math.Exp(-anytimeLogE(t, r, e.DoF))))
}

func anytimeLogE(t, r, nu float64) float64 {
	if r == 1 { // so little information that it is none
		return 0
	}
	t2 := t * t
	if math.IsInf(nu, 1) {
		return math.Log(r)/2 + t2*(1-r)/2
	}
	if math.IsInf(t2/nu, 1) {
		return math.Log(r)/2 - (nu+1)/2*math.Log(r)
	}
	return math.Log(r)/2 + (nu+1)/2*(math.Log1p(t2/nu)-math.Log1p(r*t2/nu))
}

// anytimeRadius is the t at which e is 1/alpha.
func anytimeRadius(r, nu, alpha float64) float64 {
	log := math.Log(r) + 2*math.Log(alpha)
	if math.IsInf(nu, 1) {
		return math.Sqrt(-log / (1 - r))
	}
	x := math.Exp(log / (nu + 1))
	if !(x > r) {
		return math.Inf(1)
	}
	return math.Sqrt(nu * -math.Expm1(log/(nu+1)) / (x - r))
}

// OptimalG is the g at which AnytimeStudent's interval is narrowest for a regression
// of n rows on so many coefficients: where the plan puts its power, as N* does for
// the mixture. Fix it before data. NaN where there are no degrees of freedom or alpha
// is outside (0, 1). It is the minimum of Lindon, Ham, Tingley & Bojinov's (2022) radius.
func OptimalG(n, coefficients int, alpha float64) float64 {
	if coefficients < 0 || n <= coefficients || !(alpha > 0 && alpha < 1) {
		return math.NaN()
	}
	rows, nu := float64(n), float64(n-coefficients)
	radius := func(logG float64) float64 {
		g := math.Exp(logG)
		return anytimeRadius(g/(g+rows), nu, alpha)
	}
	// Golden section. Where two points are both infinite the smaller g is nearer.
	low, high := math.Log(1e-9), math.Log(1e3*rows)
	const golden = 0.6180339887498949
	for high-low > 1e-10 {
		a, b := high-golden*(high-low), low+golden*(high-low)
		if radius(a) <= radius(b) {
			high = b
		} else {
			low = a
		}
	}
	return math.Exp((low + high) / 2)
}

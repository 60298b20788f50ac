package stats

import "math"

// The sequential tests mix the normal likelihood ratio over effects with
// variance ρ² (in units of one observation's variance). With n units,
// z = estimate/error and a = n·ρ² the mixture is a martingale that exceeds 1/α
// with probability at most α, ever (Ville). "mSPRT", "GAVI" and "asymptotic
// confidence sequence" are names of this one family: Robbins 1970; Johari et
// al. 2022; Howard et al. 2021, prop. 5; Waudby-Smith et al. 2024, eq. 9 and 134.

// MixtureRho2 is the ρ² that makes the interval narrowest at planned units, in
// closed form (−2·ln α + ln(1−2·ln α))/planned: Waudby-Smith et al. 2024, eq. 161.
// Its interval is wider than that of the exact optimum (OptimalRho2) by 10⁻⁴.
// For a one-sided test pass 2α. NaN for an alpha outside (0, 1) or units not above 0.
func MixtureRho2(alpha, planned float64) float64 {
	if !(alpha > 0 && alpha < 1) || !(planned > 0) {
		return math.NaN()
	}
	return mixtureRho2(doubleLog(alpha), planned)
}

// doubleLog is 2·ln(1/α): what a plan and its boundary have in common, and costs a quarter
// of a comparison.
func doubleLog(alpha float64) float64 { return -2 * math.Log(alpha) }

func mixtureRho2(l, planned float64) float64 { return (l + math.Log(1+l)) / planned }

// OptimalRho2 is the exact optimum (−W₋₁(−α²/e) − 1)/planned, where W₋₁ is the
// lower branch of Lambert's function. NaN for an alpha outside (0, 1) or units not
// above 0 (Howard et al. 2021, prop. 3; MixtureRho2 is close to it).
func OptimalRho2(alpha, planned float64) float64 {
	if !(alpha > 0 && alpha < 1) || !(planned > 0) {
		return math.NaN()
	}
	// With x = −W−1 the definition W·e^W = −α²/e becomes x = ln(1+x) − 2·ln α,
	// solved by Newton from the closed form above; it converges in 3 to 4 steps.
	l := -2 * math.Log(alpha)
	x := l + math.Log(1+l)
	for range 50 {
		step := (x - math.Log1p(x) - l) * (1 + x) / x
		x -= step
		if math.Abs(step) <= 1e-15*x {
			break
		}
	}
	return x / planned
}

// MixtureRadius is the two-sided boundary B of |z|:
// √((1+1/a)·(ln(1+a) + 2·ln(1/α))) (Robbins 1970). It is +Inf at a = 0.
//
// It is also +Inf for an a or an alpha that makes no sense (NaN, alpha outside (0, 1)).
func MixtureRadius(a, alpha float64) float64 {
	return mixtureRadius(a, math.Log1p(a), doubleLog(alpha))
}

// mixtureRadius takes l = doubleLog(alpha), which is finite and above 0 for an alpha in
// (0, 1) and for no other.
func mixtureRadius(a, log1pA, l float64) float64 {
	if !(a > 0) || !(l > 0) {
		return math.Inf(1)
	}
	return math.Sqrt((1 + 1/a) * (log1pA + l))
}

// MixtureLogE is the log of the mixture's e-value a·z²/(2(1+a)) − ln(1+a)/2 (Robbins
// 1970): under the null its expectation never exceeds one, at any stopping time, for
// normal data of known variance, and asymptotically for others (Waudby-Smith et al. 2024).
//
// Without information (a = 0) it is 0. An a that is infinite or below 0, and a z that
// is no number, are no evidence: −Inf.
func MixtureLogE(a, z float64) float64 { return mixtureLogE(a, math.Log1p(a), z) }

func mixtureLogE(a, log1pA, z float64) float64 {
	switch {
	case a == 0:
		return 0
	case !(a > 0) || math.IsInf(a, 1) || math.IsNaN(z):
		return math.Inf(-1)
	case math.IsInf(z, 0):
		return math.Inf(1)
	case a > 1e150 || math.Abs(z) > 1e100: // where products of the formula overflow
		return a/(1+a)*z/2*z - log1pA/2
	}
	return a*z*z/(2*(1+a)) - log1pA/2
}

// MixtureP is the always-valid two-sided p-value
// min(1, √(1+a)·exp(−a·z²/(2(1+a)))). It is below α exactly when |z| exceeds
// MixtureRadius(a, α), and 1 where MixtureLogE is no evidence (Johari et al. 2022).
func MixtureP(a, z float64) float64 {
	return math.Min(1, math.Exp(-MixtureLogE(a, z)))
}

// MixtureRadiusOneSided is the boundary of z when only one direction matters:
// √(2(1+1/a)·ln(1+√(1+a)/(2α))) (Waudby-Smith et al. 2024, eq. 134).
//
// +Inf at a = 0, and for an a or an alpha that makes no sense.
func MixtureRadiusOneSided(a, alpha float64) float64 {
	if !(a > 0) || !(alpha > 0 && alpha < 1) {
		return math.Inf(1)
	}
	return math.Sqrt(2 * (1 + 1/a) * math.Log1p(math.Sqrt(1+a)/(2*alpha)))
}

// MixturePOneSided is the p-value that belongs to MixtureRadiusOneSided:
// √(1+a)/(2·(exp(z²a/(2(1+a)))−1)) for z > 0, at most 1, and 1 for z ≤ 0
// and where a or z is no number (Waudby-Smith et al. 2024, eq. 134).
func MixturePOneSided(a, z float64) float64 {
	if !(z > 0) || !(a > 0) {
		return 1
	}
	if p := math.Sqrt(1+a) / (2 * math.Expm1(z*z*a/(2*(1+a)))); p < 1 {
		return p
	}
	return 1
}

package design

import "math"

// CohenH is Cohen's standardised difference of proportions,
// 2·asin√p1 − 2·asin√p0 (Cohen 1988), whose standard deviation is 1 in each arm: pass it
// to Test.Power and Test.Size. NaN outside [0, 1].
func CohenH(p1, p0 float64) float64 {
	return 2*math.Asin(math.Sqrt(p1)) - 2*math.Asin(math.Sqrt(p0))
}

// spread is a pair of standard errors of p_T − p_C, times √n_T: under the null
// and under the alternative.
type spread struct{ null, alternative float64 }

// pooled is the spread of the z-test with the pooled proportion under the null.
func pooled(pT, pC, ratio float64) spread {
	mean := (pT + ratio*pC) / (1 + ratio)
	return spread{
		math.Sqrt(mean * (1 - mean) * (1 + 1/ratio)),
		math.Sqrt(pT*(1-pT) + pC*(1-pC)/ratio),
	}
}

func share(p float64) bool { return p >= 0 && p <= 1 }

// Proportions is the size for two proportions when the test pools them for its
// variance under the null: n_T = (z_{1−α/sides}·√(p̄(1−p̄)(1+1/r)) +
// z_power·√(p_T(1−p_T) + p_C(1−p_C)/r))²/(p_T − p_C)², with r = n_C/n_T and p̄ the
// pooled proportion (Fleiss, Levin & Paik 2003, without correction). +Inf for equal
// proportions (NaN if nothing is random), 0 for a power that the test has with no units, NaN
// for arguments out of their domain.
func (t Test) Proportions(pT, pC, power, ratio float64) Sizes {
	if !share(pT) || !share(pC) || !positive(ratio) {
		return Sizes{math.NaN(), math.NaN()}
	}
	return t.sizeOf(pooled(pT, pC, ratio), pT-pC, power, ratio)
}

func (t Test) sizeOf(s spread, distance, power, ratio float64) Sizes {
	if !probability(power) {
		return Sizes{math.NaN(), math.NaN()}
	}
	x := max(t.Sides.critical(t.Alpha)*s.null+upperQuantile(1-power)*s.alternative, 0) / distance
	return Sizes{x * x, ratio * x * x}
}

// ProportionsPower is the power of the test of Proportions with these sizes; both
// directions count if it is two-sided. NaN for arguments out of their domain.
func (t Test) ProportionsPower(pT, pC float64, n Sizes) float64 {
	if !share(pT) || !share(pC) || !positive(n.Treatment) || !positive(n.Control) || !t.Sides.valid() {
		return math.NaN()
	}
	s := pooled(pT, pC, n.Control/n.Treatment)
	if s.alternative == 0 { // nothing is random: the statistic is what it is
		s.alternative = math.SmallestNonzeroFloat64
	}
	distance, z := (pT-pC)*math.Sqrt(n.Treatment), t.Sides.critical(t.Alpha)*s.null
	power := upper((z - distance) / s.alternative)
	if t.Sides == TwoSided {
		power += upper((z + distance) / s.alternative)
	}
	return power
}

// NonInferiorProportions is the size that shows, one-sided at alpha, a difference
// p_T − p_C better than −margin (conversions: increase good) by Farrington &
// Manning's test (1990): the variance under the null is that of the maximum
// likelihood proportions with p_T − p_C = −margin. +Inf when the truth is not
// better than −margin, NaN for arguments out of their domain.
func (t Test) NonInferiorProportions(pT, pC, margin, power, ratio float64) Sizes {
	if !share(pT) || !share(pC) || !positive(ratio) || !(margin >= 0 && margin < 1) {
		return Sizes{math.NaN(), math.NaN()}
	}
	if pT-pC+margin <= 0 {
		return Sizes{math.Inf(1), math.Inf(1)}
	}
	t.Sides = OneSided
	s := pooled(pT, pC, ratio)
	nullC := restricted(pT, pC, -margin, ratio)
	nullT := nullC - margin
	s.null = math.Sqrt(math.Max(0, nullT*(1-nullT)+nullC*(1-nullC)/ratio))
	return t.sizeOf(s, pT-pC+margin, power, ratio)
}

// restricted is the control's proportion that maximises the likelihood of
// observed shares pT and pC (with ratio controls for each treated unit) when
// p_T − p_C = d: the likelihood is concave, so its score has one root.
func restricted(pT, pC, d, ratio float64) float64 {
	term := func(observed, p float64) float64 {
		v := 0.0
		if observed > 0 {
			v += observed / p
		}
		if observed < 1 {
			v -= (1 - observed) / (1 - p)
		}
		return v
	}
	low, high := math.Max(0, -d), math.Min(1, 1-d)
	return root(func(p float64) float64 {
		return term(pT, p+d) + ratio*term(pC, p)
	}, low+1e-16, high-1e-16)
}

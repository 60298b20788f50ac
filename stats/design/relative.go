package design

import "math"

// Unit is what one unit of an arm contributes: its mean and the variance of one
// unit, so that the arm's mean has the variance Variance/n. For a ratio metric
// that is the delta method's variance on units; for a covariate-adjusted one
// σ²(1−r²); for a proportion p(1−p).
type Unit struct{ Mean, Variance float64 }

// relativeVariance is the variance of the estimated lift (m_T − m_C)/|m_C| by the
// delta method when the lift truly is lift:
// v_T/m² + v_C(1+lift)²/m².
func relativeVariance(base Unit, lift float64, n Sizes) float64 {
	return base.Variance * (1/n.Treatment + (1+lift)*(1+lift)/n.Control) / (base.Mean * base.Mean)
}

func (u Unit) valid() bool {
	return u.Mean != 0 && !math.IsNaN(u.Mean) && !math.IsInf(u.Mean, 0) && u.Variance >= 0 && !math.IsInf(u.Variance, 1)
}

// RelativePower is the power for a lift of the control's mean, with equal
// variances in both arms, by the delta method (Deng, Knoblich & Lu 2018). NaN for a
// baseline that is zero or not finite, and for arguments out of their domain.
func (t Test) RelativePower(base Unit, lift float64, n Sizes) float64 {
	if !base.valid() || !positive(n.Treatment) || !positive(n.Control) || !t.Sides.valid() || math.IsNaN(lift) {
		return math.NaN()
	}
	if t.Sides == TwoSided {
		return t.Sides.power(math.Abs(lift)/math.Sqrt(relativeVariance(base, lift, n)), t.Sides.critical(t.Alpha))
	}
	return t.Sides.power(lift/math.Sqrt(relativeVariance(base, lift, n)), t.Sides.critical(t.Alpha))
}

// RelativeSize is the size that finds a lift with the power (normal, one
// direction), by the delta method (Deng, Knoblich & Lu 2018). +Inf for lift = 0 (NaN
// without variance), 0 for a power that the test has with no units, NaN for arguments out
// of their domain.
func (t Test) RelativeSize(base Unit, lift, power, ratio float64) Sizes {
	z := max(t.Sides.critical(t.Alpha)+upperQuantile(1-power), 0)
	if !base.valid() || !probability(power) || !positive(ratio) || math.IsNaN(lift) || math.IsInf(lift, 0) {
		z = math.NaN()
	}
	n := z * z * relativeVariance(base, lift, Sizes{1, ratio}) / (lift * lift)
	return Sizes{n, ratio * n}
}

// RelativeDetectable is the smallest rise of the control's mean, as a share of
// it, that the sizes find with the power: the larger root of
// L²m² = K²(v_T + v_C(1+L)²), K = z_{1−α/sides} + z_power (GrowthBook's quadratic, the
// delta method of Deng, Knoblich & Lu 2018).
// +Inf when there is none (m² ≤ K²·v_C: the baseline is too uncertain), NaN for
// arguments out of their domain.
func (t Test) RelativeDetectable(base Unit, power float64, n Sizes) float64 {
	k := t.Sides.critical(t.Alpha) + upperQuantile(1-power)
	if !probability(power) {
		return math.NaN()
	}
	return detectable(base, n, k)
}

// detectable solves the quadratic for a distance of k standard errors.
func detectable(base Unit, n Sizes, k float64) float64 {
	if !base.valid() || !positive(n.Treatment) || !positive(n.Control) || math.IsNaN(k) {
		return math.NaN()
	}
	if k <= 0 {
		return 0
	}
	vT, vC := k*k*base.Variance/n.Treatment, k*k*base.Variance/n.Control
	a := base.Mean*base.Mean - vC
	if a <= 0 {
		return math.Inf(1)
	}
	return (vC + math.Sqrt(vC*vC+a*(vT+vC))) / a
}

// More is how far an experiment that runs is from the power it wants.
type More struct {
	Power  float64 // now
	Double float64 // with twice the units
	Factor float64 // further units, in units of those so far: 0 when there are enough
	Units  float64 // further units in both arms
}

// Needed is the power of a two-sided test for a target effect with the standard
// error so far, and how many more units give the wanted power when the error
// shrinks with √n. critical is the threshold of |z| at a number of units: constant
// for one look at the end, rising or falling for a boundary (the last-point rule: the
// chance to be beyond it at that very moment; Monitor has the chance ever to
// cross; Cohen 1988 for one look). NaN for arguments out of their domain, +Inf when 2⁴⁰ times the units
// are not enough.
func Needed(target, stdError, units, power float64, critical func(units float64) float64) More {
	if critical == nil {
		return More{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	}
	at := func(k float64) float64 {
		return TwoSided.power(math.Abs(target)/stdError*math.Sqrt(k), critical(k*units))
	}
	m := More{Power: at(1), Double: at(2), Factor: math.NaN(), Units: math.NaN()}
	if !positive(stdError) || !positive(units) || !probability(power) || math.IsNaN(m.Power) {
		return More{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	}
	if m.Power >= power {
		m.Factor, m.Units = 0, 0
		return m
	}
	high := 2.0
	for at(high) < power {
		if high *= 2; high > 0x1p40 {
			m.Factor, m.Units = math.Inf(1), math.Inf(1)
			return m
		}
	}
	m.Factor = root(func(k float64) float64 { return at(k) - power }, 1, high) - 1
	m.Units = m.Factor * units
	return m
}

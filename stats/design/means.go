package design

import "math"

// Test is a test of a difference at one look.
type Test struct {
	Alpha float64 // error rate over both sides
	Sides Sides
	// Student plans for the pooled t-test, by the noncentral t; otherwise the
	// standard deviations count as known.
	Student bool
}

// Power is the chance to reject for a standardised effect d = δ/σ with n1 and n2
// units: the tails of the normal, or of the noncentral t with n1+n2−2 degrees of
// freedom, beyond the critical value around d·√(n1·n2/(n1+n2)). Both tails count
// if the test is two-sided (Cohen 1988). NaN for sizes that are not positive and, for the
// t-test, below 3 in total.
func (t Test) Power(d, n1, n2 float64) float64 {
	if !positive(n1) || !positive(n2) || math.IsNaN(d) || !t.Sides.valid() {
		return math.NaN()
	}
	mean := d * math.Sqrt(n1/(n1+n2)*n2)
	if t.Sides == TwoSided {
		mean = math.Abs(mean)
	}
	if t.Student {
		dof := n1 + n2 - 2
		return studentTails(studentCritical(t.Alpha, dof, t.Sides), mean, dof, t.Sides)
	}
	return t.Sides.power(mean, t.Sides.critical(t.Alpha))
}

// Size is the n1 that gives the power for a standardised effect, with
// n2 = ratio·n1: the root of Power. Round up. +Inf for d = 0 (or, one-sided, below)
// and a power above alpha; NaN for arguments out of their domain (Cohen 1988).
func (t Test) Size(d, power, ratio float64) float64 {
	if !probability(power) || !probability(t.Alpha) || !positive(ratio) || math.IsNaN(d) || math.IsInf(d, 0) || !t.Sides.valid() {
		return math.NaN()
	}
	if t.Sides == TwoSided {
		d = math.Abs(d)
	}
	if !(d > 0) {
		return math.Inf(1)
	}
	// One direction alone bounds the normal size from above; the t-test needs at
	// least one degree of freedom.
	z := math.Max(t.Sides.critical(t.Alpha)+upperQuantile(1-power), 0.1)
	high := z*z*(1+1/ratio)/(d*d) + 1
	low := 0.0
	if t.Student {
		low = 3.001 / (1 + ratio)
		high = math.Max(high, low)
		for range 60 {
			if t.Power(d, high, ratio*high) >= power {
				break
			}
			high *= 2
		}
		if t.Power(d, low, ratio*low) >= power {
			return low
		}
	} else if power <= t.Alpha {
		return 0
	}
	return root(func(n float64) float64 {
		if n == 0 {
			return -1
		}
		return t.Power(d, n, ratio*n) - power
	}, low, high)
}

// Detectable is the smallest standardised effect that n1 and n2 units find with
// the power: the root of Test.Power in d. NaN for arguments out of their domain.
func (t Test) Detectable(n1, n2, power float64) float64 {
	at := func(d float64) float64 { return t.Power(d, n1, n2) - power }
	if !probability(power) || math.IsNaN(at(0)) {
		return math.NaN()
	}
	if at(0) >= 0 {
		return 0
	}
	high := 10 / math.Sqrt(n1/(n1+n2)*n2)
	for range 60 {
		if at(high) >= 0 {
			break
		}
		high *= 2
	}
	return root(at, 0, high)
}

// Sizes of the two arms of a plan.
type Sizes struct{ Treatment, Control float64 }

// Total is the number of units of both arms; NaN if one of them is.
func (s Sizes) Total() float64 { return s.Treatment + s.Control }

// Means is the closed form for a difference δ of two means whose units have the
// standard deviations sdT and sdC, with n_C = ratio·n_T:
// n_T = (z_{1−α/sides} + z_power)²(σ_T² + σ_C²/ratio)/δ². It leaves out the chance
// to reject in the wrong direction, as planning programs do; Test.Size counts it (Chow,
// Shao & Wang 2008, §3.2). 0 for a power that the test has with no units, +Inf for δ = 0
// (NaN without variance), NaN for arguments out of their domain.
func (t Test) Means(delta, sdT, sdC, power, ratio float64) Sizes {
	z := max(t.Sides.critical(t.Alpha)+upperQuantile(1-power), 0)
	if !probability(power) || !positive(ratio) || !(sdT >= 0) || !(sdC >= 0) {
		z = math.NaN()
	}
	n := z * z * (sdT*sdT + sdC*sdC/ratio) / (delta * delta)
	return Sizes{n, ratio * n}
}

// NonInferiorMeans is the size that shows, one-sided at alpha, a difference
// better than −margin when it truly is delta (increase good):
// Means with the distance delta + margin. +Inf when that is not positive, NaN for
// arguments out of their domain.
func (t Test) NonInferiorMeans(delta, margin, sdT, sdC, power, ratio float64) Sizes {
	if !(margin >= 0) {
		return Sizes{math.NaN(), math.NaN()}
	}
	if delta+margin <= 0 {
		return Sizes{math.Inf(1), math.Inf(1)}
	}
	t.Sides = OneSided
	return t.Means(delta+margin, sdT, sdC, power, ratio)
}

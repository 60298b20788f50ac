package stats

import "math"

// Share is a number of successes among n units.
type Share struct{ Successes, Units int64 }

// possible reports whether real data can have these counts.
func (s Share) possible() bool {
	return s.Units >= 1 && s.Successes >= 0 && s.Successes <= s.Units && s.Units <= 1<<53
}

func (s Share) p() float64 { return float64(s.Successes) / float64(s.Units) }

// Wilson is the score interval of one proportion (Wilson 1927); [0, 1] without units,
// with counts that no data have or an alpha outside (0, 1), as for the other intervals
// of shares.
func (s Share) Wilson(alpha float64) Interval {
	if !s.possible() || !(alpha > 0 && alpha < 1) {
		return Interval{0, 1}
	}
	n, p := float64(s.Units), s.p()
	z := studentCritical(alpha/2, math.Inf(1))
	if math.IsInf(z*z, 1) {
		return Interval{0, 1}
	}
	middle := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	bounds := Interval{(middle - half) / (1 + z*z/n), (middle + half) / (1 + z*z/n)}
	if s.Successes == 0 {
		bounds.Low = 0 // exactly, whatever the rounding
	}
	if s.Successes == s.Units {
		bounds.High = 1
	}
	return bounds
}

// NewcombeDifference is the interval of p_T − p_C made of the arms' Wilson
// intervals (Newcombe 1998, method 10); [−1, 1] without units in an arm.
func NewcombeDifference(treatment, control Share, alpha float64) Interval {
	if !treatment.possible() || !control.possible() || !(alpha > 0 && alpha < 1) {
		return Interval{-1, 1}
	}
	t, c := treatment.Wilson(alpha), control.Wilson(alpha)
	pT, pC := treatment.p(), control.p()
	return Interval{
		pT - pC - math.Hypot(pT-t.Low, c.High-pC),
		pT - pC + math.Hypot(t.High-pT, pC-c.Low),
	}
}

// ScoreDifference is the Miettinen–Nurminen (1985) interval of p_T − p_C: the
// differences that the score test with variance·N/(N−1) does not refute. It is
// for counts too small for Welch's interval; [−1, 1] without units in an arm.
func ScoreDifference(treatment, control Share, alpha float64) Interval {
	if !treatment.possible() || !control.possible() || !(alpha > 0 && alpha < 1) {
		return Interval{-1, 1}
	}
	z := studentCritical(alpha/2, math.Inf(1))
	estimate := treatment.p() - control.p()
	return Interval{
		root(-1, estimate, func(d float64) bool { return DifferenceScore(treatment, control, d) <= z }),
		root(estimate, 1, func(d float64) bool { return DifferenceScore(treatment, control, d) <= -z }),
	}
}

// ScoreRatio is the Miettinen–Nurminen (1985) interval of p_T/p_C; [0, +Inf) without
// units in an arm, and unbounded above without successes in the control.
func ScoreRatio(treatment, control Share, alpha float64) Interval {
	if !treatment.possible() || !control.possible() || !(alpha > 0 && alpha < 1) || treatment.Successes+control.Successes == 0 {
		return Interval{0, math.Inf(1)}
	}
	z := studentCritical(alpha/2, math.Inf(1))
	// Searched as the share r/(1+r), which is finite.
	ratio := func(x float64) float64 { return x / (1 - x) }
	estimate := treatment.p() / (treatment.p() + control.p())
	low := root(0, estimate, func(x float64) bool { return RatioScore(treatment, control, ratio(x)) <= z })
	high := root(estimate, 1, func(x float64) bool { return RatioScore(treatment, control, ratio(x)) <= -z })
	bounds := Interval{ratio(low), ratio(high)}
	if treatment.Successes == 0 {
		bounds.Low = 0
	}
	if control.Successes == 0 {
		bounds.High = math.Inf(1)
	}
	return bounds
}

// root is where a monotone condition turns true between low and high.
func root(low, high float64, holds func(float64) bool) float64 {
	for range 80 {
		middle := low + (high-low)/2
		if holds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return low + (high-low)/2
}

// DifferenceScore is the score statistic of p_T − p_C = d. The variance is taken
// at the most likely proportions with that difference, the root of Miettinen &
// Nurminen's cubic. It is the non-inferiority test of Farrington & Manning
// (1990) with N/(N−1). NaN for shares that no data have and d outside [−1, 1]; infinite
// where the variance is 0.
func DifferenceScore(treatment, control Share, d float64) float64 {
	if !treatment.possible() || !control.possible() || !(math.Abs(d) <= 1) {
		return math.NaN()
	}
	n1, n0 := float64(treatment.Units), float64(control.Units)
	x, x0 := float64(treatment.Successes+control.Successes), float64(control.Successes)
	n := n1 + n0
	l2 := (n1+2*n0)*d - n - x
	l1 := (n0*d-n-2*x0)*d + x
	l0 := x0 * d * (1 - d)
	shift := l2 / (3 * n)
	q := shift*shift*shift - l1*l2/(6*n*n) + l0/(2*n)
	p := math.Copysign(math.Sqrt(math.Max(0, shift*shift-l1/(3*n))), q)
	angle := math.Pi / 3
	if p != 0 {
		angle = (math.Pi + math.Acos(clamp(q/(p*p*p), -1, 1))) / 3
	}
	p0 := clamp(2*p*math.Cos(angle)-shift, math.Max(0, -d), math.Min(1, 1-d))
	p1 := clamp(p0+d, 0, 1)
	return scoreZ(treatment.p()-control.p()-d, p1*(1-p1)/n1+p0*(1-p0)/n0, n)
}

// RatioScore is the score statistic of p_T/p_C = ratio (Miettinen & Nurminen 1985). NaN
// for shares that no data have and a ratio that is negative or not finite.
func RatioScore(treatment, control Share, ratio float64) float64 {
	if !treatment.possible() || !control.possible() || !(ratio >= 0) || math.IsInf(ratio, 1) {
		return math.NaN()
	}
	n1, n0 := float64(treatment.Units), float64(control.Units)
	x1, x0 := float64(treatment.Successes), float64(control.Successes)
	a := (n1 + n0) * ratio
	b := n1*ratio + x1 + n0 + x0*ratio
	c := x1 + x0
	// The smaller root of a·p² − b·p + c, in the form that keeps digits as a → 0.
	p0 := 2 * c / (b + math.Sqrt(math.Max(0, b*b-4*a*c)))
	p1 := clamp(p0*ratio, 0, 1)
	return scoreZ(treatment.p()-ratio*control.p(), p1*(1-p1)/n1+ratio*ratio*p0*(1-p0)/n0, n1+n0)
}

// scoreZ standardises with the variance·N/(N−1); no distance is zero even
// without variance.
func scoreZ(distance, variance, n float64) float64 {
	if distance == 0 {
		return 0
	}
	return distance / math.Sqrt(math.Max(variance, 0)*n/(n-1))
}

func clamp(x, low, high float64) float64 { return math.Max(low, math.Min(high, x)) }

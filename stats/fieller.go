package stats

import "math"

// FiellerLift is the interval of the lift (μ_T−μ_C)/|μ_C| from two independent
// means with squared standard errors, and critical multiples of the standard
// error (Fieller 1954). It holds exactly the lifts whose linear form
// m_T − (1+lift)·m_C is not refuted, so it excludes zero exactly when the test
// of the absolute difference rejects; the delta method has neither property. It assumes
// that both means are normal and independent. Without errors it is a point.
//
// If the control mean is not distinguishable from zero (g ≥ 1) every lift or
// all but a gap is possible: bounded is false and the interval is (−Inf, +Inf), as it is
// for numbers that are NaN, infinite or overflow.
func FiellerLift(meanT, error2T, meanC, error2C, critical float64) (lift Interval, bounded bool) {
	everything := Interval{math.Inf(-1), math.Inf(1)}
	g := FiellerG(meanC, error2C, critical)
	if !(g < 1) || math.IsInf(critical, 1) {
		return everything, false
	}
	r := meanT / meanC
	// The root's argument a + r²c − g·a, written so that it cannot turn negative; and
	// r − 1 as a difference of means, which keeps the digits of a small lift.
	half := critical / math.Abs(meanC) * math.Sqrt(error2T*(1-g)+r*r*error2C)
	middle := (meanT-meanC)/meanC + g
	low, high := (middle-half)/(1-g), (middle+half)/(1-g)
	if !(low <= high) || math.IsInf(low, 0) || math.IsInf(high, 0) { // no error, or too large for a number
		return everything, false
	}
	if meanC < 0 { // relative to |m_C|, so the lift is 1 − r
		return Interval{-high, -low}, true
	}
	return Interval{low, high}, true
}

// FiellerG is g = critical²·error2C/meanC²: below 1 the control mean is
// distinguishable from zero (Fieller 1954). It is +Inf or NaN for a control mean of zero.
func FiellerG(meanC, error2C, critical float64) float64 {
	return critical * critical * error2C / (meanC * meanC)
}

// lift is the relative effect's interval at a critical value. Under strict
// errors a lift is kept if either error keeps it, so the interval is the union
// of both (they share the point estimate, hence it has no gap).
func (p *Pair) lift(critical float64, strict bool) (Interval, bool) {
	t, c := p.Treatment, p.Control
	own, ok := FiellerLift(t.Mean, t.Error2, c.Mean, c.Error2, critical)
	if !strict || !ok {
		return own, ok
	}
	pooled, ok := FiellerLift(t.Mean, t.PooledError2, c.Mean, c.PooledError2, critical)
	return Interval{math.Min(own.Low, pooled.Low), math.Max(own.High, pooled.High)}, ok
}

// relativeTo expresses a difference as a fraction of |base|.
func relativeTo(difference, base float64) float64 {
	if base == 0 {
		return math.NaN()
	}
	return difference / math.Abs(base)
}

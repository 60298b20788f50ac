package yardstick

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/mathext"
)

// DoubleStitching are the parameters of the boundary that holds for all quantiles
// and all times at once: TOpt is where it is narrowest, Delta the mesh over
// quantiles (½), S and Eta as in Stitching (1.4 and 2).
type DoubleStitching struct{ TOpt, Delta, S, Eta float64 }

// Boundary is by how many ranks the empirical quantile p of t independent values
// may be off (Howard & Ramdas 2022, thm 4). +Inf for arguments outside their domain.
func (d DoubleStitching) Boundary(p, t, alpha float64) float64 {
	valid := p > 0 && p < 1 && t >= 1 && alpha > 0 && alpha < 1
	if !valid || !(d.TOpt >= 1) || !(d.Delta > 0) || !(d.S > 1) || !(d.Eta > 1) {
		return math.Inf(1)
	}
	t = math.Max(t, d.TOpt)
	logit := math.Log(p) - math.Log1p(-p)
	r := p
	if p < 0.5 {
		r = math.Min(0.5, 1/(1+math.Exp(-logit-2*d.Delta*math.Sqrt(d.TOpt*d.Eta/t))))
	}
	variance := r * (1 - r)
	j := math.Sqrt(t/d.TOpt)*math.Abs(logit)/(2*d.Delta) + 1
	zeta := mathext.Zeta(d.S, 1)
	l := d.S*math.Log(math.Log(d.Eta*t/d.TOpt)) + d.S*math.Log(j) +
		math.Log(2*zeta*(2*zeta+1)/(alpha*math.Pow(math.Log(d.Eta), d.S)))
	k1, k2 := stitchConstants(d.Eta)
	linear := k2 * (1 - 2*p) / 3 * l
	return known(d.Delta*math.Sqrt(d.Eta*t*variance/d.TOpt) + math.Sqrt(k1*k1*variance*t*l+linear*linear) + linear)
}

// EmpiricalBand is sup|F̂ − F| over all values and all t ≥ tMin, with error rate
// alpha: A·√((ln(1 + ln(t/tMin)) + C)/t), where C is the least constant that the
// proof allows (Howard & Ramdas 2022, thm 2). A > 1/√2, usually 0.85. +Inf before
// tMin.
func EmpiricalBand(t, alpha, tMin, a float64) float64 {
	if !(tMin >= 1) || !(t >= tMin) || !(alpha > 0 && alpha < 1) || !(a > math.Sqrt2/2) || math.IsInf(a, 1) {
		return math.Inf(1)
	}
	c := bisect(1e-6, 1e6, func(c float64) bool { return bandError(c, a) <= alpha })
	return known(a * math.Sqrt((math.Log1p(math.Log(t/tMin))+c)/t))
}

// bandError is the error rate that the proof gives for C, at its best epoch
// growth η: 4·e^(−γ²C)·(1 + 1/((γ²−1)·ln η)), γ² = (2/η)·(A − √(2(η−1)/C))².
func bandError(c, a float64) float64 {
	logError := func(eta float64) float64 {
		root := a - math.Sqrt(2*(eta-1)/c)
		gamma2 := 2 / eta * root * root
		if gamma2 <= 1 || eta <= 1 || root <= 0 {
			return math.Inf(1)
		}
		return math.Log(4) - gamma2*c + math.Log1p(1/((gamma2-1)*math.Log(eta)))
	}
	high := bisect(1, 2*a*a, func(eta float64) bool { return math.Sqrt(eta/2)+math.Sqrt(2*(eta-1)/c) >= a })
	return math.Exp(least(logError, 1, high))
}

// least is the minimum of a function with one valley, by ternary search.
func least(f func(float64) float64, low, high float64) float64 {
	x := valley(f, low, high)
	return f(x)
}

func valley(f func(float64) float64, low, high float64) float64 {
	for range 200 {
		a, b := low+(high-low)/3, high-(high-low)/3
		switch fa, fb := f(a), f(b); {
		case math.IsInf(fa, 1) && math.IsInf(fb, 1):
			low, high = a, b // both walls: the valley is between them
		case fa < fb:
			high = b
		default:
			low = a
		}
	}
	return low + (high-low)/2
}

// QuantileTest compares quantile P of independent values of two arms, or bounds
// it in one, at any number of values of each (Howard & Ramdas 2022, sec. 5). It
// is tuned to TOpt values at error rate AlphaOpt.
type QuantileTest struct{ P, TOpt, AlphaOpt float64 }

func (q QuantileTest) valid() bool {
	return q.P > 0 && q.P < 1 && q.TOpt > 0 && q.AlphaOpt > 0 && q.AlphaOpt < 1
}

// mixture is the log e-value against "a part q of the population lies below x",
// as a function of the part of the n values that does.
func (q QuantileTest) mixture(n int) func(below float64) float64 {
	variance := q.P * (1 - q.P)
	m := NewBetaBinomial(q.TOpt*variance, q.AlphaOpt, q.P, 1-q.P, false)
	return func(below float64) float64 { return m.LogE((below-q.P)*float64(n), variance*float64(n)) }
}

// PValue of "the quantiles are equal": min(1, exp(−min_x[G_a(x) + G_b(x)])), with
// the mixture of each arm at the part of its values below x. One without values,
// or with a NaN among them.
func (q QuantileTest) PValue(a, b []float64) float64 {
	if !q.valid() || len(a) == 0 || len(b) == 0 || slices.ContainsFunc(append(slices.Clone(a), b...), math.IsNaN) {
		return 1
	}
	first, second := q.evidence(a), q.evidence(b)
	lowest := math.Inf(1)
	for _, x := range append(slices.Clone(a), b...) {
		lowest = math.Min(lowest, first(x)+second(x))
	}
	return math.Min(1, math.Exp(-lowest))
}

// evidence is G(x): the least that the mixture says against the quantile being x,
// when the values equal to x may lie on either side of it.
func (q QuantileTest) evidence(values []float64) func(x float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	logE := q.mixture(n)
	calm := valley(logE, 0, 1)
	return func(x float64) float64 {
		less := sort.SearchFloat64s(sorted, x)
		upTo := sort.Search(n, func(i int) bool { return sorted[i] > x })
		return logE(math.Min(math.Max(calm, float64(less)/float64(n)), float64(upTo)/float64(n)))
	}
}

// Sequence is the confidence sequence of the quantile of one arm: the x that its
// mixture does not refute. An end that is infinite is not bounded yet; both are without
// values, with a NaN among them and for parameters outside their range.
func (q QuantileTest) Sequence(values []float64, alpha float64) Bounds {
	out := Bounds{math.Inf(-1), math.Inf(1)}
	if !q.valid() || len(values) == 0 || !(alpha > 0 && alpha < 1) || slices.ContainsFunc(values, math.IsNaN) {
		return out
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	logE := q.mixture(n)
	calm, limit := valley(logE, 0, 1), -math.Log(alpha)
	if logE(0) >= limit {
		below := bisect(0, calm, func(p float64) bool { return logE(p) < limit })
		out.Low = sorted[min(n, max(1, int(math.Ceil(below*float64(n)))))-1]
	}
	if logE(1) >= limit {
		above := bisect(calm, 1, func(p float64) bool { return logE(p) >= limit })
		out.High = sorted[min(n-1, int(math.Floor(above*float64(n))))]
	}
	return out
}

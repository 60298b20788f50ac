package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// QuantileRanks are the order statistics that make a quantile of n events: the
// point and the ends of its interval if the events were independent, counted
// from 1, n(p ± z√(p(1−p)/n)) rounded outwards. ok is false while the interval
// would leave the data: n must exceed z²·max(p/(1−p), (1−p)/p).
func QuantileRanks(n int64, p, z float64) (low, point, high int64, ok bool) {
	if n < 1 || !(p > 0 && p < 1) || !(z > 0) {
		return 0, 0, 0, false
	}
	size := float64(n)
	half := z * math.Sqrt(size*p*(1-p))
	low, high = int64(math.Floor(size*p-half)), int64(math.Ceil(size*p+half))
	point = max(1, int64(math.Ceil(size*p)))
	return low, point, high, low >= 1 && high <= n
}

// Quantile is the state of one arm for a quantile of its events: three order
// statistics and, because the events of one unit hang together, how many events
// each unit has (Joint 1) and how many of them lie at or below the point (Joint 0).
type Quantile struct {
	P                float64 // 0.95 for the 95th percentile
	Events           int64
	Low, Point, High float64 // values at QuantileRanks(Events, P, Z)
	Z                float64
	Below            Joint
}

// Estimate is the quantile with its error: that of independent events,
// (High−Low)/2z, times the square root of the design effect
// Var(ΣS/ΣN) ÷ p(1−p)/n, with units as clusters (Deng, Knoblich & Lu 2018).
// Without it, intervals of events of 10-fold users cover 75 % instead of 95 %.
func (q Quantile) Estimate() Estimate {
	e := Estimate{Value: q.Point, StdError: math.NaN(), DoF: math.Inf(1)}
	if _, _, _, ok := QuantileRanks(q.Events, q.P, q.Z); !ok || q.Below.N < 2 {
		return e
	}
	e.StdError = (q.High - q.Low) / (2 * q.Z) * math.Sqrt(q.DesignEffect())
	return e
}

// DesignEffect is how many times larger the variance is than with independent
// events.
func (q Quantile) DesignEffect() float64 {
	return q.Below.Ratio().squaredError() / (q.P * (1 - q.P) / float64(q.Events))
}

// Minus is the difference of two independent estimates.
func (e Estimate) Minus(o Estimate) Estimate {
	return Estimate{Value: e.Value - o.Value, StdError: math.Hypot(e.StdError, o.StdError), DoF: math.Min(e.DoF, o.DoF)}
}

// ExactQuantileRanks are the ends of the binomial interval of a quantile of
// independent values, counted from 1 (Conover 1999, §3.2). 0, or n+1, says that
// the interval is open to that side.
func ExactQuantileRanks(n int64, p, alpha float64) (low, high int64) {
	if n < 1 || n > 1<<53 || !(p > 0 && p < 1) || !(alpha > 0 && alpha < 1) {
		return 0, max(n, 0)
	}
	below := distuv.Binomial{N: float64(n), P: p}
	least := func(prob float64) int64 { // the least k with P(X ≤ k) ≥ prob
		a, b := int64(-1), n
		for b-a > 1 {
			if m := (a + b) / 2; below.CDF(float64(m)) >= prob {
				b = m
			} else {
				a = m
			}
		}
		return b
	}
	return least(alpha / 2), least(1-alpha/2) + 1
}

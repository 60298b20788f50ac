package yardstick

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a range of values that the data do not contradict.
type Interval struct{ Low, High float64 }

func nowhere() Interval { return Interval{math.NaN(), math.NaN()} }

// normal is the two-sided critical value; NaN for an alpha outside (0, 1).
func normal(alpha float64) float64 {
	if !(alpha > 0 && alpha < 1) {
		return math.NaN()
	}
	return -distuv.UnitNormal.Quantile(alpha / 2)
}

// Share is a number of successes among n units.
type Share struct{ Successes, Units float64 }

func (s Share) p() float64 { return s.Successes / s.Units }

func (s Share) valid() bool {
	return s.Units > 0 && s.Successes >= 0 && s.Successes <= s.Units && s.Units <= 1<<53
}

// within cuts an interval to the shares that there are.
func (i Interval) within(low, high float64) Interval {
	return Interval{math.Max(low, i.Low), math.Min(high, i.High)}
}

// Wald is p ± z√(p(1−p)/n), cut to [0, 1]: it has no width at 0 and covers badly with
// few successes (Laplace 1812; Brown, Cai & DasGupta 2001). NaN without units, with counts
// that no data have and for an alpha outside (0, 1), as the other intervals of shares.
func (s Share) Wald(alpha float64) Interval {
	if !s.valid() {
		return nowhere()
	}
	half := normal(alpha) * math.Sqrt(s.p()*(1-s.p())/s.Units)
	return Interval{s.p() - half, s.p() + half}.within(0, 1)
}

// AgrestiCoull is Wald's interval after adding z²/2 successes and failures (Agresti &
// Coull 1998). NaN without units.
func (s Share) AgrestiCoull(alpha float64) Interval {
	z := normal(alpha)
	if !s.valid() {
		return nowhere()
	}
	return Share{s.Successes + z*z/2, s.Units + z*z}.Wald(alpha)
}

// ClopperPearson is the exact interval (Clopper & Pearson 1934), made of quantiles of
// Beta(x, n−x+1) and Beta(x+1, n−x): it never covers less than it says, and most often
// more. NaN without units.
func (s Share) ClopperPearson(alpha float64) Interval {
	if !s.valid() || math.IsNaN(normal(alpha)) {
		return nowhere()
	}
	out := Interval{0, 1}
	x, n := s.Successes, s.Units
	if x > 0 {
		out.Low = mathext.InvRegIncBeta(x, n-x+1, alpha/2)
	}
	if x < n {
		out.High = mathext.InvRegIncBeta(x+1, n-x, 1-alpha/2)
	}
	return out.ordered()
}

// ordered is the interval, or [0, 1] where the quantile of a beta distribution is beyond
// what can be computed.
func (i Interval) ordered() Interval {
	if !(i.Low <= i.High) {
		return Interval{0, 1}
	}
	return i
}

// Jeffreys is the central interval of the posterior Beta(x+½, n−x+½) (Brown, Cai & DasGupta
// 2001). NaN without units.
func (s Share) Jeffreys(alpha float64) Interval {
	if !s.valid() || math.IsNaN(normal(alpha)) {
		return nowhere()
	}
	a, b := s.Successes+0.5, s.Units-s.Successes+0.5
	return Interval{mathext.InvRegIncBeta(a, b, alpha/2), mathext.InvRegIncBeta(a, b, 1-alpha/2)}.ordered()
}

// BinomialP is the exact two-sided p-value of "the share is p": the chance of all
// numbers of successes that are no likelier than the one seen. As a test of a split it
// is for one look (Clopper & Pearson 1934 for the tails). 1 without units, with counts that
// no data have or with a p outside [0, 1].
func (s Share) BinomialP(p float64) float64 {
	x, n := math.Round(s.Successes), math.Round(s.Units)
	if !s.valid() || !(p >= 0 && p <= 1) {
		return 1
	}
	below, above := binomialBelow(x, n, p), 1.0
	if x > 0 {
		above = 1 - binomialBelow(x-1, n, p)
		if p > 0 && p < 1 {
			above = mathext.RegIncBeta(x, n-x+1, p)
		}
	}
	limit := binomialLog(x, n, p) + 1e-7
	likelier := func(k float64) bool { return binomialLog(k, n, p) > limit }
	switch mode := p * n; {
	case x == mode:
		return 1
	case x < mode: // and the numbers above the mode from where they are as unlikely on
		low, high := math.Ceil(mode)-1, n+1
		for high-low > 1 {
			if k := math.Floor((low + high) / 2); likelier(k) {
				low = k
			} else {
				high = k
			}
		}
		if high > n {
			return math.Min(1, below)
		}
		return math.Min(1, below+mathext.RegIncBeta(high, n-high+1, p))
	default:
		low, high := -1.0, math.Floor(mode)+1
		for high-low > 1 {
			if k := math.Floor((low + high) / 2); likelier(k) {
				high = k
			} else {
				low = k
			}
		}
		if low < 0 {
			return math.Min(1, above)
		}
		return math.Min(1, above+binomialBelow(low, n, p))
	}
}

// binomialBelow is P(X ≤ x).
func binomialBelow(x, n, p float64) float64 {
	switch {
	case x < 0:
		return 0
	case x >= n || p == 0:
		return 1
	case p == 1:
		return 0
	}
	return mathext.RegIncBeta(n-x, x+1, 1-p)
}

func binomialLog(x, n, p float64) float64 {
	times := func(a, b float64) float64 { // 0·∞ is 0
		if a == 0 {
			return 0
		}
		return a * b
	}
	return -math.Log(n+1) - mathext.Lbeta(n-x+1, x+1) + times(x, math.Log(p)) + times(n-x, math.Log1p(-p))
}

// Rates compares two Poisson rates by the exact conditional test: given all events, the
// first's are binomial with share e₁/(e₁+e₂), and the interval of the ratio is Clopper &
// Pearson's of that share. It assumes independent events, which the events of one unit
// are not (Przyborowski & Wilenski 1940). NaN without events or exposure, and for numbers
// that are none; p is then 1.
func Rates(k1, exposure1, k2, exposure2, alpha float64) (ratio float64, interval Interval, p float64) {
	if !positive(exposure1, exposure2, k1+k2) || !(k1 >= 0) || !(k2 >= 0) {
		return math.NaN(), nowhere(), 1
	}
	share := Share{k1, k1 + k2}
	i := share.ClopperPearson(alpha)
	of := func(q float64) float64 { return q / (1 - q) * exposure2 / exposure1 }
	return k1 / exposure1 / (k2 / exposure2), Interval{of(i.Low), of(i.High)}, share.BinomialP(exposure1 / (exposure1 + exposure2))
}

package yardstick

import "math"

// Compared are two shares, held against one another at one look.
type Compared struct {
	Interval
	Z, P float64 // of "no difference", two-sided
}

// incomparable is what shares that no data have are.
func incomparable() Compared { return Compared{nowhere(), math.NaN(), math.NaN()} }

func compared(estimate, standardError, z float64) Compared {
	half, at := z*standardError, estimate/standardError
	if !(estimate-half <= estimate+half) { // no number, or too large for one
		return incomparable()
	}
	return Compared{Interval{estimate - half, estimate + half}, at, math.Erfc(math.Abs(at) / math.Sqrt2)}
}

// ratio takes an interval of logarithms back.
func (c Compared) ratio() Compared {
	c.Low, c.High = math.Exp(c.Low), math.Exp(c.High)
	return c
}

// PooledZ is the test of equal shares with the variance of all units together; its
// square is the chi-square of the 2×2 table without a correction (Pearson 1900). The interval
// of the difference is Wald's, with each arm's own variance. NaN where all units agree and
// for shares that no data have.
func PooledZ(treatment, control Share, alpha float64) Compared {
	if !treatment.valid() || !control.valid() {
		return incomparable()
	}
	all := Share{treatment.Successes + control.Successes, treatment.Units + control.Units}.p()
	d := treatment.p() - control.p()
	z := d / math.Sqrt(all*(1-all)*(1/treatment.Units+1/control.Units))
	wald := compared(d, math.Sqrt(treatment.p()*(1-treatment.p())/treatment.Units+control.p()*(1-control.p())/control.Units), normal(alpha))
	return Compared{wald.within(-1, 1), z, math.Erfc(math.Abs(z) / math.Sqrt2)}
}

// AgrestiCaffo is Wald's difference after adding one success and one failure to each
// arm (Agresti & Caffo 2000). NaN for shares that no data have, also of no units.
func AgrestiCaffo(treatment, control Share, alpha float64) Compared {
	if !treatment.valid() || !control.valid() {
		return incomparable()
	}
	t, c := Share{treatment.Successes + 1, treatment.Units + 2}, Share{control.Successes + 1, control.Units + 2}
	return compared(t.p()-c.p(), math.Sqrt(t.p()*(1-t.p())/t.Units+c.p()*(1-c.p())/c.Units), normal(alpha))
}

// RatioLog is the ratio of shares by the delta method on its logarithm (Katz et al.
// 1978), with so much added to successes and units of each arm: 0, or ½ (Walter 1975).
// Without successes and nothing added it is NaN, and for shares that no data have.
func RatioLog(treatment, control Share, add, alpha float64) Compared {
	if !treatment.valid() || !control.valid() || !(add >= 0) {
		return incomparable()
	}
	t, c := Share{treatment.Successes + add, treatment.Units + add}, Share{control.Successes + add, control.Units + add}
	se := math.Sqrt(1/t.Successes - 1/t.Units + 1/c.Successes - 1/c.Units)
	return compared(math.Log(t.p()/c.p()), se, normal(alpha)).ratio()
}

// OddsRatioLogit is the odds ratio by the delta method on its logarithm (Woolf 1955).
// An empty cell of the table gives NaN, and so do shares that no data have.
func OddsRatioLogit(treatment, control Share, alpha float64) Compared {
	if !treatment.valid() || !control.valid() {
		return incomparable()
	}
	t, c := treatment, control
	tf, cf := t.Units-t.Successes, c.Units-c.Successes
	se := math.Sqrt(1/t.Successes + 1/tf + 1/c.Successes + 1/cf)
	return compared(math.Log(t.Successes*cf/(tf*c.Successes)), se, normal(alpha)).ratio()
}

// OddsRatioScore keeps the odds ratios that Miettinen & Nurminen's score test (1985)
// does not refute, with the variance·N/(N−1) if corrected; z is that of an odds ratio
// of 1. Bounds are 0 and +Inf where an arm has no success or no failure; NaN without
// units.
func OddsRatioScore(treatment, control Share, corrected bool, alpha float64) Compared {
	if !treatment.valid() || !control.valid() {
		return Compared{nowhere(), math.NaN(), 1}
	}
	critical := normal(alpha)
	if math.IsNaN(critical) {
		return incomparable()
	}
	score := func(log float64) float64 { return oddsScore(treatment, control, math.Exp(log), corrected) }
	at := score(0)
	out := Compared{Interval{0, math.Inf(1)}, at, math.Erfc(math.Abs(at) / math.Sqrt2)}
	const widest = 50 // of log odds ratios; so far out the shares may leave nothing to divide by
	edge := func(side float64) float64 {
		inside, outside := -side*widest, side*widest
		for range 200 {
			middle := (inside + outside) / 2
			z := -side * score(middle)
			if z > critical || math.IsNaN(z) && side*middle > 0 {
				outside = middle
			} else {
				inside = middle
			}
		}
		return math.Exp(inside)
	}
	if treatment.Successes > 0 && control.Successes < control.Units {
		out.Low = edge(-1)
	}
	if control.Successes > 0 && treatment.Successes < treatment.Units {
		out.High = edge(+1)
	}
	return out
}

// oddsScore is the score statistic of an odds ratio: the variance is taken at the
// likeliest shares with it.
func oddsScore(t, c Share, odds float64, corrected bool) float64 {
	x := t.Successes + c.Successes
	a, b := c.Units*(odds-1), t.Units*odds+c.Units-x*(odds-1)
	// The root of a·p² + b·p − x in the form that keeps digits as a → 0.
	p0 := 2 * x / (b + math.Sqrt(math.Max(b*b+4*a*x, 0)))
	p1 := p0 * odds / (1 + p0*(odds-1))
	v1, v0 := p1*(1-p1), p0*(1-p0)
	z := ((t.p()-p1)/v1 - (c.p()-p0)/v0) / math.Sqrt(1/(t.Units*v1)+1/(c.Units*v0))
	if n := t.Units + c.Units; corrected {
		z *= math.Sqrt((n - 1) / n)
	}
	return z
}

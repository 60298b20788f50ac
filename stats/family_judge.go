package stats

import (
	"cmp"
	"math"
	"slices"
)

// Family is a set of tests that share one error rate.
//
// Its size is the number of tests that were declared, not of those that have
// data: a test without basis takes part with p = 1.
type Family struct {
	Correction Correction
	// Alpha is the rate of the whole family, in (0, 1): that of one false rejection
	// or, for the two Benjamini corrections, the share of false ones.
	Alpha float64
	// Weights split Alpha under Bonferroni, one of each test; their sum is at most 1.
	// nil splits it equally. Other corrections ignore them.
	Weights []float64
}

// Member is one two-sided test of a family: its p-value and the estimate, whose
// sign says on which side of the null it lies. A NaN p-value is 1.
type Member struct{ P, Estimate float64 }

// Judged is what a family says about one of its tests.
type Judged struct {
	P        float64 // adjusted; at most the family's Alpha exactly when Rejected
	Rejected bool
	// LowLevel and HighLevel are the two-sided levels of the plain intervals that
	// give the ends of the adjusted one; 0 is an end at infinity.
	LowLevel, HighLevel float64
	// Side is +1 or −1 where only the sign of a rejected effect is claimed for sure:
	// its interval is cut at the null, which is no part of it. Else it is 0.
	Side int
}

// Agrees tells whether the intervals of Judge exclude the null exactly where the
// test is rejected. For the others Judge gives Bonferroni's, which hold all the
// parameters together and may contain the null of a rejected test: no simple
// intervals that go with them are known.
func (c Correction) Agrees() bool {
	switch c {
	case Bonferroni, Sidak, Holm, BenjaminiHochberg, BenjaminiYekutieli:
		return true
	}
	return false
}

// Preferential gives the weights of a preferential Bonferroni: the tests marked
// primary share the part gamma of the error rate, the others the rest. Without
// one of the two kinds, or with gamma outside (0, 1), all weights are equal. It is the
// weighted Bonferroni of Rosenthal & Rubin (1983).
func Preferential(primary []bool, gamma float64) []float64 {
	k := 0
	for _, p := range primary {
		if p {
			k++
		}
	}
	m := len(primary)
	weights := make([]float64, m)
	for i, p := range primary {
		switch {
		case k == 0 || k == m || !(gamma > 0 && gamma < 1):
			weights[i] = 1 / float64(m)
		case p:
			weights[i] = gamma / float64(k)
		default:
			weights[i] = (1 - gamma) / float64(m-k)
		}
	}
	return weights
}

// Judge adjusts the p-values and says at which levels to take the intervals so
// that they agree with them. The members' plain p-value must be at most a level
// exactly when their plain interval of that level excludes the null.
//
//   - Bonferroni: p/w and the level α·w, w = 1/m or its weight. Šidák:
//     1−(1−α)^(1/m). Together these intervals hold with probability 1−α.
//   - Holm: each direction steps down by itself at α/2, so that a rejection claims
//     the sign too, under any dependence; where all estimates lie on one side of
//     the null this is Holm's procedure. Its simultaneous intervals (Strassburger &
//     Bretz 2008; Guilbaud 2008) end at the null for what is rejected, unless
//     everything is, and have the level α/(tests not rejected) for the rest: Holm
//     finds more than Bonferroni and says less about the size.
//   - Benjamini–Hochberg and –Yekutieli: with R rejections the level max(R,1)·α/m,
//     for the latter divided by Σ1/k: of the intervals of what was rejected, the
//     expected share that miss is at most α (Benjamini & Yekutieli 2005). For
//     MixtureP, which is 1/e of the current e-value, Benjamini–Hochberg is e-BH and
//     holds under any dependence, and so do these intervals (Xu, Wang & Ramdas 2022).
//
// A rate outside (0, 1) or weights that do not fit reject nothing and bound
// nothing.
func (f Family) Judge(members []Member) []Judged {
	m := len(members)
	out := make([]Judged, m)
	for i := range out {
		out[i].P = 1
	}
	if m == 0 || !(f.Alpha > 0 && f.Alpha < 1) {
		return out
	}
	p := make([]float64, m)
	for i, x := range members {
		if p[i] = clamp(x.P, 0, 1); math.IsNaN(x.P) {
			p[i] = 1
		}
	}
	switch {
	case f.Correction == Bonferroni && f.Weights != nil:
		f.weighted(p, out)
	case f.Correction == Holm:
		f.holm(p, members, out)
	default:
		f.plain(p, out)
	}
	return out
}

// weighted is Bonferroni with unequal parts.
func (f Family) weighted(p []float64, out []Judged) {
	sum := 0.0
	for _, w := range f.Weights {
		if !(w >= 0) {
			return
		}
		sum += w
	}
	if len(f.Weights) != len(p) || sum > 1+1e-9 {
		return
	}
	for i, w := range f.Weights {
		if w > 0 {
			out[i].P = math.Min(1, p[i]/w)
		}
		out[i].Rejected = out[i].P <= f.Alpha
		out[i].LowLevel, out[i].HighLevel = f.Alpha*w, f.Alpha*w
	}
}

// plain are the corrections that give every test the same level.
func (f Family) plain(p []float64, out []Judged) {
	rejected := 0
	for i, q := range f.Correction.Adjust(p) {
		out[i].P, out[i].Rejected = q, q <= f.Alpha
		if out[i].Rejected {
			rejected++
		}
	}
	level := f.level(len(p), rejected)
	for i := range out {
		out[i].LowLevel, out[i].HighLevel = level, level
	}
}

func (f Family) level(m, rejected int) float64 {
	n := float64(m)
	switch f.Correction {
	case Sidak:
		return -math.Expm1(math.Log1p(-f.Alpha) / n)
	case BenjaminiHochberg:
		return f.Alpha * float64(max(rejected, 1)) / n
	case BenjaminiYekutieli:
		return f.Alpha * float64(max(rejected, 1)) / (n * harmonic(m))
	case Bonferroni, Holm, HolmSidak, Hochberg, Hommel:
	}
	return f.Alpha / n
}

func harmonic(m int) float64 {
	sum := 0.0
	for k := 1; k <= m; k++ {
		sum += 1 / float64(k)
	}
	return sum
}

// holm steps down on either side of the null.
func (f Family) holm(p []float64, members []Member, out []Judged) {
	above := f.stepDownSide(p, members, +1, out)
	below := f.stepDownSide(p, members, -1, out)
	m := len(p)
	left := func(rejected int) float64 { return f.Alpha / float64(max(m-rejected, 1)) }
	for i := range out {
		out[i].LowLevel, out[i].HighLevel = left(above), left(below)
		if !out[i].Rejected {
			continue
		}
		everything := above == m || below == m // then there is rate left for the size
		if out[i].Side = +1; members[i].Estimate < 0 {
			out[i].Side = -1
		}
		switch {
		case everything:
			out[i].LowLevel, out[i].HighLevel = f.Alpha/float64(m), f.Alpha/float64(m)
		case out[i].Side > 0:
			out[i].LowLevel = 0
		default:
			out[i].HighLevel = 0
		}
	}
}

// stepDownSide adjusts the tests whose estimate is on one side and returns how
// many of them are rejected.
func (f Family) stepDownSide(p []float64, members []Member, side float64, out []Judged) int {
	var order []int
	for i := range p {
		if members[i].Estimate*side > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	rejected, running := 0, 0.0
	for rank, i := range order {
		running = math.Max(running, float64(len(p)-rank)*p[i])
		out[i].P = math.Min(1, running)
		if out[i].Rejected = out[i].P <= f.Alpha; out[i].Rejected {
			rejected++
		}
	}
	return rejected
}

// Interval is the adjusted interval, of Family.Judge, of a parameter whose null is 0, and whose
// plain interval of a two-sided level is at(level). Ends that cannot be ordered
// give (−Inf, +Inf), and so does a missing function.
func (j Judged) Interval(at func(level float64) Interval) Interval {
	out := everything()
	if at == nil {
		return out
	}
	if j.LowLevel > 0 {
		out.Low = at(j.LowLevel).Low
	}
	if j.HighLevel > 0 {
		out.High = at(j.HighLevel).High
	}
	switch {
	case j.Side > 0:
		out.Low = math.Max(0, out.Low)
	case j.Side < 0:
		out.High = math.Min(0, out.High)
	}
	if !(out.Low <= out.High) {
		return everything()
	}
	return out
}

package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

const (
	exactUnits  = 1_000_000 // beyond it, χ² of two arms is as good
	exactTables = 20_000    // possible counts of three and more arms that are added up
	exactTies   = 1e-7      // relative distance at which two probabilities count as equal
)

// SplitExactP is the exact p-value of a split at one look: the probability, given the
// intended shares, of all counts that are no likelier than these (Freeman & Halton
// 1951). It is for the few units for which χ² is not good, and like it not valid when
// one looks again and again.
//
// ok is false, and p 1, without units, for arguments that SampleRatio refuses, beyond
// 10⁶ units in two arms, and for three and more arms with over 20,000 possible counts.
// Arms without a share take no part.
func SplitExactP(counts []int64, shares []float64) (p float64, ok bool) {
	s := SRM{Shares: make([]float64, len(shares))}
	total, valid := s.normalise(counts, shares)
	if !valid || total == 0 || total > exactUnits {
		return 1, false
	}
	var seen []int64
	var planned []float64
	for i, share := range s.Shares {
		if share > 0 {
			seen, planned = append(seen, counts[i]), append(planned, share)
		}
	}
	switch {
	case len(seen) < 2:
		return 1, false
	case len(seen) == 2:
		return exactBinomial(seen[0], total, planned[0], planned[1]), true
	case tables(total, len(seen)) > exactTables:
		return 1, false
	}
	m := multinomial{shares: planned}
	m.limit = m.logProbability(seen) + exactTies
	m.add(make([]int64, len(seen)), 0, total)
	return math.Min(1, m.sum), true
}

// tables is the number of ways to spread units over arms: C(units+arms−1, arms−1).
func tables(units int64, arms int) float64 {
	n := 1.0
	for i := 1; i < arms; i++ {
		n *= float64(units+int64(i)) / float64(i)
	}
	return n
}

// multinomial adds up the probabilities of the counts that are no likelier than limit.
type multinomial struct {
	shares []float64
	limit  float64
	sum    float64
}

func (m *multinomial) logProbability(counts []int64) float64 {
	var units, log float64
	for i, n := range counts {
		units += float64(n)
		log += float64(n)*math.Log(m.shares[i]) - logFactorial(float64(n))
	}
	return log + logFactorial(units)
}

// add goes through all ways to spread what is left over the arms from one on.
func (m *multinomial) add(counts []int64, arm int, left int64) {
	if arm == len(counts)-1 {
		counts[arm] = left
		if log := m.logProbability(counts); log <= m.limit {
			m.sum += math.Exp(log)
		}
		return
	}
	for n := range left + 1 {
		counts[arm] = n
		m.add(counts, arm+1, left-n)
	}
}

// exactBinomial is the two-sided p of k among n with probability p, where q = 1 − p. A
// tail's far end is found by halving, since the probabilities fall away from the mode.
func exactBinomial(k, n int64, p, q float64) float64 {
	two := multinomial{shares: []float64{p, q}}
	limit := two.logProbability([]int64{k, n - k}) + exactTies
	likelier := func(j int64) bool { return two.logProbability([]int64{j, n - j}) > limit }
	mode := min(int64(float64(n+1)*p), n)
	if !likelier(mode) {
		return 1
	}
	low := last(-1, mode, func(j int64) bool { return j < 0 || !likelier(j) })
	high := n - last(-1, n-mode, func(j int64) bool { return j < 0 || !likelier(n-j) })
	var out float64
	if low >= 0 { // P(X ≤ low)
		out += mathext.RegIncBeta(float64(n-low), float64(low+1), q)
	}
	if high <= n { // P(X ≥ high)
		out += mathext.RegIncBeta(float64(high), float64(n-high+1), p)
	}
	return math.Min(1, out)
}

// last is the greatest j in [from, to) that holds, where from does, to does not, and
// what holds stands before what does not.
func last(from, to int64, holds func(int64) bool) int64 {
	for to-from > 1 {
		if middle := from + (to-from)/2; holds(middle) {
			from = middle
		} else {
			to = middle
		}
	}
	return from
}

func logFactorial(n float64) float64 {
	v, _ := math.Lgamma(n + 1)
	return v
}

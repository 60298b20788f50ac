package stats

import (
	"cmp"
	"math"
	"slices"
)

// Correction is a way to adjust the p-values of a family of tests.
type Correction string

// The corrections. All but BenjaminiHochberg, which bounds the share of false
// discoveries under positive dependence, and BenjaminiYekutieli, which does so
// under any, bound the probability of one false rejection; Bonferroni and Holm
// do so under any dependence. They hold for always-valid p-values too.
const (
	Bonferroni         Correction = "bonferroni"
	Sidak              Correction = "sidak"
	Holm               Correction = "holm"
	HolmSidak          Correction = "holm-sidak"
	Hochberg           Correction = "hochberg"
	Hommel             Correction = "hommel"
	BenjaminiHochberg  Correction = "benjamini-hochberg"
	BenjaminiYekutieli Correction = "benjamini-yekutieli"
)

// Adjust returns the adjusted p-values in the order of p: rejecting those at
// most α holds the family's rate at α. An unknown correction or a NaN gives
// ones, which reject nothing. The sources: Bonferroni 1936; Šidák 1967; Holm 1979 (and
// with Šidák's bound); Hochberg 1988; Hommel 1988; Benjamini & Hochberg 1995; Benjamini &
// Yekutieli 2001.
func (c Correction) Adjust(p []float64) []float64 {
	m := len(p)
	adjusted := make([]float64, m)
	order := make([]int, m)
	for i := range order {
		order[i], adjusted[i] = i, 1
	}
	if slices.ContainsFunc(p, math.IsNaN) {
		return adjusted
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	sorted := make([]float64, m)
	for rank, i := range order {
		sorted[rank] = clamp(p[i], 0, 1)
	}
	for rank, q := range c.sorted(sorted) {
		adjusted[order[rank]] = math.Min(1, math.Max(q, sorted[rank])) // m·p/m may be rounded below p
	}
	return adjusted
}

// sorted adjusts p-values in ascending order.
func (c Correction) sorted(p []float64) []float64 {
	m := float64(len(p))
	left := func(i int) float64 { return m - float64(i) } // hypotheses not yet rejected
	switch c {
	case Bonferroni:
		return each(p, func(_ int, x float64) float64 { return m * x })
	case Sidak:
		return each(p, func(_ int, x float64) float64 { return anyOf(x, m) })
	case Holm:
		return stepDown(each(p, func(i int, x float64) float64 { return left(i) * x }))
	case HolmSidak:
		return stepDown(each(p, func(i int, x float64) float64 { return anyOf(x, left(i)) }))
	case Hochberg:
		return stepUp(each(p, func(i int, x float64) float64 { return left(i) * x }))
	case BenjaminiHochberg:
		return stepUp(each(p, func(i int, x float64) float64 { return m * x / float64(i+1) }))
	case BenjaminiYekutieli:
		sum := harmonic(len(p))
		return stepUp(each(p, func(i int, x float64) float64 { return sum * m * x / float64(i+1) }))
	case Hommel:
		return hommel(p)
	}
	return each(p, func(int, float64) float64 { return 1 })
}

func each(p []float64, f func(i int, x float64) float64) []float64 {
	out := make([]float64, len(p))
	for i, x := range p {
		out[i] = f(i, x)
	}
	return out
}

// anyOf is the probability that the least of n independent p-values is at most x.
func anyOf(x, n float64) float64 { return -math.Expm1(n * math.Log1p(-x)) }

// stepDown makes values non-decreasing from the smallest p on, stepUp from the
// largest down.
func stepDown(q []float64) []float64 {
	for i := 1; i < len(q); i++ {
		q[i] = math.Max(q[i], q[i-1])
	}
	return q
}

func stepUp(q []float64) []float64 {
	for i := len(q) - 2; i >= 0; i-- {
		q[i] = math.Min(q[i], q[i+1])
	}
	return q
}

// hommel is the closed test with Simes' inequality: over every size k of an
// intersection, the least k·p/rank among the hypotheses it must contain
// (Hommel 1988, in the form of Wright 1992).
func hommel(p []float64) []float64 {
	m := len(p)
	adjusted := slices.Clone(p)
	for k := m; k >= 2; k-- {
		simes := math.Inf(1) // over the k−1 largest
		for rank := 2; rank <= k; rank++ {
			simes = math.Min(simes, float64(k)*p[m-k+rank-1]/float64(rank))
		}
		floor := math.Min(float64(k)*p[m-k], simes) // with the next larger one
		for i := range p {
			bound := floor
			if i <= m-k {
				bound = math.Min(float64(k)*p[i], simes)
			}
			adjusted[i] = math.Max(adjusted[i], bound)
		}
	}
	return adjusted
}

// EBH is the e-value version of Benjamini–Hochberg (Wang & Ramdas 2022): it
// rejects the k largest e-values, k being the largest number with the k-th of
// them at least m/(k·α). It holds the false discovery rate at α under any
// dependence. Use current e-values, never running maxima of different tests. A NaN is
// no evidence, and an alpha outside (0, 1) rejects nothing.
func EBH(e []float64, alpha float64) (rejected []bool) {
	ranked := slices.DeleteFunc(slices.Clone(e), math.IsNaN)
	slices.SortFunc(ranked, func(a, b float64) int { return cmp.Compare(b, a) })
	limit := math.Inf(1)
	if !(alpha > 0 && alpha < 1) {
		return make([]bool, len(e))
	}
	for i, x := range ranked {
		if x >= float64(len(e))/(float64(i+1)*alpha) {
			limit = x
		}
	}
	for _, x := range e {
		rejected = append(rejected, x >= limit)
	}
	return rejected
}

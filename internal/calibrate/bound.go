package main

import (
	"fmt"
	"math"
	"sort"

	"github.com/assay-dev/assay/stats"
)

// bound is what a figure's mean must be, as far as so many replicates can tell.
type bound struct {
	Kind   boundKind `json:"kind"`
	Target float64   `json:"target"`
	Within float64   `json:"within,omitempty"` // of near and about: how far from the target it may be
}

type boundKind string

const (
	shown   boundKind = "shown"    // no promise: the figure is for comparison
	atMost  boundKind = "at most"  // a rate of errors
	atLeast boundKind = "at least" // a rate of successes
	near    boundKind = "near"     // a rate known from elsewhere
	about   boundKind = "about"    // likewise a mean that is no rate
)

// falseAlarm is the chance that an engine which keeps every promise misses a target
// somewhere in a run; each figure with a target has an even share of it.
const falseAlarm = 0.01

// shareOf the chance for one of so many figures.
func shareOf(figures int) float64 { return falseAlarm / float64(max(1, figures)) }

// holds tells whether a mean of so many replicates is compatible with the bound: the
// binomial probability of a mean as far off, or farther, is more than the level. A
// mean of shares varies no more than one of zeros and ones. Other means vary by their
// standard error.
func (b bound) holds(mean, se float64, n int, level float64) bool {
	k := int64(math.Round(mean * float64(n)))
	above := func(p float64) bool { return stats.BinomialAbove(k, int64(n), p) <= level }
	below := func(p float64) bool { return stats.BinomialAbove(int64(n)-k, int64(n), 1-p) <= level }
	switch b.Kind {
	case atMost:
		return !above(b.Target)
	case atLeast:
		return !below(b.Target)
	case near:
		return !above(min(1, b.Target+b.Within)) && !below(max(0, b.Target-b.Within))
	case about:
		return math.Abs(mean-b.Target) <= b.Within+se*math.Sqrt2*math.Erfcinv(2*level)
	default:
		return true
	}
}

// reach is the last mean that passes on the side that the bound guards; of near and about, the upper one.
func (b bound) reach(se float64, n int, level float64) float64 {
	switch b.Kind {
	case atLeast:
		return float64(sort.Search(n, func(k int) bool { return b.holds(float64(k)/float64(n), 0, n, level) })) / float64(n)
	case about:
		return b.Target + b.Within + se*math.Sqrt2*math.Erfcinv(2*level)
	}
	first := int(math.Ceil((b.Target + b.Within) * float64(n)))
	over := sort.Search(n+1-first, func(i int) bool { return !b.holds(float64(first+i)/float64(n), 0, n, level) })
	return float64(first+over-1) / float64(n)
}

// String is the bound as tables show it.
func (b bound) String() string {
	switch b.Kind {
	case shown:
		return "–"
	case near, about:
		return fmt.Sprintf("%g ± %.3g", b.Target, b.Within)
	default:
		return fmt.Sprintf("%s %g", b.Kind, b.Target)
	}
}

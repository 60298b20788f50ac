package yardstick

import "math"

// PageHinkley watches a stream for a rise of its mean (Page 1954; Hinkley 1971),
// with forgetting:
//
//	mean ← mean + (x − mean)/n        sum ← max(0, forget·sum + x − mean − slack)
//
// and a change where sum > threshold, after which it starts anew. It has no error
// rate: the threshold is in the units of the data and has to be tried out. NaN and values
// beyond ±10¹⁵⁰ are not taken in.
type PageHinkley struct {
	MinUnits  int     // values to wait for before a change may be told
	Slack     float64 // rise of the mean that is put up with
	Threshold float64
	Forget    float64 // weight of the past, at most 1

	seen      int
	mean, sum float64
	changed   bool
}

// Add takes a value in and tells whether there is a change at it.
func (p *PageHinkley) Add(x float64) bool {
	if !computable(x) {
		return false
	}
	if p.changed {
		p.seen, p.mean, p.sum = 0, 0, 0
	}
	p.seen++
	p.mean += (x - p.mean) / float64(p.seen)
	p.sum = math.Max(0, p.Forget*p.sum+x-p.mean-p.Slack)
	p.changed = p.seen+1 >= p.MinUnits && p.sum > p.Threshold
	return p.changed
}

// What ADWIN fixes: how many buckets of one size are kept, how often cuts are
// looked for, and how short a window or a part of one may be.
const (
	adwinBuckets = 5
	adwinClock   = 32
	adwinWindow  = 10
	adwinPart    = 5
)

// Adwin keeps a window of the newest values whose mean seems constant (Bifet &
// Gavaldà 2007). Every 32 values it looks for a cut between two parts whose means
// differ by more than
//
//	√(2·m·s²·L) + ⅔·m·L    L = ln(2·ln(n)/δ),  m = 1/(n₀−4) + 1/(n₁−4)
//
// and drops the oldest bucket while there is one. Values are kept in buckets of
// 2^i, at most five of a size, so a window of n takes O(log n).
//
// The scheme of buckets follows scikit-multiflow, with two of its simplifications:
// a cut is never tried behind the newest bucket of a size, and two joined buckets
// keep the spread of the newer and that between both. The window is therefore an
// approximation of the paper's. NaN and values
// beyond ±10¹⁵⁰ are not taken in, and a Delta outside (0, 1) cuts nothing.
type Adwin struct {
	Delta float64 // confidence, in (0, 1); the paper's δ

	rows   [][]bucket // rows[i]: buckets of 2^i values, the oldest first
	seen   int
	width  int
	sum    float64
	spread float64
}

type bucket struct{ sum, spread float64 }

// Width is the number of values in the window.
func (a *Adwin) Width() int { return a.width }

// Mean is that of the window; 0 without values.
func (a *Adwin) Mean() float64 {
	if a.width == 0 {
		return 0
	}
	return a.sum / float64(a.width)
}

// computable reports whether squares of so many values as there will be are numbers.
func computable(x float64) bool { return math.Abs(x) <= 1e150 }

// Add takes a value in and tells whether the window was cut at it.
func (a *Adwin) Add(x float64) bool {
	if !computable(x) {
		return false
	}
	if len(a.rows) == 0 {
		a.rows = [][]bucket{nil}
	}
	if a.width > 0 {
		a.spread += between(1, x, float64(a.width), a.sum)
	}
	a.seen++
	a.width++
	a.sum += x
	a.rows[0] = append(a.rows[0], bucket{sum: x})
	a.compress()
	if a.seen%adwinClock != 0 || a.width <= adwinWindow {
		return false
	}
	changed := false
	for a.cuttable() {
		a.dropOldest()
		changed = true
	}
	return changed
}

// between is what the distance of two sets' means adds to their joint spread.
func between(n1, sum1, n2, sum2 float64) float64 {
	d := sum1/n1 - sum2/n2
	return n1 * n2 * d * d / (n1 + n2)
}

// compress joins the two oldest buckets of every size that has too many.
func (a *Adwin) compress() {
	for i := 0; i < len(a.rows) && len(a.rows[i]) > adwinBuckets; i++ {
		if i+1 == len(a.rows) {
			a.rows = append(a.rows, nil)
		}
		size := math.Ldexp(1, i)
		old, newer := a.rows[i][0], a.rows[i][1]
		joined := bucket{old.sum + newer.sum, newer.spread + between(size, old.sum, size, newer.sum)}
		a.rows[i+1] = append(a.rows[i+1], joined)
		a.rows[i] = append(a.rows[i][:0:0], a.rows[i][2:]...)
	}
}

// cuttable looks for two parts with different means, the oldest cut first.
func (a *Adwin) cuttable() bool {
	if !(a.Delta > 0 && a.Delta < 1) {
		return false
	}
	n := float64(a.width)
	confidence := math.Log(2 * math.Log(n) / a.Delta)
	old, oldSum := 0.0, 0.0
	for i := len(a.rows) - 1; i >= 0; i-- {
		for k := 0; k < len(a.rows[i])-1; k++ {
			old += math.Ldexp(1, i)
			oldSum += a.rows[i][k].sum
			if old < adwinPart || n-old < adwinPart {
				continue
			}
			m := 1/(old-adwinPart+1) + 1/(n-old-adwinPart+1)
			limit := math.Sqrt(2*m*a.spread/n*confidence) + 2*confidence*m/3
			if math.Abs(oldSum/old-(a.sum-oldSum)/(n-old)) > limit {
				return true
			}
		}
	}
	return false
}

func (a *Adwin) dropOldest() {
	last := len(a.rows) - 1
	size, oldest := math.Ldexp(1, last), a.rows[last][0]
	a.width -= int(size)
	a.sum -= oldest.sum
	a.spread -= oldest.spread + between(size, oldest.sum, float64(a.width), a.sum)
	if a.rows[last] = append(a.rows[last][:0:0], a.rows[last][1:]...); len(a.rows[last]) == 0 {
		a.rows = a.rows[:last]
	}
}

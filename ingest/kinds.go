package ingest

import (
	"github.com/assay-dev/assay/internal/experiment"
)

// measure is a metric as an iteration pins it: what a unit's totals add to its
// cells. This file and terms.go are all that the join knows of metric kinds.
type measure struct {
	name  string
	slot  int64
	first int      // place of its total y among the unit's
	ratio bool     // the place after it holds z, the denominator's total
	caps  [2]int64 // what y and z count for at most; 0: no cap
}

// compileMeasures gives the metrics of an iteration that are counted while events
// are read, and the totals that they need.
func compileMeasures(e *experiment.Experiment, metrics []experiment.Metric, symbol func(string) uint32) (measures []measure, terms []term) {
	for i := range metrics {
		m := &metrics[i]
		if !m.Kind.Fast() {
			continue
		}
		c := measure{name: m.Name, slot: experiment.SlotOf(e.WindowOf(m)).Milliseconds(), first: len(terms), ratio: m.Kind == experiment.Ratio}
		for k, t := range compileTerms(e, m, symbol) {
			t.metric = len(measures)
			c.caps[k] = t.cap
			terms = append(terms, t)
		}
		measures = append(measures, c)
	}
	return measures, terms
}

// capped applies a cap to a total.
func capped(y Int128, most int64) Int128 {
	if most != 0 && Int64(most).Sub(y).Sign() < 0 {
		return Int64(most)
	}
	return y
}

// moment is what a unit with these totals adds to its cells; z is a ratio's.
func (m *measure) moment(y, z Int128) Delta {
	y = capped(y, m.caps[0])
	if !m.ratio {
		return moment(y)
	}
	return moments(y, capped(z, m.caps[1]))
}

// moment is what a unit with the total y adds.
func moment(y Int128) Delta {
	if tooLarge(y) {
		return Delta{Over: 1}
	}
	d := Delta{N: 1, Sum: y, SumSquares: Square(int64(y.Lo))}
	if !y.IsZero() {
		d.NonZero = 1
	}
	return d
}

// moments is what a unit adds to a ratio. Only units with something above and
// below the line are counted as non-zero: the fewer of the two decide whether
// there is enough to judge by.
func moments(y, z Int128) Delta {
	if tooLarge(y) || tooLarge(z) {
		return Delta{Over: 1}
	}
	a, b := int64(y.Lo), int64(z.Lo)
	d := Delta{
		N: 1, Sum: y, SumSquares: Square(a),
		SumDenominator: z, SumSquaresDenominator: Square(b), SumProduct: Product(a, b),
	}
	if a != 0 && b != 0 {
		d.NonZero = 1
	}
	return d
}

// tooLarge tells whether |y| ≥ 2^47.
func tooLarge(y Int128) bool {
	if y.Sign() < 0 {
		y = y.Neg()
	}
	return y.Hi != 0 || y.Lo >= 1<<limitYBits
}

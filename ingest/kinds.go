package ingest

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/experiment"
)

// measure is a metric as an iteration pins it. This file is all that the join
// knows of metric kinds: how an outcome is read, and what it does to y.
type measure struct {
	name      string
	event     uint32 // symbol
	where     []Attr // sorted by name
	kind      experiment.Kind
	attribute string // where the number is; "": the event's value
	decimals  int
	window    int64
	slot      int64
}

func compileMeasure(e *experiment.Experiment, m *experiment.Metric, symbol func(string) uint32) measure {
	window := e.WindowOf(m)
	c := measure{
		name: m.Name, event: symbol(m.Event), kind: m.Kind, decimals: m.Decimals,
		window: window.Milliseconds(), slot: experiment.SlotOf(window).Milliseconds(),
	}
	if name, ok := strings.CutPrefix(m.Value, "attrs."); ok && c.numeric() {
		c.attribute = name
	}
	for name, value := range m.Where {
		c.where = append(c.where, Attr{name, value})
	}
	slices.SortFunc(c.where, func(a, b Attr) int { return cmp.Compare(a.Name, b.Name) })
	return c
}

// numeric tells whether the metric reads a number from each event.
func (m *measure) numeric() bool {
	return m.kind == experiment.Mean || m.kind == experiment.Sum
}

// reading is what a metric makes of one outcome.
type reading uint8

const (
	otherEvent   reading = iota // not this metric's event
	unmet                       // "where" does not hold
	counts                      // it counts, if its time is right
	outOfRange                  // |x|·10^decimals ≥ 2^47
	badAttribute                // the attribute holds no number
)

// read takes the metric's number, in units of 10^-decimals, from an outcome.
func (m *measure) read(r *row, attrs []byte) (int64, reading) {
	if r.name != m.event {
		return 0, otherEvent
	}
	for i := range m.where {
		if v, ok := attr(attrs, m.where[i].Name); !ok || string(v) != m.where[i].Value {
			return 0, unmet
		}
	}
	if !m.numeric() {
		return 1, counts
	}
	value := r.value
	if m.attribute != "" {
		text, _ := attr(attrs, m.attribute)
		v, err := parseValue(text)
		switch {
		case errors.Is(err, ErrNotNumber):
			return 0, badAttribute
		case errors.Is(err, ErrTooLarge):
			return 0, outOfRange
		}
		value = v
	}
	x, ok := scaled(value, m.decimals)
	if !ok {
		return 0, outOfRange
	}
	return x, counts
}

// add returns the unit's total after one more outcome that counts.
func (m *measure) add(y Int128, x int64) Int128 {
	if m.kind == experiment.Proportion {
		return Int64(1)
	}
	return y.Add(Int64(x))
}

// timely tells whether an outcome at t belongs to a unit first exposed at first.
// That t lies within the iteration is the caller's to check.
func (m *measure) timely(t, first, grace int64) bool {
	return t >= first-grace && t <= first+m.window
}

// moment is what a unit with the total y adds to its cells.
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

// tooLarge tells whether |y| ≥ 2^47.
func tooLarge(y Int128) bool {
	if y.Sign() < 0 {
		y = y.Neg()
	}
	return y.Hi != 0 || y.Lo >= 1<<limitYBits
}

package ingest

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// term is one total that is kept for every unit: the y of a metric, or one of the
// two of a ratio. It says how an outcome is read and what it does to the total.
type term struct {
	metric      int // place of its metric among the iteration's
	name        string
	event       uint32 // symbol
	where       []Attr // sorted by name
	aggregation experiment.Aggregation
	attribute   string // where the number is; "": the event's value
	decimals    int
	cap         int64 // 0: none
	// An outcome counts when after ≤ its time − first exposure ≤ until.
	after, until int64
}

func compileTerms(e *experiment.Experiment, m *experiment.Metric, symbol func(string) uint32) []term {
	parts := []experiment.Part{{Event: m.Event, Value: m.Value, Where: m.Where, Aggregation: aggregation(m.Kind), Decimals: m.Decimals, Cap: m.Cap}}
	if m.Kind == experiment.Ratio {
		parts = []experiment.Part{*m.Numerator, *m.Denominator}
	}
	list := make([]term, len(parts))
	for i := range parts {
		p := &parts[i]
		list[i] = term{
			name: m.Name, event: symbol(p.Event), where: condition(p.Where), aggregation: p.Aggregation, decimals: p.Decimals,
			after: -e.Grace.Milliseconds(), until: e.WindowOf(m).Milliseconds(),
		}
		if m.Kind == experiment.Retention {
			list[i].after, list[i].until = m.From.Milliseconds(), m.To.Milliseconds()-1
		}
		if p.Aggregation == experiment.AggregateSum {
			list[i].attribute = p.Attribute()
		}
		if p.Cap != nil {
			list[i].cap = compileCap(p.Cap.At, p.Decimals)
		}
	}
	return list
}

// aggregation says what the events of a metric become that is no ratio.
func aggregation(k experiment.Kind) experiment.Aggregation {
	switch k {
	case experiment.Count:
		return experiment.AggregateCount
	case experiment.Proportion, experiment.Retention:
		return experiment.AggregateAny
	default:
		return experiment.AggregateSum
	}
}

// compileCap returns a cap in units of 10^-decimals; one that is not a number yet
// is none.
func compileCap(text string, decimals int) int64 {
	v, err := ParseValue(text)
	if err != nil {
		return 0
	}
	most, ok := scaled(v, decimals)
	if !ok {
		return math.MaxInt64 // beyond every total that is counted
	}
	return most
}

// condition gives the attributes that must be so, sorted by name.
func condition(c experiment.Condition) []Attr {
	var list []Attr
	for name, value := range c {
		list = append(list, Attr{name, value})
	}
	slices.SortFunc(list, func(a, b Attr) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// holds tells whether all attributes of a condition are so.
func holds(condition []Attr, attrs []byte) bool {
	for i := range condition {
		if v, ok := attr(attrs, condition[i].Name); !ok || string(v) != condition[i].Value {
			return false
		}
	}
	return true
}

// reading is what a term makes of one outcome.
type reading uint8

const (
	otherEvent   reading = iota // not this term's event
	unmet                       // "where" does not hold
	counts                      // it counts, if its time is right
	outOfRange                  // |x|·10^decimals ≥ 2^47
	badAttribute                // the attribute holds no number
)

// numeric tells whether the term reads a number from each event.
func (m *term) numeric() bool { return m.aggregation == experiment.AggregateSum }

// read takes the term's number, in units of 10^-decimals, from an outcome.
func (m *term) read(r *row, attrs []byte) (int64, reading) {
	if r.name != m.event {
		return 0, otherEvent
	}
	if !holds(m.where, attrs) {
		return 0, unmet
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
func (m *term) add(y Int128, x int64) Int128 {
	if m.aggregation == experiment.AggregateAny {
		return Int64(1)
	}
	return y.Add(Int64(x))
}

// timely tells whether an outcome at t belongs to a unit first exposed at first.
// That t lies within the iteration is the caller's to check.
func (m *term) timely(t, first int64) bool {
	return t-first >= m.after && t-first <= m.until
}

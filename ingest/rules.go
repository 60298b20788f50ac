package ingest

import (
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// trial is what counting depends on in one experiment, and nothing else: two
// versions that give equal trials count alike.
type trial struct {
	key    string
	symbol uint32
	design // as it is now: for exposures that belong to no iteration
	runs   []run
	asks   bool // one of its iterations asks for consent
}

// design is what is fixed while an iteration runs. Between two iterations it may
// change, and each of them is counted by the one under which it ran.
type design struct {
	kind     uint32   // symbol of the unit kind
	variants []string // in the file's order
	symbols  []uint32 // of the variants
	exclude  bool     // what a crossover does
	grace    int64
	slot     int64 // of the experiment's window: for units and counters
	dims     []dimension
	consent  experiment.Consent // what an exposure must say to count
	verified bool               // attributes that are not proved are none
	barred   [][]Attr           // a unit whose first exposure meets one of these conditions gives nothing
}

// run is an iteration.
type run struct {
	design
	number            uint32
	start, enrol, end int64
	killed            bool
	phases            []phase
	metrics           []measure
	terms             []term // a unit's totals, those of one metric beside each other
	finest            int64  // of all slots in it; the others are multiples
}

type phase struct {
	number  uint16
	from    int64
	settled int64 // first exposures before this are settling
}

type dimension struct {
	attribute string
	values    []string
}

// The places of a dimension's value beside those in its list.
const (
	otherValue = 254
	noValue    = 255
)

func (d *dimension) find(attrs []byte) uint8 {
	v, ok := attr(attrs, d.attribute)
	if !ok {
		return noValue
	}
	for i := range d.values {
		if d.values[i] == string(v) {
			return uint8(i)
		}
	}
	return otherValue
}

func (d *dimension) name(i uint8) string {
	switch i {
	case noValue:
		return "(none)"
	case otherValue:
		return "(other)"
	default:
		return d.values[i]
	}
}

// compile takes the counting facts out of a version. Symbols are given by name.
func compile(v *experiment.Version, symbol func(string) uint32) map[uint32]*trial {
	trials := map[uint32]*trial{}
	if v == nil {
		return trials
	}
	for i := range v.Experiments {
		e := &v.Experiments[i]
		trials[symbol(e.Key)] = compileTrial(e, symbol)
	}
	return trials
}

func compileTrial(e *experiment.Experiment, symbol func(string) uint32) *trial {
	t := &trial{key: e.Key, symbol: symbol(e.Key), design: compileDesign(e, symbol)}
	for i := range e.Iterations {
		it := &e.Iterations[i]
		t.runs = append(t.runs, compileRun(e.AsOf(it), it, symbol))
		t.asks = t.asks || t.runs[i].consent.Asks()
	}
	return t
}

func compileDesign(e *experiment.Experiment, symbol func(string) uint32) design {
	d := design{
		kind: symbol(e.UnitKind), exclude: e.Crossovers != experiment.First,
		consent: e.Consent, verified: e.Attributes == experiment.VerifiedAttributes, grace: e.Grace.Milliseconds(), slot: experiment.SlotOf(e.Window).Milliseconds(),
	}
	for _, v := range e.Variants {
		d.variants = append(d.variants, v.Key)
		d.symbols = append(d.symbols, symbol(v.Key))
	}
	for _, dim := range e.Dimensions[:min(len(e.Dimensions), maxDimensions)] {
		d.dims = append(d.dims, dimension{dim.Attribute, slices.Clone(dim.Values[:min(len(dim.Values), otherValue)])})
	}
	for _, c := range e.Exclude {
		d.barred = append(d.barred, condition(c))
	}
	return d
}

// bars tells whether a unit with these attributes at its first exposure is
// excluded.
func (d *design) bars(attrs []byte) bool {
	return slices.ContainsFunc(d.barred, func(c []Attr) bool { return holds(c, attrs) })
}

// compileRun takes the experiment as it was when the iteration ran.
func compileRun(e *experiment.Experiment, it *experiment.Iteration, symbol func(string) uint32) run {
	r := run{
		design: compileDesign(e, symbol),
		number: it.Number, start: it.Start.UnixMilli(), enrol: it.EnrolUntil.UnixMilli(),
		end: it.End.UnixMilli(), killed: it.Killed != nil,
		phases: []phase{{number: 1, from: it.Start.UnixMilli()}},
	}
	r.finest = r.slot
	for i, p := range it.Phases {
		from := p.From.UnixMilli()
		compiled := phase{number: p.Number, from: from}
		if i > 0 {
			compiled.settled = from + p.Settle.Milliseconds()
			r.phases = append(r.phases, compiled)
		} else {
			r.phases[0].number = p.Number
		}
	}
	r.metrics, r.terms = compileMeasures(e, it.Metrics, symbol)
	for i := range r.metrics {
		r.finest = min(r.finest, r.metrics[i].slot)
	}
	return r
}

// covering returns the iteration that covers t, -1 without one.
func (t *trial) covering(at int64) int {
	for i := range t.runs {
		if r := &t.runs[i]; at >= r.start && at < r.end {
			return i
		}
	}
	return -1
}

// killedBefore returns the last iteration that has ended by then, if a kill ended
// it, else -1.
func (t *trial) killedBefore(at int64) int {
	last := -1
	for i := range t.runs {
		if t.runs[i].end <= at && (last < 0 || t.runs[i].end > t.runs[last].end) {
			last = i
		}
	}
	if last >= 0 && !t.runs[last].killed {
		return -1
	}
	return last
}

// designOf is the design of an iteration, the one of now for none (-1).
func (t *trial) designOf(iteration int) *design {
	if iteration < 0 {
		return &t.design
	}
	return &t.runs[iteration].design
}

// variant returns the index of a variant's symbol, -1 without one.
func (d *design) variant(symbol uint32) int { return slices.Index(d.symbols, symbol) }

// phase returns the phase that covers t, which lies within the iteration.
func (r *run) phase(t int64) *phase {
	for i := len(r.phases) - 1; i > 0; i-- {
		if t >= r.phases[i].from {
			return &r.phases[i]
		}
	}
	return &r.phases[0]
}

// width is how many totals a unit has in the iteration.
func (r *run) width() int { return len(r.terms) }

// slotStart rounds a time down to the start of its slot.
func slotStart(t, slot int64) int64 {
	return t - ((t%slot)+slot)%slot
}

// neverT is later than every event.
const neverT = int64(1<<63 - 1)

// barredT is the crossing time of a unit that is excluded: earlier than every event.
const barredT = int64(-1 << 63)

const maxDimensions = 3

package ingest

import (
	"cmp"
	"slices"
)

// tally accumulates deltas between two Takes. What a unit adds goes to one
// profile, whatever the number of dimensions; flush spreads profiles over cells.
type tally struct {
	profiles []profile
	free     []uint32 // numbers of profiles that were swept
	known    map[profileKey]uint32
	latest   uint32 // the one that was asked for last
	deltas   []Delta
	touched  []uint32
	cells    map[Cell]Delta
}

// profile is what all cells of a unit in one iteration have in common. Units with
// equal profiles share it. Dimensions are crossed here and nowhere else.
type profile struct {
	profileKey
	trial *trial
	from  int // place of its deltas, -1: none since the last flush
}

type profileKey struct {
	run      *run
	variant  int
	phase    uint16
	settling bool
	slot     int64 // in the run's finest slots
	dims     [maxDimensions]uint8
}

func newTally() tally {
	return tally{known: map[profileKey]uint32{}, cells: map[Cell]Delta{}}
}

// profile returns the number of the stance's profile.
func (a *tally) profile(t *trial, r *run, s *stance, attrs []byte) uint32 {
	key := profileKey{
		run: r, variant: s.variant, phase: s.phase.number,
		settling: s.first.t < s.phase.settled, slot: slotStart(s.first.t, r.finest),
	}
	for i := range r.dims {
		key.dims[i] = r.dims[i].find(attrs)
	}
	if int(a.latest) < len(a.profiles) && a.profiles[a.latest].profileKey == key {
		return a.latest
	}
	n, ok := a.known[key]
	if !ok {
		n = a.number()
		a.known[key] = n
		a.profiles[n] = profile{profileKey: key, trial: t, from: -1}
	}
	a.latest = n
	return n
}

// number returns one for a new profile.
func (a *tally) number() uint32 {
	if last := len(a.free) - 1; last >= 0 {
		n := a.free[last]
		a.free = a.free[:last]
		return n
	}
	a.profiles = append(a.profiles, profile{})
	return uint32(len(a.profiles) - 1)
}

// of returns a profile's deltas: those of $units, then those of each metric.
func (a *tally) of(n uint32) []Delta {
	p := &a.profiles[n]
	size := 1 + len(p.run.metrics)
	if p.from < 0 {
		p.from = len(a.deltas)
		a.deltas = append(a.deltas, make([]Delta, size)...)
		a.touched = append(a.touched, n)
	}
	return a.deltas[p.from : p.from+size]
}

// count adds n to a counter's cell.
func (a *tally) count(c Cell, n, newest int64) {
	d := a.cells[c]
	d.Add(Delta{N: n, Newest: newest})
	a.cells[c] = d
}

// flush moves the profiles' deltas to their cells.
func (a *tally) flush() {
	for _, n := range a.touched {
		p := &a.profiles[n]
		for i, d := range a.of(n) {
			if !d.zero() {
				a.spread(p, i, d)
			}
		}
		p.from = -1
	}
	a.touched, a.deltas = a.touched[:0], a.deltas[:0]
}

func (a *tally) spread(p *profile, i int, d Delta) {
	c := p.cell(Units, slotStart(p.slot, p.run.slot))
	if i > 0 {
		m := &p.run.metrics[i-1]
		c.Metric, c.Slot = m.name, slotStart(p.slot, m.slot)
	}
	a.merge(c, d)
	for k := range p.run.dims {
		dim := &p.run.dims[k]
		c.Dimension, c.Value = dim.attribute, dim.name(p.dims[k])
		a.merge(c, d)
	}
}

func (a *tally) merge(c Cell, d Delta) {
	sum := a.cells[c]
	sum.Add(d)
	a.cells[c] = sum
}

// cell returns a cell of the profile's units.
func (p *profile) cell(metric string, slot int64) Cell {
	return Cell{
		Experiment: p.trial.key, Iteration: p.run.number, Phase: p.phase, Settling: p.settling,
		Variant: p.run.variants[p.variant], Metric: metric, Slot: slot,
	}
}

// pending bounds the number of rows that take would return from above: each
// delta may become a row of all units and one of each dimension.
func (a *tally) pending() int { return len(a.cells) + len(a.deltas)*(1+maxDimensions) }

// take returns the rows that aren't zero, sorted, and begins anew.
func (a *tally) take() []Row {
	a.flush()
	rows := make([]Row, 0, len(a.cells))
	for c, d := range a.cells {
		if !d.zero() {
			rows = append(rows, Row{c, d})
		}
	}
	clear(a.cells)
	slices.SortFunc(rows, func(x, y Row) int { return x.Cell.Compare(&y.Cell) })
	return rows
}

// sweep forgets the profiles that are not to be kept. The others keep their numbers.
func (a *tally) sweep(keep bitmap) {
	a.flush()
	a.free = a.free[:0]
	for n := range a.profiles {
		if !keep.has(uint32(n)) {
			a.release(uint32(n))
		}
	}
}

// drop forgets the profiles of trials that are no longer in force.
func (a *tally) drop(gone map[uint32]*trial) {
	a.flush()
	for n := range a.profiles {
		if t := a.profiles[n].trial; t != nil && gone[t.symbol] == t {
			a.release(uint32(n))
		}
	}
}

func (a *tally) release(n uint32) {
	p := &a.profiles[n]
	if p.run != nil {
		delete(a.known, p.profileKey)
	}
	*p = profile{from: -1}
	a.free = append(a.free, n)
}

// profileBytes is what a profile and its entry in the map take.
const profileBytes = 320

func (a *tally) size() int64 { return int64(len(a.profiles)) * profileBytes }

// forget drops the profiles, whose rules are no longer in force.
func (a *tally) forget() {
	a.flush()
	a.profiles, a.free = nil, nil
	clear(a.known)
}

// Compare orders cells by experiment, iteration, metric, variant, phase,
// settling, dimension, value and slot.
func (c *Cell) Compare(o *Cell) int {
	if n := cmp.Compare(c.Experiment, o.Experiment); n != 0 {
		return n
	}
	if n := cmp.Compare(c.Iteration, o.Iteration); n != 0 {
		return n
	}
	if n := cmp.Compare(c.Metric, o.Metric); n != 0 {
		return n
	}
	if n := cmp.Compare(c.Variant, o.Variant); n != 0 {
		return n
	}
	if n := cmp.Compare(c.Phase, o.Phase); n != 0 {
		return n
	}
	if c.Settling != o.Settling {
		if c.Settling {
			return 1
		}
		return -1
	}
	if n := cmp.Compare(c.Dimension, o.Dimension); n != 0 {
		return n
	}
	if n := cmp.Compare(c.Value, o.Value); n != 0 {
		return n
	}
	return cmp.Compare(c.Slot, o.Slot)
}

// Add adds what o adds to a cell.
func (d *Delta) Add(o Delta) {
	d.N += o.N
	d.NonZero += o.NonZero
	d.Over += o.Over
	d.Sum = d.Sum.Add(o.Sum)
	d.SumSquares = d.SumSquares.Add(o.SumSquares)
	d.SumDenominator = d.SumDenominator.Add(o.SumDenominator)
	d.SumSquaresDenominator = d.SumSquaresDenominator.Add(o.SumSquaresDenominator)
	d.SumProduct = d.SumProduct.Add(o.SumProduct)
	d.Newest = max(d.Newest, o.Newest)
}

// sub takes o's sums back. Newest is a maximum and stays.
func (d *Delta) sub(o Delta) {
	d.N -= o.N
	d.NonZero -= o.NonZero
	d.Over -= o.Over
	d.Sum = d.Sum.Sub(o.Sum)
	d.SumSquares = d.SumSquares.Sub(o.SumSquares)
	d.SumDenominator = d.SumDenominator.Sub(o.SumDenominator)
	d.SumSquaresDenominator = d.SumSquaresDenominator.Sub(o.SumSquaresDenominator)
	d.SumProduct = d.SumProduct.Sub(o.SumProduct)
}

// zero tells whether adding d changes no sum.
func (d *Delta) zero() bool {
	return d.N == 0 && d.NonZero == 0 && d.Over == 0 && d.Sum.IsZero() && d.SumSquares.IsZero() &&
		d.SumDenominator.IsZero() && d.SumSquaresDenominator.IsZero() && d.SumProduct.IsZero()
}

package ingest

import (
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// Joiner is the state of one shard. It is not safe for concurrent use.
//
// The order of calls is: NewJoiner with the version of the shard's last mark,
// Restore for every stored row below the watermark, then Add in the order of the
// log, with Adopt and Take between batches.
//
// A unit's state is the list of its accepted rows; everything else is computed
// from them. An event that only adds to a total, or changes nothing, is counted
// at once; whatever else happens, the unit's stance is assessed from its rows
// before and after, and the difference is the delta.
type Joiner struct {
	symbols    symbols
	rows       arena[row]
	units      units
	identities identities
	standings  arena[standing]
	totals     totals
	trials     map[uint32]*trial // by symbol of the experiment's key
	tally      tally

	restored struct { // the last row of Restore
		unit  Unit
		t     int64
		place uint64
		any   bool
	}
	ahead         [aheadEvents]lookahead // scratch of AddAll
	attrs         []byte                 // scratch
	before, after stance                 // scratch
}

// NewJoiner returns an empty shard under a version (nil: without experiments).
// The topics are the shard's, sorted by name: their order breaks ties.
func NewJoiner(topics []string, version *experiment.Version) *Joiner {
	if !slices.IsSorted(topics) {
		panic("ingest: topics must be sorted by name")
	}
	j := &Joiner{symbols: newSymbols(), totals: newTotals(), tally: newTally()}
	j.trials = compile(version, j.symbol)
	return j
}

// Add takes the next record of the log: it decides whether the record is a
// duplicate and adds what it changes to the deltas. Within a topic records come
// in the order of their offsets, each place once.
func (j *Joiner) Add(e *Event) Fate {
	var id identity
	if e.ID != "" {
		id = j.identities.of(e)
	}
	return j.add(e, id)
}

// add is Add for an event whose identity is known.
func (j *Joiner) add(e *Event, id identity) Fate {
	if e.Misplaced {
		return Misplaced
	}
	if e.ID != "" && !j.identities.add(id) {
		return Duplicate
	}
	u := j.unit(e)
	if u.cold {
		j.warm(u)
	}
	if i := j.row(e); e.Type == Exposure {
		j.expose(u, i)
	} else {
		j.link(u, i)
		j.count(u, j.rows.at(i))
	}
	return Accepted
}

// Restore brings a stored row back without any delta. Rows come sorted by
// (unit, t, topic, offset); repeated places, duplicates and misplaced rows may be
// among them and are recognised.
func (j *Joiner) Restore(e *Event) {
	last, place := &j.restored, packPlace(e.Place)
	if e.Misplaced || last.any && last.unit == e.Unit && last.t == e.T && last.place == place {
		return
	}
	last.unit, last.t, last.place, last.any = e.Unit, e.T, place, true
	if e.ID != "" && !j.identities.add(j.identities.of(e)) {
		return
	}
	u := j.unit(e)
	u.cold = true
	j.link(u, j.row(e))
}

// Pending bounds the number of rows that Take would return from above. It is cheap.
func (j *Joiner) Pending() int { return j.tally.pending() }

// Take returns the deltas accumulated since the last call, without zero rows, in
// a fixed order, and clears them.
func (j *Joiner) Take() []Row { return j.tally.take() }

// Units returns how many units are in memory.
func (j *Joiner) Units() int { return j.units.len() }

// Bytes returns the memory that the state occupies.
func (j *Joiner) Bytes() int64 {
	return j.symbols.size() + j.rows.size() + j.units.size() + j.identities.size() +
		j.standings.size() + j.totals.narrow.size()
}

func (j *Joiner) symbol(s string) uint32 {
	j.attrs = append(j.attrs[:0], s...)
	return j.symbols.id(j.attrs)
}

func (j *Joiner) unit(e *Event) *unit {
	u := j.units.at(e.Unit)
	if u.rows == 0 {
		u.kind = j.symbol(e.UnitKind)
	}
	return u
}

// row stores an event, not yet linked to its unit.
func (j *Joiner) row(e *Event) uint32 {
	i := j.rows.alloc(1)
	r := j.rows.at(i)
	r.t, r.place = e.T, packPlace(e.Place)
	if e.Type == Exposure {
		r.name, r.variant = j.symbol(e.Experiment), j.symbol(e.Variant)
	} else {
		r.name, r.value = j.symbol(e.Name), e.Value
	}
	if len(e.Attrs) > 0 {
		j.attrs = appendAttrs(j.attrs[:0], e.Attrs)
		r.attrs = j.symbols.id(j.attrs)
	}
	return i
}

func (j *Joiner) link(u *unit, i uint32) {
	j.rows.at(i).next = u.rows
	u.rows = i
}

// count adds an outcome to the totals of every iteration that the unit is in.
func (j *Joiner) count(u *unit, x *row) {
	for i := u.standings; i != 0; {
		s := j.standings.at(i)
		i = s.next
		p := &j.tally.profiles[s.profile]
		if x.t < p.run.start || x.t >= p.run.end || s.crossT != neverT {
			continue
		}
		for k := range p.run.metrics {
			m := &p.run.metrics[k]
			if x.name != m.event || !m.timely(x.t, s.firstT, p.run.grace) {
				continue
			}
			switch v, what := m.read(x, j.symbols.bytes(x.attrs)); what {
			case counts:
				j.increase(s, k, m, v, x.t)
			case outOfRange, badAttribute:
				j.tally.count(p.outcomeCell(what.counter(), m.name, x), 1, x.t)
			}
		}
	}
}

// increase moves one total and its cells' deltas.
func (j *Joiner) increase(s *standing, k int, m *measure, x, t int64) {
	at := s.totals + uint32(k)
	old := j.totals.get(at)
	y := m.add(old, x)
	if y == old {
		return
	}
	j.totals.set(at, y)
	d := &j.tally.of(s.profile)[k+1]
	d.sub(moment(old))
	d.add(moment(y))
	d.Newest = max(d.Newest, t)
}

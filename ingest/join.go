package ingest

import (
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// Joiner is the state of one shard. It is not safe for concurrent use.
//
// The order of calls is: NewJoiner with the version of the shard's last mark,
// Restore for the stored rows below the watermark, then Add in the order of the
// log, with Adopt and Take between batches. Instead of Restore, Stored can name the
// units that have rows; Load brings these back between batches.
//
// A unit's state is the list of its accepted rows; everything else is computed
// from them. An event that only adds to a total, or changes nothing, is counted
// at once; whatever else happens, the unit's stance is assessed from its rows
// before and after, and the difference is the delta.
//
// The state is a cache of stored rows. Evict drops units, Absent says which of
// them are needed again, Restore brings those back.
type Joiner struct {
	*segment // of the unit at hand, see enter
	all      [segments]*segment
	symbols  symbols // names: of experiments, variants, events, unit kinds
	tuples   tuples
	version  *experiment.Version
	floors   floors            // of the version: iterations that began before it are closed
	trials   map[uint32]*trial // by symbol of the experiment's key
	tally    tally
	nameless nameless
	eviction

	restored struct { // the last row of Restore
		unit  Unit
		t     int64
		place Place
		any   bool
	}
	chilled       int                    // units whose standings were forgotten and still take their place
	many          int                    // rows of a unit from which on it is settled by batches, see many.go
	unsettled     []Unit                 // those that are
	walked        int                    // rows that the last assess found
	ahead         [aheadEvents]lookahead // scratch of AddAll
	text          []byte                 // scratch
	seen          []*trial               // scratch
	before, after stance                 // scratch
}

// NewJoiner returns an empty shard under a version (nil: without experiments).
// The topics are the shard's, sorted by name: their order breaks ties.
func NewJoiner(topics []string, version *experiment.Version) *Joiner {
	if !slices.IsSorted(topics) {
		panic("ingest: topics must be sorted by name")
	}
	j := &Joiner{
		symbols: newSymbols(), tuples: tuples{texts: newSymbols()}, tally: newTally(),
		version: version, many: manyRows, eviction: newEviction(),
	}
	for i := range j.all {
		j.all[i] = &segment{}
	}
	j.trials, j.floors = compile(version, j.symbol), j.floorsOf(version)
	return j
}

// Add takes the next record of the log: it decides whether the record is a
// duplicate and adds what it changes to the deltas. Within a topic records come
// in the order of their offsets, each place once.
func (j *Joiner) Add(e *Event) Fate {
	fate := j.add(e, j.identityOf(e))
	j.settle()
	return fate
}

// add is Add for an event whose identity is known.
func (j *Joiner) add(e *Event, id identity) Fate {
	if e.Misplaced {
		return Misplaced
	}
	if e.Anonymous() {
		return j.addAnonymous(e, id)
	}
	j.enter(e.Unit)
	if id != 0 && j.duplicate(id, e.T) {
		return Duplicate
	}
	u := j.units.at(e.Unit)
	if u.rows == 0 {
		j.checkKnown(e.Unit)
	}
	if u.is(cold) {
		j.warm(u)
	}
	u.touch(j.moment)
	switch i := j.store(e, id); {
	case e.Type == Exposure:
		j.expose(u, i)
	case u.is(unsettled):
		j.link(u, i)
	default:
		j.link(u, i)
		x := j.view(i)
		j.count(u, &x)
	}
	return Accepted
}

// Restore brings a stored row back without any delta. Rows come sorted by
// (unit, t, topic, offset), all rows of a unit that are below the watermark;
// repeated places, duplicates and misplaced rows may be among them and are
// recognised.
func (j *Joiner) Restore(e *Event) {
	last := &j.restored
	if e.Misplaced || last.any && last.unit == e.Unit && last.t == e.T && last.place == e.Place {
		return
	}
	last.unit, last.t, last.place, last.any = e.Unit, e.T, e.Place, true
	if e.Anonymous() {
		j.nameless.add(e, j.identityOf(e))
		return
	}
	j.enter(e.Unit)
	j.restore(e)
}

// restore takes a row into the segment at hand.
func (j *Joiner) restore(e *Event) {
	id := j.identityOf(e)
	if id != 0 && j.duplicate(id, e.T) {
		return
	}
	u := j.units.at(e.Unit)
	u.set(cold)
	u.since(momentOf(e.T))
	i := j.store(e, id)
	if e.Type == Exposure {
		u.sees(j.view(i).name)
	}
	j.link(u, i)
}

// Pending bounds the number of rows that Take would return from above. It is cheap.
func (j *Joiner) Pending() int { return j.tally.pending() }

// Take returns the deltas accumulated since the last call, without zero rows, in
// a fixed order, and clears them.
func (j *Joiner) Take() []Row {
	j.moment++
	return j.tally.take()
}

// Units returns how many units are in memory.
func (j *Joiner) Units() (n int) {
	for _, s := range j.all {
		n += s.units.len()
	}
	return n
}

// Bytes returns the memory that the state occupies.
func (j *Joiner) Bytes() int64 {
	n := j.names() + j.filter.size() + j.nameless.size()
	for _, s := range j.all {
		n += s.size()
	}
	return n
}

func (j *Joiner) symbol(s string) uint32 {
	// The scratch may hold a tuple's text.
	n := len(j.text)
	j.text = append(j.text, s...)
	id := j.symbols.id(j.text[n:])
	j.text = j.text[:n]
	return id
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
		for k := range p.run.terms {
			m := &p.run.terms[k]
			if x.name != m.event || !m.timely(x.t, s.firstT) {
				continue
			}
			switch v, what := m.read(x, j.attrs(x)); what {
			case counts:
				j.increase(s, k, m, v, x.t)
			case outOfRange, badAttribute:
				j.tally.count(p.outcomeCell(what.counter(), m.name, x), 1, x.t)
			}
		}
	}
}

// increase moves one total and its metric's deltas.
func (j *Joiner) increase(s *standing, k int, t *term, x, at int64) {
	i := s.totals + uint32(k)
	old := j.totals.get(i)
	total := t.add(old, x)
	if total == old {
		return
	}
	run := j.tally.profiles[s.profile].run
	m := &run.metrics[t.metric]
	d := &j.tally.of(s.profile)[t.metric+1]
	d.sub(j.given(m, s))
	j.totals.set(i, total)
	d.Add(j.given(m, s))
	d.Newest = max(d.Newest, at)
}

// given is what a unit's totals add to a metric's cells.
func (j *Joiner) given(m *measure, s *standing) Delta {
	y, z := j.totals.get(s.totals+uint32(m.first)), Int128{}
	if m.ratio {
		z = j.totals.get(s.totals + uint32(m.first+1))
	}
	return m.moment(y, z)
}

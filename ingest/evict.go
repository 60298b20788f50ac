package ingest

import (
	"fmt"
	"slices"
)

// eviction is what a joiner knows of the units that it doesn't hold.
//
// Moments order touches. The first 2^24 are times of stored events, in steps of
// seventeen minutes, so that after a restart the units that were idle longest go
// first; from then on each Take begins another.
type eviction struct {
	moment  uint32   // the present one
	durable uint32   // what was touched before this one is in the store
	next    int      // segment that gives next
	filter  filter   // units that may be stored and are not here; some are here again
	absent  []Unit   // sorted; what Absent returned last: they may be added
	swept   int64    // bytes of names after the last sweep
	live    [2]int64 // numbers of the present life, see Evicted
}

const (
	firstMoment = 1 << 24
	lastMoment  = 1<<(32-stateBits) - 1
	momentShift = 20 // 2^20 ms
	// sample is of how many units the age is looked at to find out which are the
	// oldest third.
	sample = 1024
	// leastShare is which share of a segment's units must be free to go, so that
	// copying the others is worth it.
	leastShare = 16
	// leastNames is below how many bytes names are never swept.
	leastNames = 1 << 20
)

func newEviction() eviction { return eviction{moment: firstMoment, durable: firstMoment} }

func momentOf(t int64) uint32 { return uint32(min(max(t, 0)>>momentShift, firstMoment-1)) }

// Durable says that everything that Take has returned so far is in the store, and
// so are the events behind it. Units with younger events are never evicted.
func (j *Joiner) Durable() {
	// After years without a restart nothing is evicted any more.
	j.durable = min(j.moment, lastMoment)
}

// Evict drops units, those first that were touched longest ago, until the state
// takes no more than limit bytes or nothing is left that may go. It returns how
// many went. What is evicted has to be brought back before it is added to: see
// Absent.
//
// A segment gives a third of its units at a time and is built anew without them.
// So an eviction copies two units for each that goes, and needs room for one
// segment.
func (j *Joiner) Evict(limit int64) (evicted int) {
	for idle := 0; idle < segments && j.Bytes() > limit; {
		n := j.shrink(j.next, limit)
		j.next = (j.next + 1) % segments
		evicted += n
		if idle++; n > 0 {
			idle = 0
		}
		if j.names() > max(leastNames, j.swept+j.swept/2) || idle == segments && evicted > 0 {
			j.sweep()
		}
	}
	j.live[0] += int64(evicted)
	return evicted
}

// Evicted returns how many units were evicted and brought back since the start.
func (j *Joiner) Evicted() (evicted, restored int64) { return j.live[0], j.live[1] }

// Whole tells whether all units are in memory: what is not there is nowhere.
func (j *Joiner) Whole() bool { return j.filter.empty() }

// Stored says that a unit has stored rows: it is brought back when it is needed, as if
// it had been evicted. So a shard can go on before its state is in memory.
func (j *Joiner) Stored(id Unit, mayGrow bool) { j.filter.add(id, mayGrow) }

// Load brings back units that nobody has asked for yet: rows as Restore takes them,
// all of each unit. Units that are in memory are passed over: they have more than the
// rows that were below the watermark when the reading began. It takes nothing, and says
// so, once a unit was evicted, since that one may have more, too.
func (j *Joiner) Load(rows []Event) (taken bool) {
	if j.live[0] > 0 {
		return false
	}
	var here bool
	for i := range rows {
		e := &rows[i]
		if i == 0 || e.Unit != rows[i-1].Unit {
			here = j.all[segmentOf(e.Unit)].units.find(e.Unit) != nil
		}
		if !here {
			j.Restore(e)
		}
	}
	return true
}

// Complete says that everything that is stored was loaded. If nothing was evicted, the
// state is whole.
func (j *Joiner) Complete() {
	if j.live[0] == 0 {
		j.filter = filter{}
	}
}

// Absent returns, sorted, the units of these events that are not in memory and
// may have stored rows: all rows below the watermark of the present batch have to
// be restored before any of the events is added, and before the next Evict.
func (j *Joiner) Absent(events []Event) []Unit {
	j.absent = j.absent[:0]
	if j.Whole() {
		return nil
	}
	for i := range events {
		if e := &events[i]; !e.Misplaced && !e.Anonymous() && j.away(e.Unit) {
			j.absent = append(j.absent, e.Unit)
		}
	}
	return j.askFor()
}

// AbsentUnits is Absent for units of which nothing is added.
func (j *Joiner) AbsentUnits(units []Unit) []Unit {
	j.absent = j.absent[:0]
	for _, id := range units {
		if !j.Whole() && j.away(id) {
			j.absent = append(j.absent, id)
		}
	}
	return j.askFor()
}

func (j *Joiner) askFor() []Unit {
	slices.SortFunc(j.absent, Unit.compare)
	j.absent = slices.Compact(j.absent)
	j.live[1] += int64(len(j.absent))
	return j.absent
}

func (j *Joiner) away(id Unit) bool {
	return j.all[segmentOf(id)].units.find(id) == nil && j.filter.has(id)
}

func (a Unit) compare(b Unit) int {
	switch {
	case a == b:
		return 0
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	default:
		return 1
	}
}

// checkKnown stops whoever adds an event of a unit that must be brought back
// first: its sums would be wrong for ever.
func (j *Joiner) checkKnown(id Unit) {
	if j.Whole() || !j.filter.has(id) {
		return
	}
	if _, asked := slices.BinarySearchFunc(j.absent, id, Unit.compare); !asked {
		panic(fmt.Sprintf("ingest: unit %x%016x was evicted and is added to without being restored", id.Hi, id.Lo))
	}
}

// shrink builds a segment anew without the oldest third of its units.
func (j *Joiner) shrink(n int, limit int64) (evicted int) {
	old := j.all[n]
	going, ties, found := j.oldest(old)
	if !found {
		return 0
	}
	mayGrow := j.filter.size() < limit/4
	j.rebuild(n, func(u *unit) bool {
		goes := j.evictable(u) && u.before(going)
		if !goes && ties > 0 && u.touched() == going && j.evictable(u) {
			ties--
			goes = true
		}
		if goes {
			evicted++
			j.filter.add(u.id, mayGrow)
		}
		return goes
	})
	return evicted
}

// rebuild builds a segment anew without some of its units.
func (j *Joiner) rebuild(n int, goes func(*unit) bool) {
	old, fresh := j.all[n], &segment{}
	fresh.reserve(old)
	old.units.each(func(u *unit) {
		if !goes(u) {
			j.move(u, old, fresh)
		}
	})
	fresh.take(&old.identities, &old.rows)
	j.all[n] = fresh
	j.segment = fresh
}

func (j *Joiner) evictable(u *unit) bool {
	return u.before(j.durable) && !(j.restored.any && u.id == j.restored.unit)
}

// oldest says which units are the segment's oldest third: those that were touched
// before a moment, and some of those that were touched in it. The index is in the
// order of a hash, so its beginning is a random sample.
func (j *Joiner) oldest(s *segment) (moment uint32, ties int, found bool) {
	var ages []uint32
	n := 0
	s.units.each(func(u *unit) {
		if !j.evictable(u) {
			return
		}
		if n++; n <= sample {
			ages = append(ages, u.touched())
		}
	})
	if all := s.units.len(); n == 0 || n < all/leastShare && all > sample {
		return 0, 0, false
	}
	slices.Sort(ages)
	moment, ties = ages[len(ages)/3], (n+2)/3
	s.units.each(func(u *unit) {
		if u.before(moment) && j.evictable(u) {
			ties--
		}
	})
	return moment, ties, true
}

// reserve makes tables for two thirds of another segment's units.
func (s *segment) reserve(old *segment) {
	for p := range parts {
		s.units.resize(p, max(8, old.units.count[p]))
		s.identities.resize(p, max(8, old.identities.count[p]))
	}
}

// moved marks a row that was copied: its next is then the copy.
const moved = 0

// move copies a unit. Its rows become neighbours.
func (j *Joiner) move(u *unit, old, fresh *segment) {
	e := fresh.units.at(u.id)
	*e = *u
	for at, i := &e.rows, u.rows; i != 0; {
		from := old.rows.at(i)
		to := fresh.rows.alloc(1)
		row := fresh.rows.at(to)
		*row = *from
		if row.value == isHuge {
			fresh.keepHuge(to, old.huge[i])
		}
		*at, at = to, &row.next
		i = from.next
		from.tuple, from.next = moved, to
	}
	for at, i := &e.standings, u.standings; i != 0; {
		from := old.standings.at(i)
		to := fresh.standings.alloc(1)
		s := fresh.standings.at(to)
		*s = *from
		if n := j.tally.profiles[s.profile].run.width(); n > 0 {
			s.totals = fresh.totals.narrow.alloc(n)
			for k := range uint32(n) {
				fresh.totals.set(s.totals+k, old.totals.get(from.totals+k))
			}
		}
		*at, at = to, &s.next
		i = from.next
	}
}

// take copies the identities of the rows that were moved.
func (s *segment) take(old *identities, rows *arena[packed]) {
	for p := range old.part {
		for _, slot := range old.part[p] {
			if slot == 0 {
				continue
			}
			if r := rows.at(uint32(slot)); r.tuple == moved {
				s.identities.put(p, slot>>32<<32|uint64(r.next))
			}
		}
	}
}

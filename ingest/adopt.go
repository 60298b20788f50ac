package ingest

import (
	"maps"
	"reflect"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// Adopt goes over to another version and adds to the deltas exactly the
// difference between the sums under the new version and those under the old one.
// It tells whether anything that counting depends on is different; when it is
// not, there are no deltas. Call it with no deltas waiting, so that the
// difference can be a part of its own, and while all units are in memory.
func (j *Joiner) Adopt(v *experiment.Version) (changed bool) {
	changed, err := j.AdoptStored(v, func([]string, func(*Event)) error {
		panic("ingest: a version is adopted without the units that were evicted")
	})
	return changed && err == nil
}

// AdoptStored is Adopt for a state from which units were evicted, whose rows it
// asks for if they are needed: stored hands over all rows below the watermark of the
// units that have an exposure of one of these experiments (rows of others do no
// harm), in the order of Restore. They are not kept, so their number does not
// matter. After an error the joiner is of no use any more.
func (j *Joiner) AdoptStored(v *experiment.Version, stored func(experiments []string, visit func(*Event)) error) (changed bool, err error) {
	next := compile(v, j.symbol)
	// What closes now keeps its sums: it is in neither side of the difference.
	closes := j.raise(j.floorsOf(v))
	old := difference(j.trials, next)
	fresh := difference(next, j.trials)
	j.version = v
	if len(old)+len(fresh) == 0 && !closes {
		return false, nil
	}
	c := change{j: j, old: old, fresh: fresh, unlike: j.seenBy(old) | j.seenBy(fresh)}
	j.postAnonymous(old, -1)
	j.postAnonymous(fresh, 1)
	c.postHeld()
	if !j.Whole() {
		p := passing{change: c}
		if err := stored(c.experiments(), p.see); err != nil {
			return true, err
		}
		p.post()
	}
	j.trials = j.kept(next, old)
	if closes || j.chilled > j.Units()/2 {
		j.chill()
	} else {
		j.tally.drop(old)
	}
	return true, nil
}

// kept is next with today's trials in place of those that are in the same form:
// standings refer to them.
func (j *Joiner) kept(next, old map[uint32]*trial) map[uint32]*trial {
	for symbol, t := range j.trials {
		if old[symbol] == nil {
			next[symbol] = t
		}
	}
	return next
}

// change is what another version counts differently.
type change struct {
	j          *Joiner
	old, fresh map[uint32]*trial
	unlike     uint32 // see unit.seen
}

// seenBy is what units may have seen that some experiments change something for.
func (j *Joiner) seenBy(trials map[uint32]*trial) (seen uint32) {
	for symbol := range trials {
		seen |= experimentBit(symbol)
	}
	return seen
}

// concerns tells whether a unit has exposures of these experiments. Many experiments
// share a bit; what tells them apart is the unit's standings, or its rows where these
// don't name every experiment.
func (c *change) concerns(u *unit) bool {
	if u.seen&c.unlike == 0 {
		return false
	}
	if u.is(cold | strayed) {
		return c.hasExposures(u)
	}
	for i := u.standings; i != 0; {
		s := c.j.standings.at(i)
		if c.has(c.j.tally.profiles[s.profile].trial.symbol) {
			return true
		}
		i = s.next
	}
	return false
}

func (c *change) has(symbol uint32) bool { return c.old[symbol] != nil || c.fresh[symbol] != nil }

func (c *change) hasExposures(u *unit) bool {
	for i := u.rows; i != 0; {
		p := c.j.rows.at(i)
		i = p.next
		t := &c.j.tuples.list[p.tuple-1]
		if t.kind == Exposure && experimentBit(t.name)&c.unlike != 0 && c.has(t.name) {
			return true
		}
	}
	return false
}

// experiments are the keys of those that it counts differently, sorted.
func (c *change) experiments() []string {
	keys := map[string]bool{}
	for _, trials := range []map[uint32]*trial{c.old, c.fresh} {
		for _, t := range trials {
			keys[t.key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// postHeld does it for the units in memory. Their standings are forgotten: they are
// brought back, under the rules then in force, when the unit's next event comes.
func (c *change) postHeld() {
	c.j.eachUnit(func(u *unit) {
		if !c.concerns(u) {
			return
		}
		c.postUnit(u)
		u.standings = 0
		u.set(cold)
		c.j.chilled++
	})
}

// postUnit takes back what the unit gave, and adds what it gives.
func (c *change) postUnit(u *unit) {
	c.j.postUnitAndStrays(u, c.old, -1)
	c.j.postUnitAndStrays(u, c.fresh, 1)
}

// passing is the unit whose stored rows are passing by while a version is adopted.
type passing struct {
	change
	unit    Unit
	here    bool // the unit is in memory
	segment segment
	place   Place
	t       int64
	any     bool
}

func (p *passing) see(e *Event) {
	switch {
	case e.Anonymous(): // they are counted in memory
		return
	case !p.any || e.Unit != p.unit:
		p.post()
		p.any, p.unit = true, e.Unit
		p.here = p.j.all[segmentOf(e.Unit)].units.find(e.Unit) != nil
	case e.Place == p.place && e.T == p.t:
		return
	}
	p.place, p.t = e.Place, e.T
	if e.Misplaced || p.here {
		return
	}
	p.j.segment = &p.segment
	p.j.restore(e)
}

// post counts the unit that has passed and forgets it.
func (p *passing) post() {
	if p.segment.rows.used == 0 {
		return
	}
	p.j.segment = &p.segment
	u := p.segment.units.find(p.unit)
	p.postUnit(u)
	p.segment.forget(u)
}

// forget empties a segment that holds one unit, and keeps its memory unless the
// unit was a large one.
func (s *segment) forget(u *unit) {
	if len(s.rows.pages) > 1 {
		*s = segment{}
		return
	}
	s.rows.used = 0
	clear(s.huge)
	p := partOf(u.id.Hi)
	clear(s.units.part[p])
	s.units.count[p] = 0
	for p, n := range s.identities.count {
		if n > 0 {
			clear(s.identities.part[p])
			s.identities.count[p] = 0
		}
	}
}

// difference returns the trials of a that b hasn't got in the same form.
func difference(a, b map[uint32]*trial) map[uint32]*trial {
	d := map[uint32]*trial{}
	for symbol, t := range a {
		if !reflect.DeepEqual(t, b[symbol]) {
			d[symbol] = t
		}
	}
	return d
}

// postUnitAndStrays adds or takes back what a unit gives to some experiments.
func (j *Joiner) postUnitAndStrays(u *unit, trials map[uint32]*trial, sign int64) {
	j.seen = j.trialsOf(u, trials, j.seen[:0])
	for _, t := range j.seen {
		j.postStrays(u, t, sign)
		j.postRuns(u, t, sign)
	}
}

// postRuns adds or takes back what a unit gives to an experiment's iterations.
func (j *Joiner) postRuns(u *unit, t *trial, sign int64) {
	for i := range t.runs {
		j.assess(u, t, &t.runs[i], &j.after)
		j.post(t, &t.runs[i], &j.after, sign)
	}
}

// postStrays does the same for what each exposure gives by itself.
func (j *Joiner) postStrays(u *unit, t *trial, sign int64) {
	for i := u.rows; i != 0; {
		x := j.view(i)
		i = x.next
		if !x.exposure() || x.name != t.symbol || x.t < j.floors.under(j.kindOf(x.tuple)) {
			continue
		}
		j.postSighting(t, &x, sign)
	}
}

// trialsOf appends those experiments that the unit has exposures of.
func (j *Joiner) trialsOf(u *unit, trials map[uint32]*trial, list []*trial) []*trial {
	for i := u.rows; i != 0; {
		x := j.view(i)
		i = x.next
		if !x.exposure() {
			continue
		}
		if t := trials[x.name]; t != nil && !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
}

// chill forgets all standings, and with them what those took that were forgotten
// before.
func (j *Joiner) chill() {
	j.tally.forget()
	j.chilled = 0
	for _, s := range j.all {
		s.standings.clear()
		s.totals = totals{}
	}
	j.eachUnit(func(u *unit) {
		u.standings = 0
		u.set(cold)
	})
}

// warm computes the unit's standings from its rows.
func (j *Joiner) warm(u *unit) {
	u.clear(cold | strayed)
	if j.hasUnknown(u) {
		u.set(strayed)
	}
	for _, t := range j.trialsOf(u, j.trials, nil) {
		if !j.standRuns(u, t) {
			u.set(strayed)
		}
	}
}

// standRuns tells whether the unit has a standing in any of them.
func (j *Joiner) standRuns(u *unit, t *trial) (any bool) {
	for i := range t.runs {
		j.assess(u, t, &t.runs[i], &j.after)
		any = j.stand(u, t, &t.runs[i], &j.after) || any
	}
	return any
}

// hasUnknown tells whether the unit has exposures of experiments that are not there.
func (j *Joiner) hasUnknown(u *unit) bool {
	for i := u.rows; i != 0; {
		p := j.rows.at(i)
		i = p.next
		if t := &j.tuples.list[p.tuple-1]; t.kind == Exposure && j.trials[t.name] == nil {
			return true
		}
	}
	return false
}

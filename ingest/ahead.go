package ingest

// aheadEvents is how many events AddAll looks ahead.
const aheadEvents = 64

// lookahead is what AddAll knows of an event before it is added.
type lookahead struct {
	id   identity
	slot uint64 // where the identity may be
	unit *unit
}

// AddAll adds the events one after another, exactly as Add does, and appends
// their fates to the list.
//
// A shard's state is far larger than any cache, so one event after another would
// wait for memory three or four times each. AddAll first only looks at what the
// next events will need: reads that don't depend on each other wait together.
func (j *Joiner) AddAll(events []Event, fates []Fate) []Fate {
	defer j.settle()
	for len(events) > 0 {
		n := min(len(events), aheadEvents)
		j.lookAhead(events[:n])
		for i := range n {
			fates = append(fates, j.add(&events[i], j.ahead[i].id))
		}
		events = events[n:]
	}
	return fates
}

func (j *Joiner) lookAhead(events []Event) {
	for i := range events {
		j.ahead[i].id = j.identityOf(&events[i])
	}
	for i := range events {
		a := &j.ahead[i]
		a.slot = j.all[segmentOf(events[i].Unit)].identities.touch(a.id)
	}
	for i := range events {
		j.ahead[i].unit = j.all[segmentOf(events[i].Unit)].units.find(events[i].Unit)
	}
	for i := range events {
		if u := j.ahead[i].unit; u != nil && u.standings != 0 {
			s := j.all[segmentOf(u.id)]
			s.totals.touch(s.standings.at(u.standings).totals)
		}
	}
}

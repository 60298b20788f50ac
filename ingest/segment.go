package ingest

const (
	// segments divide a shard's state by the unit's hash, so that a part of it can
	// be built anew without holding all of it twice.
	segments = 16
	// parts divide a segment's tables. Each grows by itself, so that no event waits
	// for a copy of everything.
	parts = 16
)

func segmentOf(id Unit) int  { return int(id.Hi >> 60) }
func partOf(hash uint64) int { return int(hash>>56) % parts }

// segment is the state of a sixteenth of a shard's units. No index or row refers
// to another segment.
type segment struct {
	rows       arena[packed]
	huge       map[uint32]Value // of rows whose value doesn't fit
	units      units
	identities identities
	standings  arena[standing]
	totals     totals
}

func (s *segment) size() int64 {
	return s.rows.size() + s.units.size() + s.identities.size() + s.standings.size() + s.totals.narrow.size() +
		64*int64(len(s.huge)+len(s.totals.wide))
}

// enter makes the unit's segment the one at hand.
func (j *Joiner) enter(id Unit) { j.segment = j.all[segmentOf(id)] }

// eachUnit visits every unit, its segment at hand.
func (j *Joiner) eachUnit(visit func(*unit)) {
	for _, s := range j.all {
		j.segment = s
		s.units.each(visit)
	}
}

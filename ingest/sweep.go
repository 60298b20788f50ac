package ingest

// names is what symbols, tuples and profiles occupy: they belong to no segment.
func (j *Joiner) names() int64 { return j.symbols.size() + j.tuples.size() + j.tally.size() }

// sweep forgets names, tuples and profiles that no unit and no rule needs. What
// stays keeps its number, so no row changes.
func (j *Joiner) sweep() {
	tuples, names := newBitmap(len(j.tuples.list)), newBitmap(len(j.symbols.spans))
	profiles := newBitmap(len(j.tally.profiles))
	for _, s := range j.all {
		s.rows.each(func(p *packed) {
			if p.tuple != 0 {
				tuples.add(p.tuple)
			}
		})
		s.standings.each(func(p *standing) { profiles.add(p.profile) })
	}
	for i, t := range j.tuples.list {
		if tuples.has(uint32(i + 1)) {
			names.add(t.name)
			names.add(t.variant)
			names.add(t.unitKind)
		}
	}
	compile(j.version, func(text string) uint32 {
		n := j.symbol(text)
		if n/64 < uint32(len(names)) {
			names.add(n)
		}
		return n
	})
	j.tuples.texts.sweep(tuples)
	j.symbols.sweep(names)
	j.tally.sweep(profiles)
	j.swept = j.names()
}

package ingest

// SetMany lets a unit be large from so many rows on.
func (j *Joiner) SetMany(rows int) { j.many = rows }

// Sweep forgets unused names at once.
func (j *Joiner) Sweep() { j.sweep() }

// Names is how many names and tuples are known.
func (j *Joiner) Names() (names, tuples int) {
	return len(j.symbols.spans) - len(j.symbols.free), len(j.tuples.list) - len(j.tuples.texts.free)
}

// FilterHas asks the filter of evicted units.
func (j *Joiner) FilterHas(id Unit) bool { return j.filter.has(id) }

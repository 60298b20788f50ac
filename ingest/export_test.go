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

// ShareBit tells whether units cannot tell by their bits which of two experiments they
// have exposures of.
func (j *Joiner) ShareBit(a, b string) bool {
	return experimentBit(j.symbol(a)) == experimentBit(j.symbol(b))
}

// Cold is how many units in memory have no standings now.
func (j *Joiner) Cold() (n int) {
	j.eachUnit(func(u *unit) {
		if u.is(cold) {
			n++
		}
	})
	return n
}

// Hidden is how many units are said to have no exposures but of those experiments that
// their standings name, and have others.
func (j *Joiner) Hidden() (n int) {
	j.eachUnit(func(u *unit) {
		if u.is(cold | strayed) {
			return
		}
		named := map[uint32]bool{}
		for i := u.standings; i != 0; i = j.standings.at(i).next {
			named[j.tally.profiles[j.standings.at(i).profile].trial.symbol] = true
		}
		for i := u.rows; i != 0; i = j.view(i).next {
			if x := j.view(i); x.exposure() && !named[x.name] {
				n++
				return
			}
		}
	})
	return n
}

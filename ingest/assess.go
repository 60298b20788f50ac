package ingest

// stance is everything that one unit gives to the sums of one iteration. It is
// computed from the unit's rows alone, in whatever order they stand: retractions
// are differences of two stances and never written by hand.
type stance struct {
	first   *row // nil: the unit is not in the iteration; else &firstRow
	variant int
	phase   *phase
	barred  bool     // the first exposure's attributes take the unit out
	leftOut bool     // it is not one of those that are measured; then it is barred
	cross   *row     // the crossover that takes the unit out, or nil; else &crossRow
	totals  []Int128 // by term
	newest  []int64  // greatest time of an outcome, by metric
	asides  []aside

	firstRow, crossRow row
}

// aside is one count of one of the join's own counters.
type aside struct {
	metric string
	row    row
	value  string
}

// earlier orders exposures: by time, by the bytes of the variant's key, by place.
func (j *Joiner) earlier(a, b *row) bool {
	if a.t != b.t {
		return a.t < b.t
	}
	if a.variant != b.variant {
		return string(j.symbols.bytes(a.variant)) < string(j.symbols.bytes(b.variant))
	}
	if a.before(b) || b.before(a) {
		return a.before(b)
	}
	// Two events of one record that was copied: nothing else tells them apart.
	return string(j.attrs(a)) < string(j.attrs(b))
}

// assess computes the stance of the unit with those rows in one iteration. In a
// closed one, whose rows may be gone, it is nothing: no delta comes of it any more.
func (j *Joiner) assess(u *unit, t *trial, r *run, s *stance) {
	*s = stance{totals: s.totals[:0], newest: s.newest[:0], asides: s.asides[:0]}
	j.walked = 0
	if j.kindOf(j.rows.at(u.rows).tuple) != r.kind || r.start < j.floors.under(r.kind) {
		return
	}
	j.findFirst(u, t, r, s)
	if s.first == nil {
		return
	}
	if v, ok := attr(j.attrs(s.first), Sample); ok && string(v) == LeftOut {
		s.leftOut = true
	}
	if s.barred = s.leftOut || len(r.barred) > 0 && r.bars(r.believed(j.attrs(s.first))); s.barred {
		return
	}
	j.findOthers(u, t, r, s)
	for range r.terms {
		s.totals = append(s.totals, Int128{})
	}
	for range r.metrics {
		s.newest = append(s.newest, s.first.t)
	}
	if s.cross == nil {
		j.addOutcomes(u, r, s)
	}
}

// findFirst looks for the first exposure: the least before enrol_until.
func (j *Joiner) findFirst(u *unit, t *trial, r *run, s *stance) {
	for i := u.rows; i != 0; {
		x := j.view(i)
		i = x.next
		j.walked++
		if !x.exposure() || x.name != t.symbol || x.t < r.start || x.t >= r.enrol || x.t >= r.end {
			continue
		}
		if r.consent.Asks() && !r.consent.Accepts(consentOf(j.attrs(&x))) {
			continue
		}
		if v := r.variant(x.variant); v >= 0 && (s.first == nil || j.earlier(&x, s.first)) {
			s.firstRow, s.variant = x, v
			s.first = &s.firstRow
		}
	}
	if s.first != nil {
		s.phase = r.phase(s.first.t)
	}
}

// findOthers looks for exposures to other variants: the least within the phase of
// the first exposure is the crossover, those of later phases have moved.
func (j *Joiner) findOthers(u *unit, t *trial, r *run, s *stance) {
	for i := u.rows; i != 0; {
		x := j.view(i)
		i = x.next
		if !x.exposure() || x.name != t.symbol || x.variant == s.first.variant || x.t < r.start || x.t >= r.end {
			continue
		}
		v := r.variant(x.variant)
		switch {
		case v < 0:
		case r.consent.Asks() && !r.consent.Accepts(consentOf(j.attrs(&x))):
		case r.phase(x.t) != s.phase:
			s.asides = append(s.asides, aside{metric: Moved, row: x, value: r.variants[v]})
		case r.exclude && (s.cross == nil || j.earlier(&x, s.cross)):
			s.crossRow = x
			s.cross = &s.crossRow
		}
	}
}

// addOutcomes sums up what counts for each total.
func (j *Joiner) addOutcomes(u *unit, r *run, s *stance) {
	for i := u.rows; i != 0; {
		x := j.view(i)
		i = x.next
		if x.exposure() || x.t < r.start || x.t >= r.end {
			continue
		}
		for k := range r.terms {
			m := &r.terms[k]
			if x.name != m.event || !m.timely(x.t, s.first.t) {
				continue
			}
			switch v, what := m.read(&x, j.attrs(&x)); what {
			case counts:
				s.totals[k] = m.add(s.totals[k], v)
				s.newest[m.metric] = max(s.newest[m.metric], x.t)
			case outOfRange, badAttribute:
				s.asides = append(s.asides, aside{metric: what.counter(), row: x, value: m.name})
			}
		}
	}
}

// counter names the counter of a reading that cannot count.
func (r reading) counter() string {
	if r == outOfRange {
		return OutOfRange
	}
	return BadAttribute
}

// stray says why an exposure cannot belong to any iteration's units, and which
// iteration it is shown under (-1: none). The empty string: it can.
func (t *trial) stray(kind, variant uint32, at int64) (metric string, iteration int) {
	covering := t.covering(at)
	shown := covering
	if covering < 0 {
		shown = t.killedBefore(at)
	}
	switch d := t.designOf(shown); {
	case kind != d.kind:
		return OtherUnitKind, covering
	case covering < 0 && shown >= 0:
		return AfterEnd, shown
	case covering < 0:
		return Outside, -1
	case d.variant(variant) < 0:
		return UnknownVariant, covering
	}
	return "", covering
}

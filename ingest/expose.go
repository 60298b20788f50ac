package ingest

// expose takes in an exposure. Most change nothing: the unit was seen in that
// variant before, and earlier.
func (j *Joiner) expose(u *unit, i uint32) {
	x := j.view(i)
	u.sees(x.name)
	t := j.trials[x.name]
	if t == nil {
		u.set(strayed)
		j.link(u, i)
		return
	}
	iteration := j.postSighting(t, &x, 1)
	if iteration < 0 {
		u.set(strayed)
		j.link(u, i)
		return
	}
	r := &t.runs[iteration]
	if u.is(unsettled) || !j.matters(u, r, &x) {
		if j.standing(u, r) == nil {
			u.set(strayed)
		}
		j.link(u, i)
		return
	}
	j.before.first = nil
	if u.rows != 0 {
		j.assess(u, t, r, &j.before)
		if j.walked >= j.many {
			u.set(strayed)
			j.unsettle(u)
			j.link(u, i)
			return
		}
	}
	j.link(u, i)
	j.assess(u, t, r, &j.after)
	j.post(t, r, &j.before, -1)
	j.post(t, r, &j.after, 1)
	if !j.stand(u, t, r, &j.after) {
		u.set(strayed)
	}
}

// matters tells whether an exposure can change the unit's stance. Moves to
// another variant in a later phase only count, which is done here.
func (j *Joiner) matters(u *unit, r *run, x *row) bool {
	s := j.standing(u, r)
	if s == nil {
		return x.t < r.enrol
	}
	if x.t <= s.firstT {
		return true
	}
	if s.crossT == barredT {
		return false
	}
	p := &j.tally.profiles[s.profile]
	switch v := r.variant(x.variant); {
	case v == p.variant:
		return false
	case r.phase(x.t).number != p.phase:
		j.tally.count(p.movedCell(r.variants[v], x), 1, x.t)
		return false
	default:
		return r.exclude && x.t <= s.crossT
	}
}

// standing returns what the unit is in an iteration, nil while it is not in it.
func (j *Joiner) standing(u *unit, r *run) *standing {
	for i := u.standings; i != 0; {
		s := j.standings.at(i)
		if j.tally.profiles[s.profile].run == r {
			return s
		}
		i = s.next
	}
	return nil
}

// stand keeps a stance for the events to come, if there is any.
func (j *Joiner) stand(u *unit, t *trial, r *run, a *stance) bool {
	if a.first == nil {
		return false
	}
	s := j.standing(u, r)
	if s == nil {
		i := j.standings.alloc(1)
		s = j.standings.at(i)
		s.next, u.standings = u.standings, i
		if n := r.width(); n > 0 {
			s.totals = j.totals.narrow.alloc(n)
		}
	}
	s.profile = j.tally.profile(t, r, a, r.believed(j.attrs(a.first)))
	s.firstT, s.crossT = a.first.t, neverT
	switch {
	case a.barred:
		s.crossT = barredT
	case a.cross != nil:
		s.crossT = a.cross.t
	}
	for k, y := range a.totals {
		j.totals.set(s.totals+uint32(k), y)
	}
	return true
}

// post adds a stance to the deltas (sign 1) or takes it back (-1).
func (j *Joiner) post(t *trial, r *run, a *stance, sign int64) {
	if a.first == nil {
		return
	}
	n := j.tally.profile(t, r, a, r.believed(j.attrs(a.first)))
	if a.barred {
		p := &j.tally.profiles[n]
		c := p.cell(Excluded, slotStart(p.slot, r.slot))
		if a.leftOut {
			c.Metric, c.Value = Sample, LeftOut
		}
		j.tally.count(c, sign, a.first.t*max(sign, 0))
		return
	}
	deltas := j.tally.of(n)
	put := func(d *Delta, o Delta, newest int64) {
		if sign < 0 {
			d.sub(o)
			return
		}
		d.Add(o)
		d.Newest = max(d.Newest, newest)
	}
	put(&deltas[0], Delta{N: 1}, a.first.t)
	p := &j.tally.profiles[n]
	for _, counter := range [...]string{Assignment, Sample} {
		if verdict, ok := attr(j.attrs(a.first), counter); ok {
			c := p.cell(counter, slotStart(p.slot, r.slot))
			c.Value = string(verdict)
			j.tally.count(c, sign, a.first.t*max(sign, 0))
		}
	}
	for i := range a.asides {
		s := &a.asides[i]
		c := p.outcomeCell(s.metric, s.value, &s.row)
		if s.metric == Moved {
			c = p.movedCell(s.value, &s.row)
		}
		j.tally.count(c, sign, s.row.t*max(sign, 0))
	}
	if a.cross != nil {
		c := p.cell(CrossoverUnits, slotStart(p.slot, r.slot))
		c.Value = r.variants[r.variant(a.cross.variant)]
		j.tally.count(c, sign, a.cross.t*max(sign, 0))
		return
	}
	for k := range r.metrics {
		m := &r.metrics[k]
		var z Int128
		if m.ratio {
			z = a.totals[m.first+1]
		}
		put(&deltas[k+1], m.moment(a.totals[m.first], z), a.newest[k])
	}
}

// outcomeCell is where an outcome that a metric cannot read is counted.
func (p *profile) outcomeCell(counter, metric string, x *row) Cell {
	c := p.cell(counter, slotStart(x.t, p.run.slot))
	c.Value = metric
	return c
}

// movedCell is where an exposure to another variant in a later phase is counted:
// under the phase in which it happened.
func (p *profile) movedCell(other string, x *row) Cell {
	c := p.cell(Moved, slotStart(x.t, p.run.slot))
	c.Phase, c.Settling, c.Value = p.run.phase(x.t).number, false, other
	return c
}

// postSighting adds what an exposure gives by itself, whoever its unit is, or takes it
// back. It returns the iteration to whose units it may belong, -1: none.
func (j *Joiner) postSighting(t *trial, x *row, sign int64) (iteration int) {
	s := j.sight(t, x)
	c, iteration := t.ofSighting(&s)
	if c.Metric != "" {
		j.tally.count(c, sign, s.at*max(sign, 0))
	}
	return iteration
}

func (j *Joiner) sight(t *trial, x *row) sighting {
	s := sighting{kind: j.kindOf(x.tuple), variant: x.variant, at: x.t}
	if t.asks {
		s.consent = consentOf(j.attrs(x))
		if s.refused = t.refuses(s.consent, x.t); s.refused {
			s.at = minuteOf(x.t)
		}
	}
	return s
}

// sighting is what is known of an exposure when its unit is not.
type sighting struct {
	kind, variant uint32 // symbols
	at            int64
	consent       string
	refused       bool
}

// ofSighting says where an exposure is counted by itself (no metric: nowhere), and to the
// units of which iteration it may belong.
func (t *trial) ofSighting(r *sighting) (c Cell, iteration int) {
	metric, iteration := t.stray(r.kind, r.variant, r.at)
	if metric != "" {
		return t.strayCell(metric, iteration, r), -1
	}
	if !r.refused && !t.runs[iteration].consent.Asks() {
		return c, iteration
	}
	c = t.strayCell(Consent, iteration, r)
	c.Value = r.consent
	if r.refused {
		iteration = -1
	}
	return c, iteration
}

// strayCell is where an exposure that belongs to no iteration's units is counted.
// Variants that the experiment does not have share the empty key: a broken
// producer must not be able to make rows without end.
func (t *trial) strayCell(metric string, iteration int, r *sighting) Cell {
	d := t.designOf(iteration)
	c := Cell{Experiment: t.key, Metric: metric, Slot: slotStart(r.at, d.slot)}
	if v := d.variant(r.variant); v >= 0 {
		c.Variant = d.variants[v]
	}
	if iteration >= 0 {
		run := &t.runs[iteration]
		c.Iteration = run.number
		if r.at < run.end {
			c.Phase = run.phase(r.at).number
		}
	}
	return c
}

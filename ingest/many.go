package ingest

// manyRows is from how many rows on a unit is too large to be assessed for each
// of its events.
const manyRows = 64

// Walking all rows of a unit twice for every exposure that changes something is
// right for nearly every unit, and quadratic for a crawler with a million events.
// Such a unit is unsettled: what it gives is taken back once, its events are only
// stored, and after the last of them it is assessed once. So however its events
// are ordered, its rows are walked a fixed number of times in each call of AddAll.

// unsettle takes back what the unit gives to all iterations.
func (j *Joiner) unsettle(u *unit) {
	for _, t := range j.trialsOf(u, j.trials, nil) {
		j.postRuns(u, t, -1)
	}
	u.set(unsettled)
	j.unsettled = append(j.unsettled, u.id)
}

// settle adds what those units give now.
func (j *Joiner) settle() {
	if len(j.unsettled) == 0 {
		return
	}
	for _, id := range j.unsettled {
		j.enter(id)
		u := j.units.find(id)
		u.clear(unsettled)
		for _, t := range j.trialsOf(u, j.trials, nil) {
			j.postRuns(u, t, 1)
			j.standRuns(u, t)
		}
	}
	j.unsettled = j.unsettled[:0]
	j.before, j.after = stance{}, stance{}
}

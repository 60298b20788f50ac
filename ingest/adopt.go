package ingest

import (
	"reflect"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// Adopt goes over to another version and adds to the deltas exactly the
// difference between the sums under the new version and those under the old one.
// It tells whether anything that counting depends on is different; when it is
// not, there are no deltas. Call it with no deltas waiting, so that the
// difference can be a part of its own.
func (j *Joiner) Adopt(v *experiment.Version) (changed bool) {
	next := compile(v, j.symbol)
	old := difference(j.trials, next)
	fresh := difference(next, j.trials)
	if len(old)+len(fresh) == 0 {
		return false
	}
	j.postAll(old, -1)
	j.postAll(fresh, 1)
	j.trials = next
	j.chill()
	return true
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

// postAll adds or takes back what all units give to some experiments.
func (j *Joiner) postAll(trials map[uint32]*trial, sign int64) {
	if len(trials) == 0 {
		return
	}
	var seen []*trial
	j.units.each(func(u *unit) {
		seen = j.trialsOf(u, trials, seen[:0])
		for _, t := range seen {
			j.postStrays(u, t, sign)
			for i := range t.runs {
				j.assess(u, t, &t.runs[i], &j.after)
				j.post(t, &t.runs[i], &j.after, sign)
			}
		}
	})
}

// postStrays does the same for the exposures that belong to no iteration's units.
func (j *Joiner) postStrays(u *unit, t *trial, sign int64) {
	for i := u.rows; i != 0; {
		x := j.rows.at(i)
		i = x.next
		if !x.exposure() || x.name != t.symbol {
			continue
		}
		if metric, iteration := j.stray(u, t, x); metric != "" {
			j.tally.count(t.strayCell(metric, iteration, x), sign, x.t*max(sign, 0))
		}
	}
}

// trialsOf appends those experiments that the unit has exposures of.
func (j *Joiner) trialsOf(u *unit, trials map[uint32]*trial, list []*trial) []*trial {
	for i := u.rows; i != 0; {
		x := j.rows.at(i)
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

// chill forgets all standings: they are brought back unit by unit, under the
// rules now in force, when the unit's next event comes.
func (j *Joiner) chill() {
	j.tally.forget()
	j.standings.clear()
	j.totals = newTotals()
	j.units.each(func(u *unit) {
		u.standings, u.cold = 0, true
	})
}

// warm computes the unit's standings from its rows.
func (j *Joiner) warm(u *unit) {
	u.cold = false
	for _, t := range j.trialsOf(u, j.trials, nil) {
		for i := range t.runs {
			j.assess(u, t, &t.runs[i], &j.after)
			j.stand(u, t, &t.runs[i], &j.after)
		}
	}
}

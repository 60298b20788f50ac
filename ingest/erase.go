package ingest

import (
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// ErasureOf is the number of the last request of erasure that holds under a version.
func ErasureOf(v *experiment.Version) uint64 {
	if v == nil {
		return 0
	}
	return v.Erasure
}

// Erase takes units out of the state, under the version in force, and returns what
// they had given to the sums.
//
// With retract that is taken back in the next Take, and nothing of them is left.
// Without it their sums stay, and the answer is what a recount of stored rows will
// lack once theirs are gone. Of closed iterations nothing is taken back and nothing
// returned: nobody recounts those.
//
// Call it with no deltas waiting, with those of the units in memory that have stored
// rows (see AbsentUnits), and add nothing of these units afterwards.
func (j *Joiner) Erase(units []Unit, retract bool) (gave []Row) {
	sign := int64(1)
	if retract {
		sign = -1
	}
	var held [segments][]Unit
	for _, id := range units {
		j.enter(id)
		if u := j.units.find(id); u != nil {
			j.postUnitAndStrays(u, j.trials, sign)
			held[segmentOf(id)] = append(held[segmentOf(id)], id)
		}
	}
	if !retract {
		gave = j.tally.take()
	}
	for n, gone := range held {
		if len(gone) == 0 {
			continue
		}
		slices.SortFunc(gone, Unit.compare)
		j.rebuild(n, func(u *unit) bool {
			_, goes := slices.BinarySearchFunc(gone, u.id, Unit.compare)
			return goes
		})
	}
	j.sweep() // names and attributes that only they had
	return gave
}

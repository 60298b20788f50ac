package watch

import (
	"hash/fnv"
	"time"
)

// endedEvery is how often an iteration is looked at that has ended and can be judged.
// Nothing is left to turn off, what still comes in is late, and after some weeks there
// are more of these than of those that run.
const endedEvery = 5 * time.Second

// rested is the last look at an iteration that has ended.
type rested struct{ at, end time.Time }

// due are the iterations to be looked at in a round: those that run in each, those that
// have ended in some, not all of them in the same.
func (w *Watch) due(runs []run, now time.Time, full bool) []run {
	out := make([]run, 0, len(runs))
	for _, r := range runs {
		last, rests := w.rested[r.key()]
		if full || !rests || !last.end.Equal(r.iteration.End) || spell(r.experiment.Key, now) != spell(r.experiment.Key, last.at) {
			out = append(out, r)
		}
	}
	return out
}

// spell numbers the times in each of which an ended iteration is looked at once.
func spell(key string, at time.Time) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return (at.UnixNano() + int64(h.Sum32())%int64(endedEvery)) / int64(endedEvery)
}

// rest notes that an iteration that has ended was judged. One that could not be is
// looked at again in the next round: it may only wait for a shard to adopt its end.
func (w *Watch) rest(j *judged) {
	key := j.key()
	if j.document.At.Before(j.iteration.End) || len(j.document.Troubles) > 0 || j.blindest() != nil {
		delete(w.rested, key)
		return
	}
	w.rested[key] = rested{j.document.At, j.iteration.End}
}

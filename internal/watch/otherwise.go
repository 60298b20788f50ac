package watch

import (
	"reflect"

	"github.com/assay-dev/assay/internal/experiment"
)

// pair is two versions by their numbers.
type pair struct{ older, newer uint32 }

// otherwise are the experiments that two versions count otherwise. It is asked for each
// experiment in every round in which a shard has yet to adopt the newer one, and found
// out once.
func (w *Watch) otherwise(older, newer *experiment.Version) map[string]bool {
	key := pair{older.Number, newer.Number}
	if known, ok := w.pairs[key]; ok {
		return known
	}
	for k := range w.pairs {
		if k.newer+keptVersions < newer.Number {
			delete(w.pairs, k)
		}
	}
	before := make(map[string]*experiment.Experiment, len(older.Experiments))
	for i := range older.Experiments {
		before[older.Experiments[i].Key] = &older.Experiments[i]
	}
	out := map[string]bool{}
	for i := range newer.Experiments {
		e := &newer.Experiments[i]
		if was := before[e.Key]; was != nil && reflect.DeepEqual(was, e) {
			continue
		}
		if experiment.Counting(older, newer, e.Key) {
			out[e.Key] = true
		}
	}
	w.pairs[key] = out
	return out
}

package watch

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// looksAfterEnd are the times of the guard looks at an iteration that was killed.
func looksAfterEnd(w *world) (at []time.Time) {
	end := w.newestVersion().Experiments[0].Iterations[0].End
	for _, l := range w.looks {
		if l.Document.Kind == results.KindGuard && !l.Document.At.Before(end) {
			at = append(at, l.Document.At)
		}
	}
	return at
}

// TestEndedIterationRests: one that has ended is looked at every five seconds, and at
// once when it ends.
func TestEndedIterationRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.run(t, Config{}, 0, 2*time.Minute)
		at := looksAfterEnd(w)
		end := w.newestVersion().Experiments[0].Iterations[0].End
		if len(at) < 22 || len(at) > 30 {
			t.Fatalf("%d looks in the two minutes after the end, want one each 5 s", len(at))
		}
		if wait := at[0].Sub(end); wait > 2*time.Second {
			t.Errorf("the first look after the end came after %v", wait)
		}
		for i := range at[1:] {
			if gap := at[i+1].Sub(at[i]); gap > endedEvery+time.Second {
				t.Errorf("no look for %v after %v", gap, at[i].Sub(end))
			}
		}
	})
}

// TestEndedIterationThatCannotBeJudged is looked at in every round.
func TestEndedIterationThatCannotBeJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.config = 1 // the shard never adopts the end
		w.run(t, Config{}, 0, 30*time.Second)
		if n := len(looksAfterEnd(w)); n < 27 {
			t.Errorf("%d looks in half a minute, want one each second", n)
		}
	})
}

// TestOtherwise: what two versions count otherwise, whatever else is different.
func TestOtherwise(t *testing.T) {
	w, err := newWatch(Config{}, (&guard{world: newWorld(checkout()), t: t}).parts())
	if err != nil {
		t.Fatal(err)
	}
	same, ended, told, fresh := checkout(), checkout(), checkout(), checkout()
	same.Key, ended.Key, told.Key, fresh.Key = "same", "ended", "told", "fresh"
	older := &experiment.Version{Number: 1, Experiments: []experiment.Experiment{same, ended, told}}
	later, otherOwner := checkout(), told
	later.Key, later.Iterations[0].End = "ended", ended.Iterations[0].End.Add(-time.Hour)
	otherOwner.Owner = "somebody else"
	newer := &experiment.Version{Number: 2, Experiments: []experiment.Experiment{same, later, otherOwner, fresh}}
	for range 2 { // the second time from what is remembered
		if got, want := w.otherwise(older, newer), map[string]bool{"ended": true, "fresh": true}; !reflect.DeepEqual(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

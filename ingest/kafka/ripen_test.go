package kafka

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// A batch that has its age is written, unless more than it has waits in the log; then
// it may grow, but not for ever.
func TestBatchGrowsBehindTheEnd(t *testing.T) {
	for name, test := range map[string]struct {
		behind []int64
		ages   int           // it has had
		took   time.Duration // the last part was written in
		old    bool
		after  int // ages
	}{
		"at the end":            {behind: []int64{0, 0}, ages: 1, old: true, after: 1},
		"as much waits":         {behind: []int64{2, 1}, ages: 1, old: true, after: 1},
		"more waits":            {behind: []int64{2, 2}, ages: 1, after: 2},
		"still more waits":      {behind: []int64{9000, 9000}, ages: behindAges - 1, after: behindAges},
		"it has had its time":   {behind: []int64{9000, 9000}, ages: behindAges, old: true, after: behindAges},
		"the store is slow":     {behind: []int64{2, 2}, ages: 1, took: 400 * time.Millisecond, after: 1 + 6},
		"the store is too slow": {behind: []int64{2, 2}, ages: 1, took: time.Minute, after: 1 + behindAges},
	} {
		t.Run(name, func(t *testing.T) {
			w := &worker{l: &life{s: &shard{c: &Consumer{cfg: DefaultConfig()}}}, behind: test.behind, age: time.NewTimer(time.Hour)}
			w.open = &batch{rows: newMemory().NewRows(0, nil), events: make([]ingest.Event, 2), dead: make([]ingest.Dead, 1), ages: test.ages}
			w.took.Store(int64(test.took))
			defer w.age.Stop()
			if w.ripen(); w.old != test.old || w.open.ages != test.after {
				t.Errorf("old %v after %d ages", w.old, w.open.ages)
			}
		})
	}
}

// The memory of all open batches has a bound, however many shards there are.
func TestBatchesShareTheirRoom(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Batch.Records, cfg.Batch.Total = 1000, 4000
	for held, want := range map[int64]int{0: 1000, 1: 1000, 4: 1000, 8: 500, 100_000: 1} {
		c := &Consumer{cfg: cfg}
		c.held.Store(held)
		if got := c.limit().Records; got != want {
			t.Errorf("%d shards: a batch of %d, want %d", held, got, want)
		}
	}
}

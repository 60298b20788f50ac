package kafka

import (
	"testing"
	"time"
)

// A batch that has its age is written, unless a whole batch more waits in the
// log; then it may grow, but once only.
func TestBatchGrowsBehindTheEnd(t *testing.T) {
	for name, test := range map[string]struct {
		behind []int64
		grew   bool // it has been given its longer time
		old    bool
	}{
		"at the end":            {behind: []int64{0, 0}, old: true},
		"almost a batch behind": {behind: []int64{500, 499}, old: true},
		"a batch behind":        {behind: []int64{500, 500}},
		"still behind, later":   {behind: []int64{9000, 9000}, grew: true, old: true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Batch.Records = 1000
			w := &worker{l: &life{s: &shard{c: &Consumer{cfg: cfg}}}, behind: test.behind, open: &batch{grows: test.grew}, age: time.NewTimer(time.Hour)}
			defer w.age.Stop()
			if w.ripen(); w.old != test.old || w.open.grows != (test.grew || !test.old) {
				t.Errorf("old %v, grows %v", w.old, w.open.grows)
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

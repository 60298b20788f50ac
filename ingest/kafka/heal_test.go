package kafka

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// What compaction took after it was counted cannot be read again, and nothing
// says so but the rows that still lack.
func TestLostEventsThatWereCompacted(t *testing.T) {
	bubble(t, func(h *harness) {
		h.compacted(exposures)
		log := traffic(0, 20)
		h.produce(traffic(20, 20)) // stays: the hole is not at the beginning
		h.produce(log)
		h.untilEnd()
		h.produce(log)
		h.produce(log)
		h.cluster.Compact()
		clear(h.store.events)
		var stopped *StoppedError
		if err := h.tryUntilEnd(); !errors.As(err, &stopped) || stopped.State != StateMissing {
			t.Errorf("got %v, want state %s", err, StateMissing)
		}
		h.untilEnd(func(c *Config) { c.AcceptGap = true })
		h.store.reconcile(t)
	}, kfake.SeedTopics(shards, outcomes), kfake.SeedTopics(1, letters))
}

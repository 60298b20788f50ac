package kafka

import (
	"context"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// Reconciled says of a topic's partition whether every offset that was passed has
// one fate in the marks.
type Reconciled struct {
	Shard      uint16
	Topic      string
	Difference int64 // offsets without one; 0 when everything is accounted for
}

// reconcile publishes the difference of each owned shard. It must be 0: a mark is
// refused when its own sums are wrong, so another number means that somebody has
// changed or lost marks.
func (c *Consumer) reconcile(ctx context.Context) {
	all, err := c.store.Reconciled(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.log.Warn("offsets not reconciled", "error", err)
		}
		return
	}
	owned := map[uint16]bool{}
	for _, s := range c.owned() {
		owned[s.id] = true
	}
	for _, r := range all {
		if !owned[r.Shard] {
			continue
		}
		c.metrics.reconciled(r)
		if r.Difference != 0 {
			c.log.Error("offsets are not accounted for", "shard", r.Shard, "topic", r.Topic, "difference", r.Difference)
		}
	}
}

// addUnknown counts exposures by topic whose experiment a version does not have.
// They are stored, and count once their file arrives.
func (b *batch) addUnknown(v *experiment.Version, events []ingest.Event) {
	known := map[string]bool{}
	if v != nil {
		for i := range v.Experiments {
			known[v.Experiments[i].Key] = true
		}
	}
	for i := range events {
		if e := &events[i]; e.Type == ingest.Exposure && !known[e.Experiment] {
			b.unknown[e.Place.Topic]++
		}
	}
}

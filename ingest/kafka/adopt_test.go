package kafka

import (
	"testing"

	"github.com/assay-dev/assay/internal/experiment"
)

// Events that are read before anything was applied are stored, and count when
// their experiment comes, in a part of its own.
//
// semantics: unknown-experiment backfill
func TestEventsBeforeTheFirstVersion(t *testing.T) {
	bubble(t, func(h *harness) {
		var first experiment.Version
		h.store.mu.Lock()
		first, h.store.versions = h.store.versions[0], nil
		h.store.mu.Unlock()
		c := h.run(h.config())
		log := traffic(0, 60)
		h.produce(log)
		h.await("everything is read", func() bool {
			counts := h.store.counted()
			return counts[exposures].Accepted+counts[outcomes].Accepted == uint64(len(log))
		})
		if sums := h.store.sums(); len(sums) != 0 {
			t.Errorf("without a version something was counted: %v", sums)
		}
		h.store.apply(first)
		h.awaitSums(log)
		c.stop()
		h.store.reconcile(t)
	})
}

// A consumer that comes back to a newer version first stands where the last mark
// left it, then adopts, and only then reads on.
//
// semantics: adoption
func TestRestartAdoptsBeforeItReads(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 60)
		h.produce(log)
		h.untilEnd()
		var before [shards]int
		for s := range uint16(shards) {
			before[s] = len(h.store.partsOf(s))
		}
		h.store.apply(version(h.start, "spend", "revenue"))
		more := traffic(60, 30)
		h.produce(more)
		h.untilEnd()
		want := brute(append(log, more...))
		for _, v := range []string{"control", "treatment"} {
			want["cta "+v+" revenue"] = want["cta "+v+" spend"]
		}
		if got := h.store.sums(); !equal(got, want) {
			t.Errorf("sums are %v, want %v", got, want)
		}
		for s := range uint16(shards) {
			first := h.store.partsOf(s)[before[s]]
			if first.Config != 2 || len(first.Offsets) != 0 {
				t.Errorf("shard %d: the first part after the restart is of version %d with %d ranges", s, first.Config, len(first.Offsets))
			}
			for _, r := range first.Rows {
				if r.Metric != "revenue" {
					t.Errorf("shard %d: adopting a metric changes %s", s, r.Metric)
				}
			}
		}
	})
}

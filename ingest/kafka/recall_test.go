package kafka

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestMemoryLimit keeps a consumer from holding any unit longer than its batch
// lasts. Late outcomes, duplicates after a restart and a version with another
// metric give what they give with all memory of the world.
func TestMemoryLimit(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 60)
		h.produce(log)
		tiny := func(c *Config) {
			c.Memory = 1
			c.Batch.Records = 7
		}
		h.untilEnd(tiny)
		h.wantSums(log)

		late := []event{{unit: "u-3", cents: 5}, {unit: "u-4", cents: 7}, {unit: "u-58", cents: 9}, {unit: "new", variant: "control"}, {unit: "new", cents: 1}}
		log = append(log, late...)
		h.produce(late)
		before := h.store.recalls
		h.untilEnd(tiny)
		h.wantSums(log)
		if n := h.store.recalls - before; n < 3 || n > 6 {
			t.Errorf("%d units were read back for three that are late", n)
		}

		h.store.apply(version(h.start, "spend", "paid"))
		more := traffic(60, 10)
		h.produce(more)
		h.untilEnd(tiny)
		got := h.store.sums()
		for _, variant := range []string{"control", "treatment"} {
			if a, b := got["cta "+variant+" spend"], got["cta "+variant+" paid"]; a != b || a.n == 0 {
				t.Errorf("%s: the metric that was added has %v, the one that was always there %v", variant, b, a)
			}
		}
	})
}

// TestLimitIsOfTheProcess: with memory for all, nothing is read back; the gauges
// say what is held.
func TestLimitIsOfTheProcess(t *testing.T) {
	bubble(t, func(h *harness) {
		registry := prometheus.NewRegistry()
		cfg := h.config()
		cfg.Memory, cfg.Registerer = 1<<30, registry
		c := h.run(cfg)
		log := traffic(0, 40)
		h.produce(log)
		h.awaitSums(log)
		units, bytes := metric(t, registry, "assay_ingest_state_units", ""), metric(t, registry, "assay_ingest_state_bytes", "")
		if units != 40 || bytes < 40*100 || h.store.recalls != 0 {
			t.Errorf("%v units in memory take %v bytes, %d were read back", units, bytes, h.store.recalls)
		}
		c.stop()
	})
}

// TestAdoptWithoutMemory changes what counts while most units are away.
func TestAdoptWithoutMemory(t *testing.T) {
	bubble(t, func(h *harness) {
		cfg := h.config()
		cfg.Memory = 1
		c := h.run(cfg)
		log := traffic(0, 50)
		h.produce(log[:40])
		h.awaitSums(log[:40])
		next := version(h.start, "spend")
		next.Experiments[0].Iterations[0].Start = h.start.Add(time.Hour) // nothing counts any more
		h.store.apply(next)
		h.await("nothing counts", func() bool { return len(h.store.sums()) == 2 }) // $outside, by variant
		h.store.apply(version(h.start, "spend"))
		h.awaitSums(log[:40])
		h.produce(log[40:])
		h.awaitSums(log)
		c.stop()
		h.store.reconcile(t)
	})
}

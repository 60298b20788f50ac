package kafka

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A consumer says once a minute whether the marks of its shards account for every
// offset, and counts exposures that no file knows.
func TestReconciliationIsPublished(t *testing.T) {
	bubble(t, func(h *harness) {
		const differs, strange = "assay_reconciliation_difference", "assay_ingest_unknown_experiment_total"
		reg := prometheus.NewRegistry()
		cfg := h.config()
		cfg.Registerer = reg
		c := h.run(cfg)
		log := traffic(0, 40)
		h.produce(log)
		h.send(&kgo.Record{Topic: exposures, Key: []byte("u-1"), Value: fmt.Appendf(nil,
			`{"type":"exposure","ts":%d,"unit":"u-1","experiment":"misspelt","variant":"control"}`, h.start.UnixMilli())})
		h.awaitSums(log)
		h.await("the stranger is counted", func() bool { return metric(t, reg, strange, exposures) == 1 })
		h.await("everything is reconciled", func() bool { return series(t, reg, differs) == 2*shards })
		if got := metric(t, reg, differs, ""); got != 0 {
			t.Errorf("a difference of %v, want 0", got)
		}
		h.store.mu.Lock()
		h.store.astray = 3
		h.store.mu.Unlock()
		h.await("the difference is seen", func() bool { return metric(t, reg, differs, "1") == 2*3 })
		c.stop()
		if n := series(t, reg, differs); n != 0 {
			t.Errorf("%d shards that were given up are still published", n)
		}
	})
}

// series is how many series a metric has.
func series(t *testing.T, reg *prometheus.Registry, name string) int {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return len(f.GetMetric())
		}
	}
	return 0
}

package kafka

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestReady: a consumer that cannot restore its state is not ready and says why, also
// when the store does not even take its status; what is measured goes on being so.
func TestReady(t *testing.T) {
	bubble(t, func(h *harness) {
		broken := errors.New("code: 246, message: a part cannot be read")
		h.store.set(func(m *memory) { m.beforeMark = func() error { return broken } })
		cfg, registry := h.config(), prometheus.NewRegistry()
		cfg.Registerer = registry
		c := h.run(cfg)
		want := func(when string, parts ...string) {
			t.Helper()
			err := c.running.Ready(h.Context())
			if len(parts) == 0 && err != nil {
				t.Errorf("%s: %v", when, err)
			}
			for _, part := range parts {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("%s: %v, want %q", when, err, part)
				}
			}
		}
		<-time.After(time.Minute)
		want("it cannot load", "shard 0: loading ", "shard 3: loading ", broken.Error())
		if ok := gauge(t, registry, "assay_ingest_shard_ok"); ok != 0 {
			t.Errorf("shard_ok is %v", ok)
		}

		h.store.set(func(m *memory) { m.beforeMark = nil })
		<-time.After(time.Minute)
		want("mended")
		h.store.set(func(m *memory) {
			m.beforeStatus = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		})
		<-time.After(time.Minute)
		want("nothing is answered", "status not written: ")
		if at := gauge(t, registry, "assay_ingest_last_report_timestamp_seconds"); time.Since(time.UnixMilli(int64(at*1000))) > 2*reportTimeout {
			t.Errorf("the last report was %s ago", time.Since(time.UnixMilli(int64(at*1000))))
		}
		h.store.set(func(m *memory) { m.beforeStatus = nil })
		<-time.After(10 * time.Second)
		want("answered again")
		h.cluster.Close()
		<-time.After(time.Minute)
		want("without brokers", "topics not checked: ")
		c.cancel()
		<-c.done
		want("it has ended", "topics not checked: ")
		<-time.After(time.Minute)
		want("for long", "it has not looked at its shards for ")
	})
}

// gauge is the smallest value of a metric.
func gauge(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		least := f.GetMetric()[0].GetGauge().GetValue()
		for _, m := range f.GetMetric() {
			least = min(least, m.GetGauge().GetValue())
		}
		return least
	}
	t.Fatalf("there is no %s", name)
	return 0
}

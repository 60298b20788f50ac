package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/ingest"
)

// TestCountsBeforeItIsLoaded: a consumer that starts counts at once, however long the
// reading of what is stored takes. It fails once and begins again; when it has ended,
// nothing is read back any more.
func TestCountsBeforeItIsLoaded(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd()
		h.wantSums(log)

		read, fails := make(chan struct{}), atomic.Bool{}
		fails.Store(true)
		h.store.beforeBelow = func(ctx context.Context) error {
			select {
			case <-read:
			case <-ctx.Done():
				return ctx.Err()
			}
			if fails.Swap(false) {
				return errors.New("the server is gone")
			}
			return nil
		}
		registry := prometheus.NewRegistry()
		cfg := h.config()
		cfg.Registerer = registry
		c := h.run(cfg)
		late := append(traffic(10, 5), event{unit: "u-12", cents: 7}, event{unit: "u-3", cents: 9}, event{unit: "new", variant: "control"}, event{unit: "new", cents: 4})
		log = h.goOn(log, late...)
		loading := func() (n float64) {
			for shard := range shards {
				n += metric(t, registry, "assay_ingest_state_loading", fmt.Sprint(shard))
			}
			return n
		}
		if units := h.store.recalls; units < 6 || units > 9 || loading() == 0 {
			t.Errorf("%d units were read back for six; %v shards load", units, loading())
		}

		close(read)
		h.await("all is in memory", func() bool { return loading() == 0 })
		before := h.store.recalls
		more := []event{{unit: "u-20", cents: 3}, {unit: "u-39", cents: 8}}
		h.goOn(log, more...)
		if n := h.store.recalls - before; n != 0 {
			t.Errorf("%d units were read back that are in memory", n)
		}
		c.stop()
		h.store.reconcile(t)
	})
}

// goOn lets more happen, and waits until it is counted.
func (h *harness) goOn(log []event, more ...event) []event {
	h.produce(more)
	log = append(log, more...)
	h.awaitSums(log)
	return log
}

// TestStopWhileLoading: a consumer that is told to stop does not wait for what is read.
func TestStopWhileLoading(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 10)
		h.produce(log)
		h.untilEnd()
		h.store.beforeBelow = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		c := h.run(h.config())
		synctest.Wait()
		c.stop()
		h.untilEnd() // nor does one that has reached its goal
		h.wantSums(log)
	})
}

// TestCutter: stretches end where a unit ends, and one that has too many rows is left
// out of them.
func TestCutter(t *testing.T) {
	var sizes []int
	seen := map[ingest.Unit]int{}
	c := cutter{}
	c.give = func(s stretch) (stretch, error) {
		sizes = append(sizes, len(s))
		for _, e := range s {
			seen[e.Unit]++
		}
		return nil, nil
	}
	feed := func(unit uint64, rows int) {
		for range rows {
			if err := c.see(&ingest.Event{Unit: ingest.Unit{Lo: unit}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	feed(0, 5) // nobody's
	feed(1, loadRows-1)
	feed(2, 10)
	feed(3, loadMost)
	feed(4, 1)
	if c.left || fmt.Sprint(sizes) != fmt.Sprint([]int{loadRows + 9, loadMost}) {
		t.Errorf("left out: %v, sizes %v", c.left, sizes)
	}
	feed(5, loadMost+1)
	feed(6, 2)
	_, _ = c.give(c.rows)
	want := map[ingest.Unit]int{{Lo: 1}: loadRows - 1, {Lo: 2}: 10, {Lo: 3}: loadMost, {Lo: 4}: 1, {Lo: 6}: 2}
	if !c.left || fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("left out: %v, rows %v", c.left, seen)
	}
}

// TestPowerCutBeforeAllIsLoaded: a server that was started again may lack rows that
// nobody has compared with the marks since. What is read back from it would be too
// little, so the shard begins anew, heals, and counts what it must.
func TestPowerCutBeforeAllIsLoaded(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd()
		h.store.beforeBelow = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		registry := prometheus.NewRegistry()
		cfg := h.config()
		cfg.Registerer = registry
		c := h.run(cfg)
		first := []event{{unit: "u-7", cents: 3}}
		log = h.goOn(log, first...)

		h.store.startAgain()
		more := []event{{unit: "u-12", cents: 7}, {unit: "u-3", cents: 9}}
		h.goOn(log, more...)
		if n := metric(t, registry, "assay_ingest_shard_restarts_total", "server"); n < 1 || n > 2 {
			t.Errorf("%v shards began anew, of two units' at most two", n)
		}
		c.stop()
		h.store.reconcile(t)
	})
}

// TestRecentUnitsAreThere: the units of the newest records are in memory before a shard
// counts, and are not asked for again; others are read back when they are needed.
func TestRecentUnitsAreThere(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 40)
		h.produce(log)
		time.Sleep(time.Minute)
		new := traffic(50, 20) // in each shard
		h.produce(new)
		log = append(log, new...)
		h.untilEnd()
		h.store.beforeBelow = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		next := func(recent time.Duration, old string) {
			h.recent = recent
			registry := prometheus.NewRegistry()
			cfg := h.config()
			cfg.Registerer = registry
			c := h.run(cfg)
			more := []event{{unit: "u-60", cents: 3}, {unit: old, cents: 8}}
			log = h.goOn(log, more...)
			c.stop()
		}
		for _, test := range []struct {
			recent  time.Duration
			old     string
			recalls int
		}{{0, "u-0", 2}, {time.Second, "u-1", 1}, {time.Hour, "u-2", 0}} {
			h.store.recalls = 0
			if next(test.recent, test.old); h.store.recalls != test.recalls {
				t.Errorf("%v: %d units were read back, want %d", test.recent, h.store.recalls, test.recalls)
			}
		}
		h.store.reconcile(t)
	})
}

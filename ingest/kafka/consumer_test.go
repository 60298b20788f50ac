package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

func TestUntilEnd(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 200)
		h.produce(log)
		h.untilEnd()
		h.wantSums(log)

		parts := len(h.store.partsOf(0))
		h.untilEnd()
		if again := len(h.store.partsOf(0)); again != parts {
			t.Errorf("a second run with nothing to read wrote %d parts", again-parts)
		}
	})
}

// Records that arrive after the start are for the next run.
func TestUntilEndReadsNoFurther(t *testing.T) {
	bubble(t, func(h *harness) {
		log, later := traffic(0, 40), traffic(40, 40)
		h.produce(log)
		var once sync.Once
		h.store.beforePart = func(ingest.Part) error {
			once.Do(func() { h.produce(later) })
			return nil
		}
		h.untilEnd(func(c *Config) { c.Batch.Records = 5 })
		h.wantSums(log)
		h.untilEnd()
		h.wantSums(append(log, later...))
	})
}

// The moments do not know how the log was cut into parts.
func TestBatchesOfAnySize(t *testing.T) {
	for _, records := range []int{1, 7, 1000} {
		t.Run(fmt.Sprint(records), func(t *testing.T) {
			bubble(t, func(h *harness) {
				log := traffic(0, 60)
				h.produce(log)
				h.untilEnd(func(c *Config) { c.Batch.Records = records })
				h.wantSums(log)
			})
		})
	}
}

// A batch whose records became many delta rows is written before more is read,
// however few its records are.
func TestBatchIsFullByItsRows(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 300)
		h.produce(log)
		h.untilEnd(func(c *Config) { c.Batch.Time, c.Batch.Rows = time.Hour, 10 })
		h.wantSums(log)
		many := h.parts()
		h.store = newMemory()
		h.store.apply(version(h.start, "spend"))
		h.untilEnd(func(c *Config) { c.Batch.Time = time.Hour })
		h.wantSums(log)
		if few := h.parts(); many < 3*few {
			t.Errorf("%d parts when ten rows fill a batch, %d when it does not", many, few)
		}
	})
}

// parts is how many the store has.
func (h *harness) parts() (n int) {
	for shard := range uint16(shards) {
		n += len(h.store.partsOf(shard))
	}
	return n
}

// With the log deleted, everything but what comes next is in the store.
//
// semantics: function-of-log
func TestRestartFromTheStoreAlone(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 50)
		h.produce(log)
		h.untilEnd()
		for _, topic := range []string{exposures, outcomes} {
			for p := range int32(shards) {
				if err := h.cluster.DeleteRecords(topic, p, -1); err != nil {
					t.Fatal(err)
				}
			}
		}
		more := []event{{unit: "u-1", cents: 5000}, {unit: "u-2", cents: 70}, {unit: "new", variant: "control"}}
		h.produce(more)
		h.untilEnd()
		h.wantSums(append(log, more...))
	})
}

func TestIdleShardWritesNoPartAndIsFresh(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 20)
		c := h.run(h.config())
		h.produce(log)
		h.awaitSums(log)
		before := len(h.store.partsOf(1))
		<-time.After(10 * time.Minute)
		if after := len(h.store.partsOf(1)); after != before {
			t.Errorf("%d parts were written while nothing happened", after-before)
		}
		for s := range uint16(shards) {
			st := h.store.statusOf(s)
			if st.State != StateOK || time.Since(st.Freshness) > 2*time.Second || time.Since(st.At) > 2*time.Second {
				t.Errorf("shard %d: %+v at %v", s, st, time.Now())
			}
			if last := h.store.partsOf(s); st.Seq != uint64(len(last)) || st.Config != 1 {
				t.Errorf("shard %d says seq %d, config %d after %d parts", s, st.Seq, st.Config, len(last))
			}
		}
		c.stop()
	})
}

// Two consumers that both believe to own every shard: the ledger lets one of
// them write each part, the other one starts again from the mark.
//
// semantics: function-of-log
func TestTwoConsumersOfAllShards(t *testing.T) {
	bubble(t, func(h *harness) {
		reg := prometheus.NewRegistry()
		cfg := h.config()
		cfg.Registerer, cfg.Batch.Records, cfg.Batch.Time = reg, 3, 10*time.Millisecond
		a := h.run(cfg)
		cfg.Registerer = nil
		b := h.run(cfg)
		var log []event
		for i := range 20 {
			part := traffic(i*20, 20)
			h.produce(part)
			log = append(log, part...)
		}
		h.awaitSums(log)
		a.stop()
		b.stop()
		h.wantSums(log)
	})
}

func TestLostPartDropsMemory(t *testing.T) {
	bubble(t, func(h *harness) {
		reg := prometheus.NewRegistry()
		log := traffic(0, 30)
		var stolen atomic.Bool
		h.store.beforePart = func(p ingest.Part) error {
			if len(p.Offsets) > 0 && stolen.CompareAndSwap(false, true) {
				// Somebody else writes this very part a moment earlier.
				h.store.mu.Lock()
				h.store.parts[p.Shard] = append(h.store.parts[p.Shard], stored{p, h.topics()})
				h.store.mu.Unlock()
			}
			return nil
		}
		h.produce(log)
		h.untilEnd(func(c *Config) { c.Registerer = reg })
		h.wantSums(log)
		if got := metric(t, reg, "assay_ingest_shard_restarts_total", "lost"); got != 1 {
			t.Errorf("%v restarts because of a lost part, want 1", got)
		}
	})
}

// topics are the declared ones as a mark names them.
func (h *harness) topics() []Topic {
	h.Helper()
	l, err := describe(h.Context(), h.client, []string{exposures, outcomes})
	if err != nil {
		h.Fatal(err)
	}
	return []Topic{{exposures, l.ids[exposures]}, {outcomes, l.ids[outcomes]}}
}

// metric is the sum of a metric's series that have this label value; "" for any.
func metric(t *testing.T, reg *prometheus.Registry, name, label string) (total float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && (label == "" || l.GetValue() == label) {
					total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return total
}

// A crash at either side of the append: the events are there and the part is
// not, or the part is there and nobody was told.
func TestCrashAroundTheAppend(t *testing.T) {
	crash := errors.New("the connection broke")
	for _, side := range []string{"before events", "before part", "after part"} {
		t.Run(side, func(t *testing.T) {
			bubble(t, func(h *harness) {
				var n atomic.Int64
				every3 := func() error {
					if n.Add(1)%3 == 0 {
						return crash
					}
					return nil
				}
				switch side {
				case "before events":
					h.store.beforeEvents = func(uint16) error { return every3() }
				case "before part":
					h.store.beforePart = func(ingest.Part) error { return every3() }
				default:
					h.store.afterPart = func(ingest.Part) error { return every3() }
				}
				log := traffic(0, 100)
				h.produce(log)
				h.untilEnd(func(c *Config) { c.Batch.Records = 3 })
				if n.Load() < 9 {
					t.Fatalf("only %d steps were tried", n.Load())
				}
				h.wantSums(log)
			})
		})
	}
}

// What is under way when a consumer is stopped becomes durable.
func TestStopIsGentle(t *testing.T) {
	bubble(t, func(h *harness) {
		arrived, release := make(chan struct{}, 100), make(chan struct{})
		h.store.beforePart = func(p ingest.Part) error {
			if len(p.Offsets) > 0 {
				arrived <- struct{}{}
				<-release
			}
			return nil
		}
		c := h.run(h.config())
		log := []event{{unit: "a", variant: "control"}}
		h.produce(log)
		<-arrived
		c.cancel()
		close(release)
		c.stop()
		h.wantSums(log)
	})
}

// A store that hangs holds a stop up no longer than the timeout.
func TestStopHasAnEnd(t *testing.T) {
	bubble(t, func(h *harness) {
		arrived := make(chan struct{}, shards)
		h.store.hang = func(ctx context.Context, p ingest.Part) {
			if len(p.Offsets) > 0 {
				arrived <- struct{}{}
				<-ctx.Done()
			}
		}
		c := h.run(h.config())
		h.produce([]event{{unit: "a", variant: "control"}})
		<-arrived
		began := time.Now()
		c.stop()
		if took := time.Since(began); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("stopping took %v, want the timeout of 10s", took)
		}
	})
}

// semantics: adoption backfill
func TestNewVersionIsAPartOfItsOwn(t *testing.T) {
	bubble(t, func(h *harness) {
		c := h.run(h.config())
		log := traffic(0, 90)
		h.produce(log[:60])
		h.awaitSums(log[:60])
		h.store.apply(version(h.start, "spend", "revenue"))
		h.await("both versions' metrics", func() bool { return h.store.sums()["cta treatment revenue"].n > 0 })
		h.produce(log[60:])
		want := brute(log)
		for _, v := range []string{"control", "treatment"} {
			want["cta "+v+" revenue"] = want["cta "+v+" spend"]
		}
		h.await("sums under version 2", func() bool { return equal(h.store.sums(), want) })
		c.stop()
		h.store.reconcile(t)
		for s := range uint16(shards) {
			var adopted []uint32
			config := uint32(0)
			for _, p := range h.store.partsOf(s) {
				if p.Config != config {
					adopted = append(adopted, p.Config)
					if len(p.Offsets) != 0 {
						t.Errorf("shard %d part %d adopts a version and has offsets", s, p.Seq)
					}
				}
				config = p.Config
			}
			if fmt.Sprint(adopted) != "[1 2]" {
				t.Errorf("shard %d adopted versions %v", s, adopted)
			}
		}
	})
}

// semantics: dead-letter
func TestDeadLetters(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 10)
		h.produce(log)
		secret := []byte(`{"type":"exposure","unit":"alice@example.org","ts":`)
		h.send(&kgo.Record{Topic: exposures, Key: []byte("x"), Value: secret})
		h.untilEnd()
		h.wantSums(log)
		if got := h.store.counted()[exposures].Dead; got != 1 {
			t.Errorf("%d dead records counted, want 1", got)
		}
		notes := h.consume(letters, 1)
		var note DeadLetter
		decodeJSON(t, notes[0].Value, &note)
		if note.Reason != ingest.BadJSON || note.Topic != exposures || note.Size != len(secret) || note.Position == nil {
			t.Errorf("note is %s", notes[0].Value)
		}
		for p, d := range h.store.dead {
			if p.topic != exposures || note.Offset != p.offset || note.Partition != p.shard || d.Reason != note.Reason {
				t.Errorf("stored %+v at %+v, noted %s", d, p, notes[0].Value)
			}
		}
	})
}

func TestMetrics(t *testing.T) {
	bubble(t, func(h *harness) {
		reg := prometheus.NewRegistry()
		cfg := h.config()
		cfg.Registerer = reg
		c := h.run(cfg)
		log := traffic(0, 30)
		h.produce(log)
		h.awaitSums(log)
		h.await("no lag", func() bool {
			return metric(t, reg, "assay_ingest_lag_records", "") == 0 && metric(t, reg, "assay_ingest_shard_ok", "") == shards
		})
		if got := metric(t, reg, "assay_ingest_records_total", "accepted"); got != float64(len(log)) {
			t.Errorf("%v records accepted, want %d", got, len(log))
		}
		if got := metric(t, reg, "assay_ingest_freshness_seconds", ""); got > 2*shards {
			t.Errorf("freshness is %v s over all shards", got)
		}
		c.stop()
		if got := metric(t, reg, "assay_ingest_shard_ok", ""); got != 0 {
			t.Errorf("%v shards are reported after the end", got)
		}
	})
}

// One topic may hold exposures and outcomes both.
//
// semantics: one-topic
func TestOneTopic(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 50)
		for _, e := range log {
			r := h.record(e)
			r.Topic = "all"
			h.send(r)
		}
		h.untilEnd(func(c *Config) {
			c.Topics, c.DeadLetters = []SourceTopic{{Name: "all", Partitioner: ingest.Murmur2}}, ""
		})
		h.wantSums(log)
	}, kfake.SeedTopics(shards, "all"))
}

// A topic that is declared later, and sorts before the others, leaves identity
// and ties as they are: events carry their topic's name, not its index.
func TestTopicDeclaredLater(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 30)
		h.produce(log)
		h.untilEnd()
		more := []event{{unit: "u-1", cents: 300}, {unit: "late", variant: "control"}}
		for _, e := range more {
			r := h.record(e)
			r.Topic = "a.more"
			h.send(r)
		}
		with := func(c *Config) {
			c.Topics = append(c.Topics, SourceTopic{Name: "a.more", Partitioner: ingest.Murmur2})
		}
		h.untilEnd(with)
		h.wantSums(append(log, more...))
		// And one that is no longer declared still counts.
		last := []event{{unit: "late", cents: 5}}
		h.produce(last)
		h.untilEnd()
		h.wantSums(append(append(log, more...), last...))
	}, kfake.SeedTopics(shards, exposures, outcomes, "a.more"), kfake.SeedTopics(1, letters))
}

package kafka

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// semantics: partitions
func TestUnequalPartitionsRefuseToStart(t *testing.T) {
	bubble(t, func(h *harness) {
		err := h.tryUntilEnd()
		var topics *TopicsError
		if !errors.As(err, &topics) {
			t.Fatalf("got %v, want a TopicsError", err)
		}
		if want := "the topics have unequal numbers of partitions: assay.exposures has 4, assay.outcomes has 3"; err.Error() != want {
			t.Errorf("problem is %q, want %q", err, want)
		}
		if !strings.Contains(topics.Hint(), "make new topics with equal numbers of partitions") {
			t.Errorf("the hint is %q", topics.Hint())
		}
	}, kfake.SeedTopics(4, exposures), kfake.SeedTopics(3, outcomes), kfake.SeedTopics(1, letters))
}

func TestMissingTopicRefusesToStart(t *testing.T) {
	for name, opts := range map[string][]kfake.Opt{
		outcomes: {kfake.SeedTopics(4, exposures, letters)},
		letters:  {kfake.SeedTopics(4, exposures, outcomes)},
	} {
		bubble(t, func(h *harness) {
			err := h.tryUntilEnd()
			var topics *TopicsError
			if !errors.As(err, &topics) || !strings.Contains(err.Error(), "topic "+name+" does not exist") || topics.Hint() == "" {
				t.Errorf("without %s: %v", name, err)
			}
		}, opts...)
	}
}

// Brokers that do not answer yet are waited for, but not by a command of a person.
func TestBrokersComeLater(t *testing.T) {
	bubble(t, func(h *harness) {
		var there atomic.Bool
		cfg := h.config()
		cfg.Client = []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			if !there.Load() {
				return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
			}
			return h.net.DialContext(ctx, network, address)
		})}
		if err := h.tryUntilEnd(func(c *Config) { c.Client = cfg.Client }); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("reading to the ends: %v", err)
		}
		log := traffic(0, 20)
		h.produce(log)
		c := h.run(cfg)
		<-time.After(time.Minute)
		there.Store(true)
		h.awaitSums(log)
		c.stop()
		there.Store(false)
		waiting := h.run(cfg)
		<-time.After(time.Minute)
		waiting.stop()
	})
}

// semantics: partitions
func TestChangedPartitionsStopTheShards(t *testing.T) {
	bubble(t, func(h *harness) {
		c := h.run(h.config())
		log := traffic(0, 20)
		h.produce(log)
		h.awaitSums(log)
		if _, err := h.admin.CreatePartitions(h.Context(), 2, outcomes); err != nil {
			t.Fatal(err)
		}
		h.awaitState(StatePartitions, "make new topics with 4 partitions")
		h.produce(traffic(20, 20))
		<-time.After(time.Minute)
		h.wantSums(log)
		c.stop()
		// Making the others as many does not mend it, and nor does a new start: units
		// would be in two shards.
		if _, err := h.admin.CreatePartitions(h.Context(), 2, exposures); err != nil {
			t.Fatal(err)
		}
		var stopped *StoppedError
		if err := h.tryUntilEnd(); !errors.As(err, &stopped) || stopped.State != StatePartitions {
			t.Errorf("a new start gave %v, want state %s", err, StatePartitions)
		}
		h.wantSums(log)
	})
}

// awaitState waits until every shard says so, and goes on saying so.
func (h *harness) awaitState(state, detail string) {
	h.Helper()
	h.await("all shards are in state "+state, func() bool {
		for s := range uint16(shards) {
			if st := h.store.statusOf(s); st.State != state || !strings.Contains(st.Detail, detail) {
				return false
			}
		}
		return true
	})
	<-time.After(5 * time.Second)
	for s := range uint16(shards) {
		if st := h.store.statusOf(s); time.Since(st.At) > 2*time.Second || st.State != state {
			h.Errorf("shard %d: %+v at %v", s, st, time.Now())
		}
	}
}

// semantics: gap
func TestGapStopsUntilItIsAccepted(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd()
		lost, kept := traffic(40, 40), traffic(80, 40)
		h.produce(lost)
		for p := range int32(shards) {
			for _, topic := range []string{exposures, outcomes} {
				if err := h.cluster.DeleteRecords(topic, p, -1); err != nil {
					t.Fatal(err)
				}
			}
		}
		h.produce(kept)

		var stopped *StoppedError
		if err := h.tryUntilEnd(); !errors.As(err, &stopped) || stopped.State != StateGap || !strings.Contains(stopped.Detail, "--accept-gap") {
			t.Fatalf("got %v, want a gap", err)
		}
		h.wantSums(log)
		c := h.run(h.config())
		h.awaitState(StateGap, "were deleted before they were read")
		c.stop()

		h.untilEnd(func(c *Config) { c.AcceptGap = true })
		h.wantSums(append(log, kept...))
		for topic, counts := range h.store.counted() {
			want := uint64(0)
			for _, e := range lost {
				if h.record(e).Topic == topic {
					want++
				}
			}
			if counts.Gap != want {
				t.Errorf("%s: gap of %d offsets is counted, want %d", topic, counts.Gap, want)
			}
		}
		h.untilEnd()
	})
}

// Retention overtakes a consumer that is running and cannot write.
//
// semantics: gap
func TestGapWhileRunning(t *testing.T) {
	bubble(t, func(h *harness) {
		c := h.run(h.config())
		log := traffic(0, 40)
		h.produce(log)
		h.awaitSums(log)
		broken := errors.New("the store is away")
		h.store.setBeforePart(func(ingest.Part) error { return broken })
		h.produce(traffic(40, 40))
		h.await("the shards notice", func() bool { return strings.Contains(h.store.statusOf(0).Detail, broken.Error()) })
		for p := range int32(shards) {
			if err := h.cluster.DeleteRecords(exposures, p, -1); err != nil {
				t.Fatal(err)
			}
		}
		h.awaitState(StateGap, "were deleted before they were read")
		h.wantSums(log)
		c.stop()
	})
}

// semantics: gap-topic
func TestTopicMadeAgainIsAGap(t *testing.T) {
	for _, when := range []string{"between runs", "while running"} {
		t.Run(when, func(t *testing.T) {
			bubble(t, func(h *harness) {
				log := traffic(0, 40)
				h.produce(log)
				cfg := h.config()
				var c *consumer
				if when == "while running" {
					c = h.run(cfg)
					h.awaitSums(log)
				} else {
					h.untilEnd()
				}
				h.again(exposures)
				if c == nil {
					c = h.run(cfg)
				}
				h.awaitState(StateGap, "was deleted and made again")
				h.wantSums(log)
				c.stop()
			})
		})
	}
}

// again deletes a topic and makes it anew, with as many records as it had.
func (h *harness) again(topic string) {
	h.Helper()
	if _, err := h.admin.DeleteTopic(h.Context(), topic); err != nil {
		h.Fatal(err)
	}
	if _, err := h.admin.CreateTopic(h.Context(), shards, 1, nil, topic); err != nil {
		h.Fatal(err)
	}
	h.client.PurgeTopicsFromClient(topic)
	h.produce(traffic(1000, 100))
}

// A topic that was made again can be accepted; then only what lies above the
// places that are taken is read.
func TestTopicMadeAgainAccepted(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 8)
		h.produce(log)
		h.untilEnd()
		h.again(exposures)
		for range 2 {
			h.untilEnd(func(c *Config) { c.AcceptGap = true })
			h.store.reconcile(t)
		}
		h.untilEnd()
		var offsets int64
		for s := range uint16(shards) {
			left := markOf(h.store.lastMark(s), exposures)
			offsets += left.Next
		}
		if offsets != 100 {
			t.Errorf("the marks stand at %d exposures altogether, the new topic has 100", offsets)
		}
	})
}

// semantics: gap gap-topic gap-end
func TestDeparture(t *testing.T) {
	a, b := [16]byte{1}, [16]byte{2}
	left := func(next int64, id [16]byte) *TopicMark { return &TopicMark{Topic: Topic{"x", id}, Next: next} }
	for _, c := range []struct {
		name       string
		left       *TopicMark
		id         [16]byte
		now        offsets
		from, lost int64
		problem    string
	}{
		{"a new shard begins at the first record", nil, a, offsets{7, 9, -1}, 7, 0, ""},
		{"in the middle", left(8, a), a, offsets{0, 9, -1}, 8, 0, ""},
		{"at the end", left(9, a), a, offsets{0, 9, -1}, 9, 0, ""},
		{"everything was deleted, nothing was lost", left(9, a), a, offsets{9, 9, -1}, 9, 0, ""},
		{"deleted before it was read", left(5, a), a, offsets{8, 9, -1}, 8, 3, "offsets 5 to 7 were deleted"},
		{"the end was lost", left(9, a), a, offsets{0, 8, -1}, 9, 0, "ends at offset 8"},
		{"another topic, shorter", left(9, a), b, offsets{0, 3, -1}, 9, 0, "made again"},
		{"another topic, longer", left(9, a), b, offsets{0, 30, -1}, 9, 0, "made again"},
		{"another topic, later", left(9, a), b, offsets{12, 30, -1}, 12, 3, "made again"},
		{"the end was lost and grew again", left(9, a), a, offsets{0, 30, 6}, 9, 0, "offsets 6 to 8 were counted and hold other records"},
		{"the term went on", left(9, a), a, offsets{0, 30, 9}, 9, 0, ""},
		{"a term that ended before the log begins", left(9, a), a, offsets{7, 30, 3}, 9, 0, ""},
		{"no ids: an old broker", left(9, [16]byte{}), b, offsets{0, 30, -1}, 9, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, lost, problem := departure(c.left, c.id, c.now)
			if from != c.from || lost != c.lost || !strings.Contains(problem, c.problem) || (c.problem == "") != (problem == "") {
				t.Errorf("got %d, %d lost, %q; want %d, %d lost, %q", from, lost, problem, c.from, c.lost, c.problem)
			}
		})
	}
}

// Aborted records are not read, and the markers of transactions are offsets
// without a record, at the end of a partition too.
func TestTransactions(t *testing.T) {
	bubble(t, func(h *harness) {
		tx, err := kgo.NewClient(kgo.SeedBrokers(h.cluster.ListenAddrs()...), kgo.Dialer(h.net.DialContext), kgo.TransactionalID("t"))
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Close()
		kept, aborted, hidden := traffic(0, 30), traffic(30, 30), traffic(60, 4)
		h.transact(tx, kept, kgo.TryCommit)
		h.transact(tx, aborted, kgo.TryAbort)
		h.untilEnd()
		h.wantSums(kept)

		c := h.run(h.config())
		h.begin(tx, hidden)
		opened := time.Now()
		<-time.After(20 * time.Second)
		fresh := 0
		for s := range uint16(shards) {
			if st := h.store.statusOf(s); st.Freshness.After(opened.Add(2 * time.Second)) {
				fresh++
			}
		}
		if fresh == shards {
			t.Error("all shards are fresh, though an open transaction hides records")
		}
		h.wantSums(kept)
		if err := tx.EndTransaction(h.Context(), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
		h.awaitSums(append(kept, hidden...))
		h.await("fresh again", func() bool { return time.Since(h.store.statusOf(0).Freshness) < 2*time.Second })
		c.stop()
		h.store.reconcile(t)
		counts := h.store.counted()
		if n := counts[exposures].NoRecord; n < 30+3*shards-2 {
			t.Errorf("%d offsets without a record, want 30 aborted ones and the markers", n)
		}
	})
}

func (h *harness) begin(tx *kgo.Client, log []event) {
	h.Helper()
	if err := tx.BeginTransaction(); err != nil {
		h.Fatal(err)
	}
	for _, e := range log {
		if err := tx.ProduceSync(h.Context(), h.record(e)).FirstErr(); err != nil {
			h.Fatal(err)
		}
	}
}

func (h *harness) transact(tx *kgo.Client, log []event, end kgo.TransactionEndTry) {
	h.Helper()
	h.begin(tx, log)
	if err := tx.EndTransaction(h.Context(), end); err != nil {
		h.Fatal(err)
	}
}

// Compaction takes the older of two records with one key.
func TestCompactionHoles(t *testing.T) {
	bubble(t, func(h *harness) {
		h.compacted(exposures)
		log := traffic(0, 20)
		h.produce(traffic(20, 20))
		h.produce(log)
		h.produce(log)
		h.produce(log)
		h.cluster.Compact()
		kept := len(h.consumeAll(exposures))
		h.untilEnd()
		counts := h.store.counted()[exposures]
		if kept != 60 || counts.NoRecord != 20 || counts.Accepted != uint64(kept) {
			t.Errorf("of 80 offsets %d have a record; counted %+v", kept, counts)
		}
		h.store.reconcile(t)
	}, kfake.SeedTopics(shards, outcomes), kfake.SeedTopics(1, letters))
}

func (h *harness) compacted(topic string) {
	h.Helper()
	policy, size := "compact", "1"
	if _, err := h.admin.CreateTopic(h.Context(), shards, 1, map[string]*string{"cleanup.policy": &policy, "segment.bytes": &size}, topic); err != nil {
		h.Fatal(err)
	}
}

// consumeAll reads what there is of a topic.
func (h *harness) consumeAll(topic string) (out []*kgo.Record) {
	h.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(h.cluster.ListenAddrs()...), kgo.Dialer(h.net.DialContext), kgo.ConsumeTopics(topic))
	if err != nil {
		h.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		out = append(out, cl.PollFetches(ctx).Records()...)
	}
	return out
}

// semantics: misplaced-share
func TestMisplacedRecordsBlindTheShard(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 200)
		h.produce(log)
		h.untilEnd()
		c := h.run(h.config())
		stray := h.record(event{unit: "u-1", cents: 100000})
		home := ingest.Partition(stray.Key, shards, ingest.Murmur2)
		stray.Partition = (home + 1) % shards
		cl, err := kgo.NewClient(kgo.SeedBrokers(h.cluster.ListenAddrs()...), kgo.Dialer(h.net.DialContext), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			t.Fatal(err)
		}
		defer cl.Close()
		if err := cl.ProduceSync(h.Context(), stray).FirstErr(); err != nil {
			t.Fatal(err)
		}
		h.await("the shard is blind", func() bool { return h.store.statusOf(uint16(stray.Partition)).State == StateMisplaced })
		// It goes on counting all the same, without the stray record.
		more := traffic(200, 100)
		h.produce(more)
		log = append(log, more...)
		h.awaitSums(log)
		c.stop()
		if n := h.store.counted()[outcomes].Misplaced; n != 1 {
			t.Errorf("%d misplaced records counted, want 1", n)
		}
		if st := h.store.statusOf(uint16(home)); st.State != StateOK {
			t.Errorf("the unit's own shard is %s", st.State)
		}
	})
}

// semantics: chain
func TestBrokenChainStopsTheShard(t *testing.T) {
	bubble(t, func(h *harness) {
		c := h.run(h.config())
		log := traffic(0, 20)
		h.produce(log)
		h.awaitSums(log)
		h.store.breakChain(2, "seq 3 is there twice")
		h.await("the shard stops", func() bool {
			st := h.store.statusOf(2)
			return st.State == StateChain && st.Detail == "seq 3 is there twice"
		})
		if st := h.store.statusOf(1); st.State != StateOK {
			t.Errorf("another shard is %s", st.State)
		}
		c.stop()
		var stopped *StoppedError
		if err := h.tryUntilEnd(); !errors.As(err, &stopped) || stopped.Shard != 2 || stopped.State != StateChain {
			t.Errorf("a new start gave %v", err)
		}
	})
}

// A ledger that is truncated while nothing comes in: nobody appends and is refused,
// and yet it is seen and counted again.
//
// semantics: chain
func TestTruncatedWhileNothingComesIn(t *testing.T) {
	bubble(t, func(h *harness) {
		c := h.run(h.config())
		log := traffic(0, 20)
		h.produce(log)
		h.awaitSums(log)
		began := time.Now()
		h.store.truncate()
		h.awaitSums(log)
		if took := time.Since(began); took > 2*h.config().ChainEvery {
			t.Errorf("it took %v", took)
		}
		c.stop()
	})
}

func TestLostEventsAreReadAgain(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 40)
		h.produce(log)
		h.send(&kgo.Record{Topic: outcomes, Key: []byte("x"), Value: []byte("{")})
		h.untilEnd()
		want := len(h.store.events)
		clear(h.store.events)
		clear(h.store.dead)
		more := []event{{unit: "u-3", cents: 1}, {unit: "u-4", cents: 2}}
		h.produce(more)
		h.untilEnd()
		h.wantSums(append(log, more...))
		if got := len(h.store.events); got != want+2 || len(h.store.dead) != 1 {
			t.Errorf("%d events and %d dead letters are stored, want %d and 1", got, len(h.store.dead), want+2)
		}
	})
}

// semantics: missing
func TestLostEventsThatAreGone(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd()
		clear(h.store.events)
		for p := range int32(shards) {
			if err := h.cluster.DeleteRecords(exposures, p, -1); err != nil {
				t.Fatal(err)
			}
		}
		var stopped *StoppedError
		if err := h.tryUntilEnd(); !errors.As(err, &stopped) || stopped.State != StateMissing {
			t.Errorf("got %v, want state %s", err, StateMissing)
		}
		h.untilEnd(func(c *Config) { c.AcceptGap = true })
	})
}

// While the store is away, freshness is the time of the first record that waits.
func TestFreshnessOfABacklog(t *testing.T) {
	bubble(t, func(h *harness) {
		c := h.run(h.config())
		log := []event{{unit: "a", variant: "control"}}
		h.produce(log)
		h.awaitSums(log)
		<-time.After(time.Minute)
		gate := make(chan struct{})
		h.store.setBeforePart(func(ingest.Part) error { <-gate; return nil })
		shard := uint16(ingest.Partition([]byte("a"), shards, ingest.Murmur2))
		waits := time.Now()
		for i := range 5 {
			h.produce([]event{{unit: "a", cents: int64(i)}})
			<-time.After(20 * time.Second)
		}
		st := h.store.statusOf(shard)
		if st.State != StateOK || st.Freshness.Sub(waits).Abs() > time.Second || time.Since(st.At) > 2*time.Second {
			t.Errorf("%+v, want freshness %v", st, waits)
		}
		close(gate)
		h.await("fresh again", func() bool { return time.Since(h.store.statusOf(shard).Freshness) < 2*time.Second })
		c.stop()
	})
}

// A client learns a topic's id for itself, maybe a moment after we did: records
// of the other topic are not taken for the next ones of this.
func TestFetchOfAnotherTopicIsRefused(t *testing.T) {
	l := &life{s: &shard{}}
	l.s.progress.ids = map[string][16]byte{exposures: {1}}
	fetch := func(id byte) kgo.Fetches {
		return kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: exposures, TopicID: [16]byte{id}}}}}
	}
	for id, want := range map[byte]error{0: nil, 1: nil, 2: errReloaded} {
		if err := l.sameTopics(fetch(id)); !errors.Is(err, want) {
			t.Errorf("id %d: %v, want %v", id, err, want)
		}
	}
}

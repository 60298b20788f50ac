package kafka

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/internal/realkafka"
)

// TestBroker tries on a real Apache Kafka what this package promises: the embedded
// broker is laxer than a real one.
func TestBroker(t *testing.T) {
	addrs := realkafka.For(t, 1).Addrs()
	for name, test := range map[string]func(*harness){
		"a group and a gap":  groupAndGap,
		"transactions":       transactions,
		"a topic made again": topicMadeAgain,
	} {
		t.Run(name, func(t *testing.T) { onBroker(t, addrs, test) })
	}
}

// onBroker runs a test with topics of its own.
func onBroker(t *testing.T, addrs []string, test func(h *harness)) {
	t.Helper()
	h := &harness{T: t, addrs: addrs, store: newMemory(), start: time.Now()}
	var err error
	if h.client, err = kgo.NewClient(kgo.SeedBrokers(addrs...)); err != nil {
		t.Fatal(err)
	}
	defer h.client.Close()
	h.admin = kadm.NewClient(h.client)
	for topic, n := range map[string]int32{exposures: shards, outcomes: shards, letters: 1} {
		h.make(topic, n)
		defer h.admin.DeleteTopic(t.Context(), topic)
	}
	h.store.apply(version(h.start, "spend"))
	test(h)
}

// make makes a topic anew. Deleting takes the broker a moment.
func (h *harness) make(topic string, partitions int32) {
	h.Helper()
	_, _ = h.admin.DeleteTopic(h.Context(), topic)
	h.await("topic "+topic+" is made", func() bool {
		_, err := h.admin.CreateTopic(h.Context(), partitions, 1, nil, topic)
		return err == nil
	})
	h.await("topic "+topic+" is there", func() bool {
		l, err := describe(h.Context(), h.client, []string{topic})
		return err == nil && l.partitions == partitions
	})
	h.client.PurgeTopicsFromClient(topic)
}

// delete removes the records that a topic has.
func (h *harness) delete(topic string) {
	h.Helper()
	ends, err := h.admin.ListEndOffsets(h.Context(), topic)
	if err != nil {
		h.Fatal(err)
	}
	deleted, err := h.admin.DeleteRecords(h.Context(), ends.Offsets())
	if err != nil || deleted.Error() != nil {
		h.Fatal(err, deleted.Error())
	}
}

func groupAndGap(h *harness) {
	log := traffic(0, 300)
	a := h.run(h.grouped())
	h.produce(log)
	h.awaitSums(log)
	b := h.run(h.grouped())
	h.await("two shards each", func() bool { return a.shards() == 2 && b.shards() == 2 })
	more := traffic(300, 300)
	h.produce(more)
	log = append(log, more...)
	h.awaitSums(log)
	a.stop()
	h.await("the other one takes over", func() bool { return b.shards() == shards })
	more = []event{{unit: "u-1", cents: 5}, {unit: "u-2", cents: 7}}
	h.produce(more)
	log = append(log, more...)
	h.awaitSums(log)
	h.await("fresh", func() bool { return time.Since(h.store.statusOf(0).Freshness) < 3*time.Second })
	h.await("no lag in Kafka", h.noLag)
	b.stop()
	h.wantSums(log)

	h.produce(traffic(600, 100))
	h.delete(exposures)
	h.delete(outcomes)
	kept := traffic(700, 100)
	h.produce(kept)
	var stopped *StoppedError
	if err := h.tryUntilEnd(); !errors.As(err, &stopped) || stopped.State != StateGap {
		h.Fatalf("got %v, want a gap", err)
	}
	h.untilEnd(func(c *Config) { c.AcceptGap = true })
	h.wantSums(append(log, kept...))
}

func transactions(h *harness) {
	tx, err := kgo.NewClient(kgo.SeedBrokers(h.addrs...), kgo.TransactionalID("assay-test"))
	if err != nil {
		h.Fatal(err)
	}
	defer tx.Close()
	kept := traffic(0, 30)
	h.transact(tx, kept, kgo.TryCommit)
	h.transact(tx, traffic(30, 30), kgo.TryAbort)
	h.untilEnd()
	h.wantSums(kept)
}

func topicMadeAgain(h *harness) {
	log := traffic(0, 40)
	h.produce(log)
	c := h.run(h.config())
	h.awaitSums(log)
	h.make(exposures, shards)
	h.produce(traffic(1000, 100))
	h.await("the gap is seen", func() bool {
		st := h.store.statusOf(0)
		return st.State == StateGap && strings.Contains(st.Detail, "made again")
	})
	c.stop()
	h.wantSums(log) // outcomes of units that were never exposed count for nothing
}

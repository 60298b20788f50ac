package kafka

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// deleteAll deletes every record that a topic has.
func (h *harness) deleteAll(topics ...string) {
	h.Helper()
	for _, topic := range topics {
		for p := range int32(shards) {
			if err := h.cluster.DeleteRecords(topic, p, -1); err != nil {
				h.Fatal(err)
			}
		}
	}
}

// records counts the events of a log that go to a topic.
func (h *harness) records(log []event, topic string) (n uint64) {
	for _, e := range log {
		if h.record(e).Topic == topic {
			n++
		}
	}
	return n
}

// What was deleted before anybody read it is no gap that stops a shard, but it is
// written down, once.
//
// semantics: gap-before
func TestDeletedBeforeTheFirstReading(t *testing.T) {
	bubble(t, func(h *harness) {
		lost, log := traffic(0, 40), traffic(40, 40)
		h.produce(lost)
		h.deleteAll(exposures)
		h.produce(log)
		h.untilEnd()
		h.untilEnd()
		if got, want := h.store.lossesOf(exposures), h.records(lost, exposures); got[LostBefore] != want || len(got) != 1 {
			t.Errorf("%v of %s are noted, want %d before", got, exposures, want)
		}
		if got := h.store.lossesOf(outcomes); len(got) != 0 {
			t.Errorf("%v of %s", got, outcomes)
		}
		for shard, losses := range h.store.losses {
			for _, l := range losses {
				// Part 1 adopts the version. Until is bound to the first record that is left, not to the clock.
				if at := l.Until.Sub(h.start).Minutes(); l.Seq != 2 || at < 5 || at > 5.1 {
					t.Errorf("shard %d: part %d, until %v", shard, l.Seq, l.Until)
				}
			}
		}
		h.store.reconcile(t)
	})
}

// A log that lost its end and grew again is as long as it was. Only the leader's
// term tells.
//
// semantics: gap-end
func TestLostEndThatGrewAgain(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd()
		left := markOf(h.store.lastMark(0), exposures)
		if left.Epoch == 0 {
			t.Fatal("the mark has no leader epoch")
		}
		h.cluster.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(req kmsg.Request) (kmsg.Response, error, bool) {
			h.cluster.KeepControl()
			resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
			for _, topic := range req.(*kmsg.OffsetForLeaderEpochRequest).Topics {
				answer := kmsg.NewOffsetForLeaderEpochResponseTopic()
				answer.Topic = topic.Topic
				for _, p := range topic.Partitions {
					part := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
					part.Partition, part.LeaderEpoch, part.EndOffset = p.Partition, p.LeaderEpoch, 1<<40
					if topic.Topic == exposures && p.Partition == 0 {
						part.EndOffset = left.Next - 3
					}
					answer.Partitions = append(answer.Partitions, part)
				}
				resp.Topics = append(resp.Topics, answer)
			}
			return resp, nil, true
		})
		var stopped *StoppedError
		if err := h.tryUntilEnd(); !errors.As(err, &stopped) || stopped.State != StateGap || stopped.Shard != 0 || !strings.Contains(stopped.Detail, "lost its end") {
			t.Fatalf("got %v, want a gap of shard 0", err)
		}
		h.untilEnd(func(c *Config) { c.AcceptGap = true })
		if got := h.store.lossesOf(exposures); !maps.Equal(got, map[LossKind]uint64{LostReplaced: 3}) {
			t.Errorf("%v are noted, want 3 replaced", got)
		}
		h.untilEnd() // the accepted gap does not stop it again
		h.wantSums(log)
	})
}

// Rows that lack and are gone stop a shard, until they are back in the store.
//
// semantics: missing
func TestMissingRowsThatComeBack(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd()
		saved := maps.Clone(h.store.events)
		clear(h.store.events)
		h.deleteAll(exposures, outcomes)
		c := h.run(h.config())
		h.awaitState(StateMissing, "are no longer in Kafka")
		h.store.mu.Lock()
		maps.Copy(h.store.events, saved)
		h.store.mu.Unlock()
		more := traffic(40, 8)
		h.produce(more)
		h.awaitSums(append(log, more...))
		c.stop()
	})
}

// Every mark is compared once, however many there are; what was proven is not.
func TestAllMarksAreHealed(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 60)
		h.produce(log)
		small := func(c *Config) { c.Batch.Records, c.HealMarks = 2, 1 }
		h.untilEnd(small)
		if n := len(h.store.partsOf(0)); n < 5 {
			t.Fatalf("%d parts", n)
		}
		want := len(h.store.events)
		clear(h.store.events)
		h.untilEnd(small)
		if got := len(h.store.events); got != want {
			t.Errorf("%d events are stored, want %d", got, want)
		}
		if got, last := h.store.proven[0], h.store.lastMark(0).Seq; got != last {
			t.Errorf("proven up to %d, want %d", got, last)
		}
	})
}

// The offsets of a topic that was made again mean other records: nothing is healed
// from them.
func TestNothingIsHealedFromAnotherTopic(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 8)
		h.produce(log)
		h.untilEnd()
		h.again(exposures)
		clear(h.store.events)
		h.untilEnd(func(c *Config) { c.AcceptGap = true })
		got := h.store.lossesOf(exposures)
		if want := h.records(log, exposures); got[LostUnstored] != want || got[LostReplaced] != want {
			t.Errorf("%v are noted, want %d that are no longer stored and as many that are not read", got, want)
		}
		h.untilEnd() // what was accepted once is not asked again
	})
}

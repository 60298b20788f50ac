package kafka

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fetched is a poll's answer: records of a topic at these milliseconds, and how
// many more the log has.
func fetched(topic string, offset int64, more int64, times ...int64) kgo.Fetches {
	p := kgo.FetchPartition{LastStableOffset: offset + int64(len(times)) + more}
	for i, t := range times {
		p.Records = append(p.Records, &kgo.Record{Topic: topic, Offset: offset + int64(i), Timestamp: time.UnixMilli(t)})
	}
	return kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: topic, Partitions: []kgo.FetchPartition{p}}}}}
}

// TestMerge lets two lanes come in any order: the older goes first, a lane that is
// behind and should have more is waited for, but not for ever, and nobody waits
// for a lane that is at its end.
func TestMerge(t *testing.T) {
	type step struct {
		lane int // that something comes for
		at   kgo.Fetches
		want string // what is handed on now, topic@time; empty: nothing for as long as patience lasts
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"whoever is alone goes on", []step{{0, fetched("a", 0, 0, 5), "a@5"}, {0, fetched("a", 1, 0, 6), "a@6"}}},
		{"the one behind is waited for", []step{
			{1, fetched("b", 0, 9, 5), "b@5"}, {0, fetched("a", 0, 9, 7), ""}, {1, fetched("b", 1, 8, 6), "b@6"},
			{1, fetched("b", 2, 7, 8), "a@7"}, // b comes after it
		}},
		{"nobody waits for the end of a log", []step{{1, fetched("b", 0, 0, 5), "b@5"}, {0, fetched("a", 0, 9, 7), "a@7"}}},
		{"a lane ahead is no reason to wait", []step{{1, fetched("b", 0, 9, 5, 9), "b@5"}, {0, fetched("a", 0, 9, 7), "a@7"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			merging(t, func(come func(lane int, f kgo.Fetches), out <-chan kgo.Fetches) {
				for i, s := range test.steps {
					come(s.lane, s.at)
					got := ""
					select {
					case f := <-out:
						r := f.Records()[0]
						got = fmt.Sprintf("%s@%d", r.Topic, r.Timestamp.UnixMilli())
					case <-time.After(patience / 2):
					}
					if got != s.want {
						t.Errorf("step %d: %q, want %q", i, got, s.want)
					}
				}
			})
		})
	}
}

// TestMergeHasPatience: b should have more, which never comes.
func TestMergeHasPatience(t *testing.T) {
	merging(t, func(come func(lane int, f kgo.Fetches), out <-chan kgo.Fetches) {
		come(1, fetched("b", 0, 9, 5))
		<-out
		began := time.Now()
		for i := range int64(3) {
			come(0, fetched("a", i, 9, 7+i))
			<-out
		}
		if waited := time.Since(began); waited != patience {
			t.Errorf("waited %v for a lane that gives nothing, want %v, once", waited, patience)
		}
	})
}

// merging runs merge over two lanes; come plays what polls them.
func merging(t *testing.T, test func(come func(lane int, f kgo.Fetches), out <-chan kgo.Fetches)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		lanes := newLanes(2)
		in, out := make(chan arrival), make(chan kgo.Fetches)
		go merge(ctx, lanes, in, out)
		test(func(lane int, f kgo.Fetches) {
			<-lanes[lane].free
			in <- arrival{lane, f}
		}, out)
	})
}

// TestCatchUpInStep catches up with topics of different density, with memory for
// a few units only: their outcomes come before they have to go.
func TestCatchUpInStep(t *testing.T) {
	const units = 20_000
	bubble(t, func(h *harness) {
		var log []event
		var records []*kgo.Record
		for i := range units {
			unit := fmt.Sprintf("u-%d", i)
			mine := []event{{unit: unit, variant: "control"}, {unit: unit, cents: 5}, {unit: unit, cents: 6}, {unit: unit, cents: 7}}
			for _, e := range mine {
				r := h.record(e)
				r.Timestamp = h.start.Add(time.Duration(i) * time.Second)
				records = append(records, r)
			}
			log = append(log, mine...)
		}
		// Each topic is filled by itself: the order between them is only in the times.
		slices.SortStableFunc(records, func(a, b *kgo.Record) int { return len(a.Topic) - len(b.Topic) })
		h.send(records...)
		h.untilEnd(func(c *Config) {
			c.Memory = 6_000_000
			c.Batch.Records = 20
		})
		h.wantSums(log)
		if h.store.recalls > units/10 { // out of step more than half of them are
			t.Errorf("%d of %d units were read back, though their events are neighbours", h.store.recalls, units)
		}
	})
}

package kafka

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

func (h *harness) reread(r Rereading) (Reread, error) {
	h.Helper()
	c, err := New(h.config(), h.store)
	if err != nil {
		h.Fatal(err)
	}
	return c.Reread(h.Context(), r)
}

// Rows that were lost come back as they were, a second time changes nothing, and
// the ledger is not touched.
func TestReread(t *testing.T) {
	bubble(t, func(h *harness) {
		h.produce(traffic(0, 60))
		for i := range 12 {
			h.send(&kgo.Record{Topic: outcomes, Key: []byte{byte(i)}, Value: []byte("{}")})
		}
		h.untilEnd()
		before, dead := maps.Clone(h.store.events), maps.Clone(h.store.dead)
		parts := len(h.store.parts[1])
		next := map[string]int64{}
		for _, m := range h.store.lastMark(1).Topics {
			next[m.Name] = m.Next
		}
		maps.DeleteFunc(h.store.events, func(p place, _ ingest.Event) bool { return p.shard == 1 })
		maps.DeleteFunc(h.store.dead, func(p place, _ ingest.Dead) bool { return p.shard == 1 })
		if len(h.store.events) == len(before) {
			t.Fatal("shard 1 has no events: this proves nothing")
		}
		for range 2 {
			for topic, end := range next {
				if _, err := h.reread(Rereading{Topic: topic, Partition: 1, To: end}); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(before, h.store.events); diff != "" {
				t.Errorf("events (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(dead, h.store.dead); diff != "" {
				t.Errorf("dead letters (-before +after):\n%s", diff)
			}
		}
		if n := len(h.store.parts[1]); n != parts {
			t.Errorf("the ledger has %d parts, before it had %d", n, parts)
		}
	})
}

// A range that was not counted, or that is gone, is refused as a whole.
func TestRereadRefuses(t *testing.T) {
	bubble(t, func(h *harness) {
		h.produce(traffic(0, 60))
		h.untilEnd()
		end := h.store.lastMark(1).Topics[0].Next
		h.produce(traffic(100, 60))
		if err := h.cluster.DeleteRecords(exposures, 1, 2); err != nil {
			t.Fatal(err)
		}
		for want, r := range map[string]Rereading{
			"have been counted":        {Topic: exposures, Partition: 1, From: 3, To: end + 1},
			"no longer in Kafka":       {Topic: exposures, Partition: 1, From: 1, To: end},
			"is not one of":            {Topic: "other", Partition: 1, To: 1},
			"there is no partition 9":  {Topic: exposures, Partition: 9, To: 1},
			"there is no offset from":  {Topic: exposures, Partition: 1, From: 3, To: 3},
			"there is no offset from ": {Topic: exposures, Partition: 1, From: -1, To: 3},
		} {
			var refused *RangeError
			if _, err := h.reread(r); !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want a refusal with %q", r, err, want)
			}
		}
		if got, err := h.reread(Rereading{Topic: exposures, Partition: 1, From: 2, To: end}); err != nil || got.Events != int(end)-2 {
			t.Errorf("%+v, %v; want %d events", got, err, end-2)
		}
	})
}

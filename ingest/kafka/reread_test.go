package kafka

import (
	"context"
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
	return c.Reread(h.Context(), h.store, r)
}

// DecodedRanges implements Counted.
func (m *memory) DecodedRanges(_ context.Context, shard uint16, topic string, from, next int64) (out []Range, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.parts[shard] {
		for _, c := range p.Offsets {
			if p.topics[c.Topic].Name == topic && c.From < next && c.Next > from {
				out = append(out, Range{Topic: topic, From: c.From, Next: c.Next, Decode: c.Decode, Config: p.Config})
			}
		}
	}
	return out, nil
}

// Stretches keep to one decoding, to the range that was asked for, and to a length.
func TestStretches(t *testing.T) {
	parts := []Range{
		{From: 0, Next: 10, Decode: 1}, {From: 10, Next: 20, Decode: 1}, {From: 20, Next: 30, Decode: 2}, {From: 30, Next: 30, Decode: 2},
		{From: 30, Next: 30 + rereadStep, Decode: 2}, {From: 30 + rereadStep, Next: 40 + rereadStep, Decode: 2},
	}
	want := []Range{{From: 5, Next: 20, Decode: 1}, {From: 20, Next: 30, Decode: 2}, {From: 30, Next: 30 + rereadStep, Decode: 2},
		{From: 30 + rereadStep, Next: 31 + rereadStep, Decode: 2}}
	if diff := cmp.Diff(want, stretches(parts, 5, 31+rereadStep)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
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
		h.produce(traffic(60, 60))
		h.untilEnd(func(c *Config) { c.Attributes = []string{"country"} }) // another decoding
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
		decodings := map[uint32]bool{}
		for _, e := range before {
			decodings[e.Decode] = true
		}
		if len(decodings) < 3 {
			t.Errorf("only the decodings %v: this proves less than it should", decodings)
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

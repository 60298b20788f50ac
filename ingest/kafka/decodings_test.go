package kafka

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// withAttributes are n exposures of units from a number on, with two attributes.
func (h *harness) withAttributes(from, n int) {
	h.Helper()
	var records []*kgo.Record
	for i := from; i < from+n; i++ {
		r := h.record(event{unit: fmt.Sprintf("u-%d", i), variant: "control"})
		r.Value = []byte(strings.Replace(string(r.Value), "{", `{"attrs":{"country":"DE","plan":"pro"},`, 1))
		records = append(records, r)
	}
	h.send(records...)
}

func keeping(attributes ...string) func(*Config) {
	return func(c *Config) { c.Attributes = attributes }
}

// What is decoded depends on the record and the decoding of its offset, which a
// mark names: rows that are lost come back as they were, whatever is configured now.
//
// semantics: decoding
func TestHealedRowsHaveTheirDecoding(t *testing.T) {
	bubble(t, func(h *harness) {
		h.withAttributes(0, 40)
		h.untilEnd(keeping("country"))
		h.withAttributes(40, 40)
		h.untilEnd(keeping("plan", "country"))
		want := maps.Clone(h.store.events)
		attrs, numbers := map[int]int{}, map[uint32]int{}
		for _, e := range want {
			attrs[len(e.Attrs)]++
			numbers[e.Decode]++
		}
		if diff := gocmp.Diff(map[int]int{1: 40, 2: 40}, attrs); diff != "" {
			t.Fatalf("rows by attributes (-want +got):\n%s", diff)
		}
		if len(numbers) != 2 {
			t.Errorf("rows by decoding: %v, want two", numbers)
		}
		clear(h.store.events)
		h.untilEnd(keeping("nothing"), func(c *Config) { c.OwnDecoding = true })
		if diff := gocmp.Diff(want, h.store.events); diff != "" {
			t.Errorf("healed rows (-want +got):\n%s", diff)
		}
		h.store.reconcile(t)
	})
}

// A running consumer goes over to a decoding that another one registers, between
// two parts.
func TestRunningConsumerTakesANewDecoding(t *testing.T) {
	bubble(t, func(h *harness) {
		old := h.config()
		old.Attributes = []string{"country"}
		running := h.run(old)
		h.withAttributes(0, 40)
		h.await("the first are stored", func() bool { return h.storedEvents() == 40 })
		fresh := h.config()
		fresh.Attributes = []string{"plan"}
		c, err := New(fresh, h.store)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.decodings.register(t.Context(), fresh.wanted(), false); err != nil {
			t.Fatal(err)
		}
		h.await("the new decodings are known", func() bool { return running.running.decodings.newest() == c.decodings.newest() })
		h.withAttributes(40, 40)
		h.await("all are stored", func() bool { return h.storedEvents() == 80 })
		running.stop()
		seen := map[string]int{}
		for p, e := range h.store.events {
			seen[e.Attrs[0].Name]++
			if mark := h.store.decodedBy(p); mark != e.Decode {
				t.Errorf("%+v was read by %d, its mark says %d", p, e.Decode, mark)
			}
		}
		if diff := gocmp.Diff(map[string]int{"country": 40, "plan": 40}, seen); diff != "" {
			t.Errorf("rows by attribute (-want +got):\n%s", diff)
		}
	})
}

// Two consumers of two configurations that start again and again do not take
// turns: what was replaced stays replaced, until somebody says that it is meant.
func TestOldConfigurationDoesNotComeBack(t *testing.T) {
	bubble(t, func(h *harness) {
		for range 3 {
			h.untilEnd(keeping("a"))
			h.untilEnd(keeping("b"))
		}
		if got := h.store.attributesOf(exposures); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("lists that were in force: %v, want a, b", got)
		}
		h.untilEnd(keeping("a"), func(c *Config) { c.OwnDecoding = true })
		h.untilEnd(keeping("b"))
		if got := h.store.attributesOf(exposures); !slices.Equal(got, []string{"a", "b", "a"}) {
			t.Errorf("lists that were in force: %v, want a, b, a", got)
		}
	})
}

func (h *harness) storedEvents() int {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	return len(h.store.events)
}

// decodedBy is the decoding that the mark of a place names.
func (m *memory) decodedBy(at place) uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.parts[at.shard] {
		i := slices.IndexFunc(p.Offsets, func(c ingest.Counts) bool {
			return p.topics[c.Topic].Name == at.topic && c.From <= at.offset && at.offset < c.Next
		})
		if i >= 0 {
			return p.Offsets[i].Decode
		}
	}
	return 0
}

// attributesOf are the first attributes of a topic's decodings, oldest first.
func (m *memory) attributesOf(topic string) (list []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	slices.SortFunc(m.decoding, func(a, b Decoding) int { return cmp.Compare(a.Number, b.Number) })
	for _, d := range m.decoding {
		if d.Topic == topic {
			list = append(list, d.Attributes[0])
		}
	}
	return list
}

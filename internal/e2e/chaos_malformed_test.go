package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// malformed are ways in which a record cannot be an event, each with the reason
// that docs/semantics.md gives it. A way changes an event that is fine.
var malformed = []struct {
	reason string
	make   func(r *rand.Rand, e map[string]any) []byte
}{
	{"bad_json", func(r *rand.Rand, e map[string]any) []byte { b := text(e); return b[:r.IntN(len(b))] }},
	{"bad_json", func(r *rand.Rand, e map[string]any) []byte {
		b := text(e)
		b[r.IntN(len(b)-1)] = byte(128 + r.IntN(64)) // half of a character
		return b
	}},
	{"bad_json", func(r *rand.Rand, _ map[string]any) []byte {
		b := make([]byte, r.IntN(300))
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		return append([]byte{0}, b...)
	}},
	{"bad_json", func(_ *rand.Rand, e map[string]any) []byte { return append(text(e), text(e)...) }},
	{"bad_json", func(_ *rand.Rand, e map[string]any) []byte { return append([]byte{'['}, append(text(e), ']')...) }},
	{"bad_json", func(_ *rand.Rand, e map[string]any) []byte {
		return append(append(text(e)[:len(text(e))-1], `,"unit":"again"`...), '}')
	}},
	{"bad_json", func(_ *rand.Rand, e map[string]any) []byte {
		delete(e, "id")
		return append([]byte(`{"id":"half of a pair \ud800",`), text(e)[1:]...)
	}},
	{"bad_json", func(r *rand.Rand, _ map[string]any) []byte {
		return []byte(strings.Repeat(`{"a":`, 1+r.IntN(500)))
	}},
	{"bad_type", with("type", "purchase", "", nil, 1, map[string]any{})},
	{"bad_type", without("type")},
	{"missing_field", without("ts")},
	{"missing_field", with("ts", nil)},
	{"missing_field", without("unit")},
	{"missing_field", without("event")},
	{"bad_time", with("ts", "yesterday", "", true, 12, -1, json.Number("1e13"), "2026-13-01T00:00:00Z", "2026-03-01T12:00:00", map[string]any{})},
	{"bad_field", with("unit", "", 17, false, []int{})},
	{"bad_field", with("unit_kind", "", 5, "us\x00er")},
	{"bad_field", with("id", 5, true, []string{"a"})},
	{"bad_field", with("event", "", 5, []string{"a"})},
	{"bad_field", with("attrs", 5, "a", []int{1})},
	{"bad_field", with("attrs", map[string]any{"country": []int{1}}, map[string]any{"ms": map[string]int{}})},
	{"bad_value", with("value", nil, "19.99", true, json.Number("1e15"), json.Number("-1e99"), []int{})},
}

func text(e map[string]any) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return b
}

func with(name string, values ...any) func(*rand.Rand, map[string]any) []byte {
	return func(r *rand.Rand, e map[string]any) []byte {
		e[name] = pick(r, values...)
		return text(e)
	}
}

func without(name string) func(*rand.Rand, map[string]any) []byte {
	return func(_ *rand.Rand, e map[string]any) []byte {
		delete(e, name)
		return text(e)
	}
}

// TestChaosMalformed sends records that cannot be events, far more than events.
// Each must end as a dead letter with its reason, in the table and in the topic,
// and the events between them must be counted as soon as without them.
func TestChaosMalformed(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	c := newChaos(t, seed, setting{partitions: 4, batch: "{time: 50ms}"})
	began := time.Now()
	r := c.rand(1)
	consumer := c.start("ingest")
	c.abreast()
	b := &babble{Rand: c.rand(2), units: 500, until: time.Now().UnixMilli(), named: true}
	want := map[string]int{}
	const chunk = 5000
	chunks := 10 * *longFlag
	var late []time.Duration
	for range chunks {
		events := b.fine(50)
		c.produce(events...)
		c.malform(r, want, chunk)
		last := b.fine(50)
		c.produce(last...)
		sent := time.Now()
		c.abreast()
		late = append(late, time.Since(sent))
	}
	consumer.stop()
	c.deadLetters(want)
	c.compare()
	c.report(began)
	t.Logf("%d malformed records in %v; the events between them were counted %v after they were sent (median; at most %v)",
		chunks*chunk, time.Since(began).Round(time.Millisecond), median(late), slices.Max(late))
	// Flat: no slower at the end than at the beginning.
	half := len(late) / 2
	if first, second := median(late[:half]), median(late[half:]); second > 3*first+2*time.Second {
		t.Errorf("the lag grew from %v to %v", first, second)
	}
}

func median(d []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(d))[len(d)/2]
}

// fine is a batch of records that are events.
func (b *babble) fine(n int) []*kgo.Record {
	var out []*kgo.Record
	for range n {
		out = append(out, b.event())
	}
	return out
}

// malform sends malformed records and counts them by reason.
func (c *chaos) malform(r *rand.Rand, want map[string]int, n int) {
	c.t.Helper()
	now := time.Now()
	var records []*kgo.Record
	for range n {
		unit := fmt.Sprintf("u-%d", r.IntN(500))
		e := map[string]any{"type": "outcome", "id": fmt.Sprint(r.Uint32()), "ts": now.UnixMilli(), "unit": unit, "event": "purchase", "value": 3}
		way := malformed[r.IntN(len(malformed))]
		want[way.reason]++
		records = append(records, &kgo.Record{Topic: pick(r, exposures, outcomes), Key: []byte(unit), Value: way.make(r, e), Timestamp: now})
	}
	c.junk += uint64(n)
	if err := c.client.ProduceSync(c.t.Context(), records...).FirstErr(); err != nil {
		c.t.Fatal(err)
	}
}

// deadLetters holds the table and the topic against what was sent.
func (c *chaos) deadLetters(want map[string]int) {
	c.t.Helper()
	stored := ask[map[string]uint64](c.world, "SELECT sumMap(map(toString(reason), toUInt64(1))) FROM (SELECT DISTINCT topic, shard, offset, reason FROM DB.dead_letters)")
	noted := c.notes()
	for _, reason := range slices.Sorted(maps.Keys(want)) {
		if int(stored[reason]) != want[reason] || noted[reason] != want[reason] {
			c.t.Errorf("%d dead letters and %d notes with reason %s, want %d", stored[reason], noted[reason], reason, want[reason])
		}
	}
	if len(stored) != len(want) || len(noted) != len(want) {
		c.t.Errorf("dead letters have the reasons %v, notes %v", stored, noted)
	}
}

// notes counts what the dead letters' topic says, each record once.
func (c *chaos) notes() map[string]int {
	c.t.Helper()
	starts, err := c.admin.ListStartOffsets(c.t.Context(), letters)
	if err != nil {
		c.t.Fatal(err)
	}
	type place struct {
		Topic     string
		Partition int
		Offset    int64
	}
	seen, noted := map[place]bool{}, map[string]int{}
	for _, r := range c.since(starts.Offsets()) {
		var note struct {
			place
			Reason string
		}
		if err := json.Unmarshal(r.Value, &note); err != nil {
			c.t.Fatal(err)
		}
		if !seen[note.place] {
			seen[note.place] = true
			noted[note.Reason]++
		}
	}
	return noted
}

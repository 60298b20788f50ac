package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestRestartWithoutKafka deletes every record that was counted, and with the
// process the consumer's memory. An earlier exposure, a duplicate and a crossover
// of units from before must change the ledger as if nothing had happened.
func TestRestartWithoutKafka(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	w := newWorld(t, setting{partitions: 3, attributes: []string{"country", "ms"}, more: newFlags(t, obedient).yaml("5s")})
	now := time.Now().Truncate(time.Minute)
	w.measures()
	w.first(now)
	w.assay("apply")
	b := &babble{Rand: rand.New(rand.NewPCG(seed, 2)), units: 500, until: now.UnixMilli()}
	w.produce(b.batch(4000)...)
	start := now.Add(-2 * time.Hour).UnixMilli()
	say := func(topic, unit, id string, ms int64, what string, name string) *kgo.Record {
		e := map[string]any{"type": "outcome", "unit": unit, "ts": start + ms, "id": id, "event": name, "value": 7}
		if what != "" {
			e["type"], e["experiment"], e["variant"] = "exposure", what, name
		}
		return record(topic, unit, e)
	}
	var before []*kgo.Record
	for i := range 30 {
		unit := fmt.Sprintf("known-%d", i)
		before = append(before, say(exposures, unit, "e", 600_000, "alpha", "control"),
			say(outcomes, unit, "o", 700_000, "", "purchase"), say(outcomes, unit, "p", 4_000_000, "", "purchase"))
	}
	w.produce(before...)
	w.assay("ingest", "--until-end")
	first := w.exact()

	w.forget()
	var after []*kgo.Record
	for i := range 30 {
		unit := fmt.Sprintf("known-%d", i)
		switch i % 3 {
		case 0: // an earlier exposure to another variant: a crossover from there
			after = append(after, say(exposures, unit, "x", 60_000, "alpha", "treatment"))
		case 1: // all of it again
			after = append(after, before[3*i], before[3*i+1], before[3*i+2])
		case 2: // an earlier exposure to the same variant, which puts p out of the window
			after = append(after, say(exposures, unit, "x", 0, "alpha", "control"))
		}
	}
	for i, r := range after {
		after[i] = &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value}
	}
	w.produce(after...)
	for range 3 { // and more of everything
		w.produce(b.batch(300)...)
		w.assay("ingest", "--until-end")
		w.forget()
	}
	if diff := differences(first, w.exact()); diff == "" {
		t.Error("what was sent after the restart changed nothing: this proved nothing")
	}
	if n := ask[uint64](w, "SELECT sum(arraySum(duplicate)) FROM DB.ledger WHERE mark = 1"); n < 30 {
		t.Errorf("%d duplicates, want at least the 30 that were sent again", n)
	}
}

// forget deletes every record below the watermark, which is every record, and
// sees that Kafka has none left.
func (w *world) forget() {
	w.t.Helper()
	w.abreast()
	ends, err := w.admin.ListEndOffsets(w.t.Context(), exposures, outcomes)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.admin.DeleteRecords(w.t.Context(), ends.Offsets()); err != nil {
		w.t.Fatal(err)
	}
	starts, err := w.admin.ListStartOffsets(w.t.Context(), exposures, outcomes)
	if err != nil {
		w.t.Fatal(err)
	}
	starts.Each(func(o kadm.ListedOffset) {
		if end, _ := ends.Lookup(o.Topic, o.Partition); o.Offset != end.Offset {
			w.t.Fatalf("%s/%d still begins at %d, want %d", o.Topic, o.Partition, o.Offset, end.Offset)
		}
	})
}

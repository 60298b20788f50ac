package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestSameMoments reads one log in four ways: other sizes of batches, numbers of
// consumers and of partitions must not be seen in the moments.
func TestSameMoments(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	now := time.Now().Truncate(time.Minute)
	b := &babble{Rand: rand.New(rand.NewPCG(seed, 3)), units: 800, until: now.UnixMilli(), named: true}
	log := b.batch(3000 * *longFlag)
	ways := []struct {
		name       string
		partitions int32
		batch      string
		consumers  int
	}{
		{"one consumer, large batches", 4, "", 1},
		{"one consumer, tiny batches", 4, "{time: 1ms, records: 60}", 1},
		{"two consumers", 4, "{time: 20ms, records: 500}", 2},
		{"other partitions", 7, "{time: 1s}", 1},
	}
	var want map[string]string
	for i, way := range ways {
		w := newWorld(t, setting{partitions: way.partitions, attributes: []string{"country", "ms"}, batch: way.batch, more: newFlags(t, obedient).yaml("5s")})
		w.measures()
		w.first(now)
		w.second(now, "from: "+at(now, -0.5)+", ")
		w.assay("apply")
		w.read(log, way.consumers)
		got := w.exact()
		parts := ask[uint64](w, "SELECT countIf(mark = 1) FROM DB.ledger")
		t.Logf("%s: %d cells from %d parts", way.name, len(got), parts)
		if i == 0 {
			want = got
		}
		if diff := differences(want, got); diff != "" {
			t.Errorf("%s: other moments than %s:\n%s", way.name, ways[0].name, diff)
		}
	}
}

// read lets consumers count a log: one reads what is there, several share what
// comes.
func (w *world) read(log []*kgo.Record, consumers int) {
	w.t.Helper()
	var all []*process
	if consumers > 1 {
		for range consumers {
			all = append(all, w.start("ingest"))
		}
	}
	for i := 0; i < len(log); i += 500 {
		var chunk []*kgo.Record
		for _, r := range log[i:min(i+500, len(log))] {
			chunk = append(chunk, &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value})
		}
		w.produce(chunk...)
	}
	if consumers == 1 {
		w.assay("ingest", "--until-end")
		return
	}
	w.abreast()
	for _, p := range all {
		p.stop()
	}
}

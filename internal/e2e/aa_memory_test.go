package e2e

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// replicas is the number of experiments that TestSameAsInMemory runs at once.
const replicas = 200

// TestSameAsInMemory runs 200 experiments without an effect through Kafka and
// ClickHouse, all in one ledger, and the same records through the join in memory, as
// the simulations of internal/calibrate do: the moments are equal bit for bit, so
// that what is simulated there holds for the shipped path.
func TestSameAsInMemory(t *testing.T) {
	t.Parallel()
	random, _ := chance(t)
	w := newWorld(t, setting{partitions: 3, more: newFlags(t, obedient).yaml("20s")})
	var keys []string
	w.write("metrics/errors.yaml", "name: errors\nowner: tests\nkind: proportion\nevent: error\ndirection: decrease\n")
	w.write("metrics/spent.yaml", "name: spent\nowner: tests\nkind: mean\nevent: error\ndirection: increase\n")
	for i := range replicas {
		keys = append(keys, fmt.Sprintf("replica-%03d", i))
		w.write("experiments/"+keys[i]+".yaml", fmt.Sprintf(`key: %s
owner: tests
variants: {control: 50%%, treatment: 50%%}
control: control
window: 1h
goals: [spent]
guardrails: [{metric: errors, margin: 0, mode: kill}]
kill_switch: flags
`, keys[i]))
	}
	w.assay("apply")
	w.read(crowd(random, keys), 1)

	want := w.inMemory()
	if cells := len(want); cells < replicas*6 {
		t.Errorf("only %d cells, want 6 of each experiment at least", cells)
	}
	if diff := differences(want, w.counted("")); diff != "" {
		t.Errorf("the ledger differs from the same records in memory:\n%s", diff)
	}
}

// inMemory joins the log without Kafka and ClickHouse and sums up the deltas.
func (w *world) inMemory() map[string]string {
	w.t.Helper()
	version, err := experiment.Decode([]byte(ask[string](w, "SELECT argMax(body, number) FROM DB.configurations")))
	if err != nil {
		w.t.Fatal(err)
	}
	topics := []string{exposures, outcomes}
	key := ingest.Key{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	joins := map[int32]*ingest.Joiner{}
	decoder := ingest.NewDecoder(key, w.attributes)
	for _, r := range w.log {
		if joins[r.Partition] == nil {
			joins[r.Partition] = ingest.NewJoiner(topics, version)
		}
		if e, dead, ok := decoder.Decode(recordOf(topics, r)); ok {
			joins[r.Partition].Add(&e)
		} else if dead != nil {
			w.t.Errorf("a dead letter: %s", dead.Reason)
		}
	}
	l := ledger{}
	for _, j := range joins {
		for _, row := range j.Take() {
			s := l.at(cell{
				experiment: row.Experiment, iteration: int(row.Iteration), phase: int(row.Phase), settling: row.Settling,
				variant: row.Variant, metric: row.Metric, slot: row.Slot / 1000, dimension: row.Dimension, value: row.Value,
			})
			s.n, s.nonzero, s.over = s.n+row.N, s.nonzero+row.NonZero, s.over+row.Over
			for i, v := range []ingest.Int128{row.Sum, row.SumSquares, row.SumDenominator, row.SumSquaresDenominator, row.SumProduct} {
				s.all()[i].Add(s.all()[i], v.Big())
			}
		}
	}
	return l.texts()
}

// recordOf is a produced record as the consumer sees it.
func recordOf(topics []string, r *kgo.Record) ingest.Record {
	out := ingest.Record{Partition: r.Partition, Value: r.Value, KafkaT: r.Timestamp.UnixMilli()}
	for i, topic := range topics {
		if topic == r.Topic {
			out.Place = ingest.Place{Topic: uint8(i), Offset: r.Offset}
		}
	}
	return out
}

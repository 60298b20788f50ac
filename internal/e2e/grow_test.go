package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/internal/realkafka"
)

// grown is what `assay grow --json` says, as far as it is looked at.
type grown struct {
	Copied    int  `json:"copied"`
	Cells     int  `json:"cells"`
	Decisions int  `json:"decisions"`
	Closed    bool `json:"old_database_closed"`
}

// TestBrokerGrow is the procedure of docs/operations.md, from 4 shards to 16, with its
// commands, on an Apache Kafka, while records flow: an experiment was killed before,
// Kafka has deleted what was counted, a version is applied between two passes, and
// afterwards the guard kills another experiment by the new ledger. In the end that is
// what a count of the log says, and the old one has not changed any more.
func TestBrokerGrow(t *testing.T) {
	t.Parallel()
	random, seed := chance(t)
	w := newWorld(t, setting{partitions: 4, cluster: realkafka.For(t, 1), attributes: []string{"country", "ms"}, more: newFlags(t, obedient).yaml("20s")})
	now := time.Now().Truncate(time.Minute)
	w.measures()
	w.first(now)
	w.guarded("early", "flags")
	w.guarded("late", "flags")
	w.assay("apply")
	consumer, guard := w.start("ingest"), w.start("guard")
	(&visits{key: []string{"early"}, r: random.Float64}).send(w, 4000, 0)
	await(t, time.Minute, says("the first experiment is killed"), func() bool { return slices.Contains(w.story("early"), "iteration_ended") })
	b := &babble{Rand: rand.New(rand.NewPCG(seed, 7)), units: 2000, until: now.UnixMilli()}
	w.produce(b.batch(3000)...) // some of them misplaced: they count in neither ledger
	b.named = true
	w.abreast()
	w.forget() // of all this Kafka has nothing left

	n := w.ofShards(16)
	n.assay("--config", "grown-admin.yaml", "migrate")
	flow := w.flow(b, time.Hour)
	first := n.grow(w.database)
	w.second(now, "")
	w.assay("apply")
	second := n.grow(w.database)
	if first.Copied < 6000 || second.Copied == 0 || first.Closed || second.Closed || first.Decisions == 0 {
		t.Errorf("two passes: %+v, %+v", first, second)
	}

	w.abreast() // and has adopted the version
	guard.stop()
	consumer.stop()
	if _, text, code := n.try("--config", "grown-admin.yaml", "grow", "--from", w.database, "--last"); code == 0 || !strings.Contains(text, "ago") {
		t.Errorf("a last pass beside those who have just stopped: exit code %d\n%s", code, text)
	}
	time.Sleep(11 * time.Second) //nolint:forbidigo // what it is about: nobody has given word for so long
	last := n.grow(w.database, "--last")
	if !last.Closed || last.Cells < 1000 {
		t.Errorf("the last pass: %+v", last)
	}
	marks := ask[uint64](w, "SELECT count() FROM DB.ledger WHERE mark = 1")
	straggler := w.start("ingest") // of the old configuration
	consumer, guard = n.start("--config", "grown.yaml", "ingest"), n.start("--config", "grown.yaml", "guard")
	if _, text, code := n.try("--config", "grown-admin.yaml", "grow", "--from", w.database); code == 0 || !strings.Contains(text, "grown before") {
		t.Errorf("growing again: exit code %d\n%s", code, text)
	}
	flow()
	w.produce(b.batch(1000)...)
	(&visits{key: []string{"late"}, r: random.Float64}).send(w, 4000, 0)
	await(t, time.Minute, func() string { return strings.Join(n.story("late"), " ") }, func() bool { return slices.Contains(n.story("late"), "iteration_ended") })
	if story := n.story("early"); !slices.Contains(story, "decided") || !slices.Contains(story, "iteration_ended") {
		t.Errorf("of the kill before nothing was carried but %v", story)
	}
	for _, p := range []*process{straggler, consumer, guard} {
		p.kill()
	}
	n.assay("--config", "grown.yaml", "ingest", "--until-end")

	n.log = w.placed()
	events, _ := accepted(n.log, 4, n.attributes)
	if diff := differences(count(events, n.config()).texts(), n.counted("")); diff != "" {
		t.Errorf("the ledger of 16 shards differs from a count of the log:\n%s", diff)
	}
	if shards := ask[uint64](n, "SELECT uniqExact(shard) FROM DB.ledger"); shards != 16 {
		t.Errorf("%d shards", shards)
	}
	if after := ask[uint64](w, "SELECT count() FROM DB.ledger WHERE mark = 1"); after != marks {
		t.Errorf("%d parts were written to the old ledger after it was closed", after-marks)
	}
	n.assay("--config", "grown.yaml", "verify")
	n.assay("--config", "grown.yaml", "decision", "verify")
	t.Logf("%d records; %+v, %+v, %+v", len(w.log), first, second, last)
}

// ofShards is the same world seen by a configuration of another number of shards.
func (w *world) ofShards(shards int) *world {
	n := *w
	n.database = fmt.Sprintf("%s_%d", w.database, shards)
	lines := fmt.Sprintf("  shards: %d\n", shards)
	n.configureAs("grown.yaml", n.engine.Writer(), lines)
	n.configureAs("grown-admin.yaml", n.engine.Admin(), lines)
	return &n
}

// grow makes a pass, which must find no difference.
func (w *world) grow(from string, more ...string) grown {
	w.t.Helper()
	var out bytes.Buffer
	p := begin(w.t, w.dir, &out, append([]string{"--config", "grown-admin.yaml", "--json", "grow", "--from", from}, more...)...)
	p.wait(4 * time.Minute)
	if p.code() != 0 {
		w.t.Fatalf("grow %v: exit code %d\n%s%s", more, p.code(), out.String(), tail(p.err.String()))
	}
	w.t.Logf("grow %v:\n%s%s", more, p.err.String(), out.String())
	return decode[grown](w.t, out.String())
}

// placed is the log without records that lay in a wrong partition.
func (w *world) placed() []*kgo.Record {
	spread := kgo.StickyKeyPartitioner(nil).ForTopic("")
	var out []*kgo.Record
	for _, r := range w.log {
		e, ok := parse(r, w.attributes)
		if !ok || spread.Partition(&kgo.Record{Key: []byte(e.unit)}, int(w.partitions)) == int(r.Partition) {
			out = append(out, r)
		}
	}
	return out
}

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// keep backs the world up under a name that no other world uses.
func (w *world) keep() string {
	w.t.Helper()
	name := strings.ReplaceAll(w.database, "_", "-") + fmt.Sprintf("-%d", len(w.log))
	w.assay("--config", "admin.yaml", "backup", "--name", name)
	w.t.Cleanup(func() {
		if err := os.RemoveAll(w.engine.Backups() + "/" + name); err != nil {
			w.t.Error(err)
		}
	})
	return name
}

// TestRestoreUnderLiveWriters restores the ledger from a backup twice in a row while
// records flow and two consumers count them: each time everything is counted as if
// nothing had happened.
func TestRestoreUnderLiveWriters(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	w := newWorld(t, setting{partitions: 3, attributes: []string{"country", "ms"}, more: newFlags(t, obedient).yaml("20s")})
	now := time.Now().Truncate(time.Minute)
	w.measures()
	w.first(now)
	w.assay("apply")
	b := &babble{Rand: rand.New(rand.NewPCG(seed, 3)), units: 1000, until: now.UnixMilli()}
	w.produce(b.batch(2000)...)
	one, two := w.start("ingest"), w.start("ingest")
	w.abreast()
	backup := w.keep()
	held := w.abreast()

	flow := w.flow(b, time.Hour)
	for range 2 {
		w.beyond(held, 10)
		before := w.abreast()
		out := w.assay("--config", "admin.yaml", "restore", backup)
		if !strings.Contains(out, "exchanged") {
			t.Errorf("the restore says %s", out)
		}
		replaced := ask[map[uint16]uint64](w, "SELECT maxMap(map(shard, seq)) FROM DB.ledger_replaced WHERE mark = 1")
		for shard, seq := range before {
			if replaced[shard] < seq {
				t.Errorf("shard %d had part %d, the ledger that was put away ends with %d", shard, seq, replaced[shard])
			}
		}
		w.abreast()
	}
	flow()
	w.abreast()
	one.stop()
	two.stop()
	w.exact()
	if !strings.Contains(one.err.String()+two.err.String(), "the ledger went back") {
		t.Error("no consumer says that the ledger went back")
	}
}

// beyond waits until every shard has so many parts more than it had.
func (w *world) beyond(vector map[uint16]uint64, parts uint64) {
	w.t.Helper()
	var now map[uint16]uint64
	await(w.t, time.Minute, func() string { return fmt.Sprintf("parts %v after %v", now, vector) }, func() bool {
		now = ask[map[uint16]uint64](w, "SELECT maxMap(map(shard, seq)) FROM DB.ledger WHERE mark = 1")
		for shard, seq := range vector {
			if now[shard] < seq+parts {
				return false
			}
		}
		return true
	})
}

// lose takes the whole database away.
func (w *world) lose() {
	w.t.Helper()
	for _, name := range []string{w.database + "_sql", strings.Replace(w.database, "assay", "assay_sql", 1), w.database} {
		if err := w.db.Exec(w.t.Context(), "DROP DATABASE IF EXISTS "+name+" SYNC"); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestAllTablesRestored loses the whole database: what a backup and Kafka have
// together is everything.
func TestAllTablesRestored(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	w := newWorld(t, setting{partitions: 2, attributes: []string{"country", "ms"}, more: newFlags(t, obedient).yaml("20s")})
	now := time.Now().Truncate(time.Minute)
	w.measures()
	w.first(now)
	w.assay("apply")
	b := &babble{Rand: rand.New(rand.NewPCG(seed, 4)), units: 500, until: now.UnixMilli()}
	w.produce(b.batch(1500)...)
	w.assay("ingest", "--until-end")
	backup := w.keep()
	w.forget() // Kafka has nothing of before the backup
	w.produce(b.batch(500)...)
	w.assay("ingest", "--until-end")
	w.exact()

	w.lose()
	w.assay("--config", "admin.yaml", "restore", backup, "--all")
	w.assay("ingest", "--until-end")
	w.exact()
}

// TestLossOfEverything has no backup: the ledger is made anew from Kafka as far as it
// reaches, and what it does not reach is stored and shown.
func TestLossOfEverything(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	w := newWorld(t, setting{partitions: 2, attributes: []string{"country", "ms"}, more: newFlags(t, obedient).yaml("20s")})
	now := time.Now().Truncate(time.Minute)
	w.measures()
	w.first(now)
	w.assay("apply")
	b := &babble{Rand: rand.New(rand.NewPCG(seed, 5)), units: 300, until: now.UnixMilli()}
	w.produce(b.batch(800)...)
	w.assay("ingest", "--until-end")
	w.forget()
	gone := len(w.log)
	w.produce(b.batch(400)...)
	w.assay("ingest", "--until-end")

	w.lose()
	w.assay("--config", "admin.yaml", "migrate")
	w.assay("apply")
	w.assay("ingest", "--until-end")
	w.begins()
	if n := ask[uint64](w, "SELECT sum(records) FROM DB.losses WHERE kind = 'before'"); n != uint64(gone) {
		t.Errorf("%d records are noted as lost, %d were", n, gone)
	}
	w.log = w.log[gone:]
	if diff := differences(w.expected(), w.counted("")); diff != "" {
		t.Errorf("the ledger differs from a count of what Kafka still had:\n%s", diff)
	}
	type result struct {
		Gaps []struct {
			Kind    string `json:"kind"`
			Records uint64 `json:"records"`
		} `json:"gaps"`
	}
	shown := uint64(0)
	for _, g := range decode[[]result](t, w.assay("analyze", "alpha", "--json"))[0].Gaps {
		if g.Kind == "before" {
			shown += g.Records
		}
	}
	if shown != uint64(gone) {
		t.Errorf("a result shows %d records as lost, %d were", shown, gone)
	}
}

// begins sees that nothing below the first record that Kafka has was counted.
func (w *world) begins() {
	w.t.Helper()
	starts, err := w.admin.ListStartOffsets(w.t.Context(), exposures, outcomes)
	if err != nil {
		w.t.Fatal(err)
	}
	first := ask[map[string]int64](w, `SELECT minMap(map(concat(topic, '/', toString(shard)), start)) FROM (
		SELECT shard, topic, start FROM DB.ledger ARRAY JOIN topics AS topic, `+"`from`"+` AS start WHERE mark = 1)`)
	starts.Each(func(o kadm.ListedOffset) {
		if from := first[fmt.Sprintf("%s/%d", o.Topic, o.Partition)]; from != o.Offset {
			w.t.Errorf("%s/%d is counted from %d, Kafka begins at %d", o.Topic, o.Partition, from, o.Offset)
		}
	})
}

// expected is what a count of the log says.
func (w *world) expected() map[string]string {
	events, _ := accepted(w.log, int(w.partitions), w.attributes)
	return count(events, w.config()).texts()
}

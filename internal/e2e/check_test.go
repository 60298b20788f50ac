package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// config reads the configuration version in force.
func (w *world) config() catalogue {
	w.t.Helper()
	var c catalogue
	if err := json.Unmarshal([]byte(ask[string](w, "SELECT argMax(body, number) FROM DB.configurations")), &c); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// counted sums the ledger up, over all shards.
func (w *world) counted(settings string) map[string]string {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), fmt.Sprintf(`
		SELECT experiment, toInt64(iteration), toInt64(phase), settling, variant, metric, toInt64(toUnixTimestamp(slot)), dimension, value,
			sum(n), sum(nonzero), sum(over), toString(sum(sy)), toString(sum(syy)), toString(sum(sz)), toString(sum(szz)), toString(sum(syz))
		FROM %s.ledger WHERE experiment != ''
		GROUP BY experiment, iteration, phase, settling, variant, metric, slot, dimension, value %s`, w.database, settings))
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	l := ledger{}
	for rows.Next() {
		var c cell
		var iteration, phase int64
		var s sums
		var texts [5]string
		if err := rows.Scan(&c.experiment, &iteration, &phase, &c.settling, &c.variant, &c.metric, &c.slot, &c.dimension, &c.value,
			&s.n, &s.nonzero, &s.over, &texts[0], &texts[1], &texts[2], &texts[3], &texts[4]); err != nil {
			w.t.Fatal(err)
		}
		c.iteration, c.phase = int(iteration), int(phase)
		for i, v := range s.all() {
			v.SetString(texts[i], 10)
		}
		l[c] = &s
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return l.texts()
}

// exact holds the ledger against the oracle, and everything that says that the
// ledger is in order against what it must say. It returns the oracle's cells.
func (w *world) exact() map[string]string {
	w.t.Helper()
	want, _ := w.exactly()
	return want
}

// exactly is exact, and also returns the fates of the records.
func (w *world) exactly() (map[string]string, fates) {
	w.t.Helper()
	events, f := accepted(w.log, int(w.partitions), w.attributes)
	f.Dead += w.junk
	want := count(events, w.config()).texts()
	if diff := differences(want, w.counted("")); diff != "" {
		w.t.Errorf("the ledger differs from a count of the log:\n%s", diff)
	}
	if diff := differences(want, w.counted("SETTINGS optimize_use_projections = 0")); diff != "" {
		w.t.Errorf("without projections the ledger differs from a count of the log:\n%s", diff)
	}
	w.whole(f)
	return want, f
}

// whole checks the chains, the reconciliation, the stored rows and the decision log,
// and lets the program verify itself.
func (w *world) whole(f fates) {
	w.t.Helper()
	if n := ask[uint64](w, `SELECT count() FROM (SELECT shard FROM DB.ledger GROUP BY shard
		HAVING uniqExactIf(seq, mark = 1) != max(seq) OR countIf(mark = 1) != max(seq) OR sum(rows) != count())`); n != 0 {
		w.t.Errorf("%d shards are not a chain of whole parts", n)
	}
	if n := ask[uint64](w, `SELECT count() FROM (SELECT shard, topic, begin, lagInFrame(end, 1, 0) OVER (PARTITION BY shard, topic ORDER BY seq) AS left
		FROM DB.ledger ARRAY JOIN topics AS topic, `+"`from`"+` AS begin, next AS end WHERE mark = 1) WHERE begin != left`); n != 0 {
		w.t.Errorf("%d parts do not begin where the one before ended", n)
	}
	got := fates{
		Accepted:  ask[uint64](w, "SELECT sum(arraySum(accepted)) FROM DB.ledger WHERE mark = 1"),
		Duplicate: ask[uint64](w, "SELECT sum(arraySum(duplicate)) FROM DB.ledger WHERE mark = 1"),
		Dead:      ask[uint64](w, "SELECT sum(arraySum(dead)) FROM DB.ledger WHERE mark = 1"),
		Misplaced: ask[uint64](w, "SELECT sum(arraySum(misplaced)) FROM DB.ledger WHERE mark = 1"),
	}
	if got != f {
		w.t.Errorf("fates of the records: %+v, want %+v", got, f)
	}
	if n, want := ask[uint64](w, "SELECT uniqExact(topic, shard, offset) FROM DB.events"), f.Accepted+f.Duplicate+f.Misplaced; n != want {
		w.t.Errorf("%d events are stored, want %d", n, want)
	}
	if n := ask[uint64](w, "SELECT uniqExact(topic, shard, offset) FROM DB.dead_letters"); n != f.Dead {
		w.t.Errorf("%d dead letters are stored, want %d", n, f.Dead)
	}
	w.assay("decision", "verify")
	w.assay("verify") // in SQL, from the stored events
}

// differences lists the cells that are not the same, "" when all are.
func differences(want, got map[string]string) string {
	all := maps.Clone(want)
	maps.Copy(all, got)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if want[name] != got[name] {
			lines = append(lines, fmt.Sprintf("  %s\n    want %s\n    got  %s", name, cmp.Or(want[name], "nothing"), cmp.Or(got[name], "nothing")))
		}
	}
	if len(lines) > 20 {
		lines = append(lines[:20], fmt.Sprintf("  … and %d more cells", len(lines)-20))
	}
	return strings.Join(lines, "\n")
}

// abreast waits until everything is counted that was in the log when it is
// called, and returns the shards' last parts.
func (w *world) abreast() (vector map[uint16]uint64) {
	w.t.Helper()
	ends, err := w.admin.ListEndOffsets(w.t.Context(), exposures, outcomes)
	if err != nil {
		w.t.Fatal(err)
	}
	var lacking string
	await(w.t, time.Minute, func() string { return lacking }, func() bool {
		counted := ask[map[string]int64](w, `SELECT maxMap(map(concat(topic, '/', toString(shard)), next)) FROM (
			SELECT shard, topic, next FROM DB.ledger ARRAY JOIN topics AS topic, next WHERE mark = 1)`)
		lacking = ""
		ends.Each(func(o kadm.ListedOffset) {
			if next := counted[fmt.Sprintf("%s/%d", o.Topic, o.Partition)]; next < o.Offset {
				lacking = fmt.Sprintf("%s/%d is counted up to %d of %d", o.Topic, o.Partition, next, o.Offset)
			}
		})
		return lacking == ""
	})
	return ask[map[uint16]uint64](w, "SELECT maxMap(map(shard, seq)) FROM DB.ledger WHERE mark = 1")
}

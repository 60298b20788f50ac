package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestExactWithoutMemory is the proof of exactness for consumers that may hold no
// unit longer than its batch lasts: killed with -9, restarted, fighting, given
// another version, they read units back instead of remembering them, and the
// ledger is what a count of the log says, bit for bit.
func TestExactWithoutMemory(t *testing.T) {
	t.Parallel()
	random, seed := chance(t)
	system := newFlags(t, obedient)
	w := newWorld(t, setting{partitions: 4, own: true, attributes: []string{"country", "ms"}, more: system.yaml("20s") + "memory: 1MiB\n"})
	now := time.Now().Truncate(time.Minute)
	w.measures()
	w.first(now)
	w.assay("apply", "--author", "tests")

	b := &babble{Rand: rand.New(rand.NewPCG(seed, 1)), units: 3000, until: now.UnixMilli()}
	w.produce(b.batch(6000)...)
	flow := w.flow(b, time.Hour)
	k := killer{world: w, Rand: random}
	for range *longFlag {
		k.alone()
		k.fight(true)
	}
	w.second(now, "")
	w.assay("apply", "--author", "tests")
	k.group(*longFlag)
	flow()
	w.produce(b.batch(1000)...)
	out, text, code := w.try("ingest", "--until-end", "--log-level", "info")
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, text)
	}
	want := w.exact()
	t.Logf("%d records, %d cells, %d consumers killed", len(w.log), len(want), k.killed)
	if k.killed < 3 || !contains(want, "$crossover") || !contains(want, "delta iteration 1") {
		t.Errorf("%d consumers killed: this proved less than it should", k.killed)
	}
	// What a shard's consumer logs when it has reached its end.
	evicted := 0
	for line := range strings.Lines(text) {
		if _, rest, found := strings.Cut(line, " evicted="); found && strings.Contains(line, "shard ended") {
			var n int
			if _, err := fmt.Sscan(rest, &n); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			evicted += n
		}
	}
	if units := ask[uint64](w, "SELECT uniqExact(unit) FROM DB.events"); evicted == 0 {
		t.Errorf("none of %d units had to leave the last consumer's memory\n%s", units, text)
	}
}

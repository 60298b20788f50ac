package e2e

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/internal/testref"
)

// longestPause is what a rolling restart may cost a shard, where it is measured on a
// machine that does nothing else. Where other tests run beside it no figure is one.
const (
	longestPause    = 5 * time.Second
	longestUnwanted = 20 * time.Second
)

// TestRollingRestart replaces two consumers of the commit before by those of this one,
// one after the other, while records flow: 20,000 a second with -e2e.long 2 and more, a
// tenth of that else. The tables are migrated while the old ones write. Everything is
// counted once, and no shard stands still for long.
func TestRollingRestart(t *testing.T) {
	previous := buildPrevious(t)
	_, seed := chance(t)
	rate, most := 2_000, longestUnwanted
	if *longFlag > 1 {
		rate, most = 20_000, longestPause
	}
	w := newWorld(t, setting{partitions: 4, attributes: []string{"country", "ms"}, more: newFlags(t, obedient).yaml("20s")})
	w.lose()
	old := func(args ...string) *process { return beginOf(t, previous, w.dir, nil, args...) }
	w.measures()
	w.first(time.Now().Truncate(time.Minute))
	for _, args := range [][]string{{"--config", "admin.yaml", "migrate"}, {"apply"}} {
		p := old(args...)
		if p.wait(time.Minute); p.code() != 0 {
			t.Fatalf("the commit before: %s: %s", p.what, p.err.String())
		}
	}
	one, two := old("ingest"), old("ingest")
	flow := w.steady(&babble{Rand: rand.New(rand.NewPCG(seed, 6)), units: 5000, until: time.Now().UnixMilli()}, rate)
	w.beyond(w.shards(), 5)
	pauses := w.pauses()

	w.assay("--config", "admin.yaml", "migrate")
	three := w.start("ingest") // side by side with both
	w.beyond(w.shards(), 5)
	one.stop()
	w.beyond(w.shards(), 5)
	four := w.start("ingest")
	w.beyond(w.shards(), 5)
	two.stop()
	w.beyond(w.shards(), 5)
	longest := pauses()
	flow()
	w.abreast()
	three.stop()
	four.stop()
	w.exact()
	took := w.log[len(w.log)-1].Timestamp.Sub(w.log[0].Timestamp)
	t.Logf("%d records, %.0f a second; the longest pause of a shard was %v", len(w.log), float64(len(w.log))/took.Seconds(), longest)
	if longest > most {
		t.Errorf("a shard stood still for %v", longest)
	}
	if codes := ask[[]string](w, "SELECT groupUniqArray(code) FROM DB.ledger WHERE mark = 1"); len(codes) != 2 {
		t.Errorf("the marks bear the versions %v, want the two that ran", codes)
	}
}

// buildPrevious builds the program of the commit before: of HEAD, where the files here
// are not those of HEAD.
func buildPrevious(t *testing.T) string {
	t.Helper()
	root, dir := testref.Root(t), t.TempDir()
	run := func(in, name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = in
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	commit := cmp.Or(*fromFlag, "HEAD^")
	if changed, err := run(root, "git", "status", "--porcelain", "--untracked-files=no"); err != nil {
		t.Skipf("TestRollingRestart needs a git clone, for the commit before: %v", err)
	} else if changed != "" && *fromFlag == "" {
		commit = "HEAD"
	}
	archive := filepath.Join(dir, "previous.tar")
	if out, err := run(root, "git", "archive", "-o", archive, commit); err != nil {
		t.Skipf("TestRollingRestart needs the commit before, which a shallow clone has not: %s", out)
	}
	if out, err := run(dir, "tar", "-xf", archive); err != nil {
		t.Fatal(out)
	}
	binary := filepath.Join(dir, "assay-before")
	if out, err := run(dir, "go", "build", "-ldflags", "-X main.version=before", "-o", binary, "./cmd/assay"); err != nil {
		t.Fatalf("build the commit before: %v\n%s", err, out)
	}
	return binary
}

// steady produces so many records a second until the function is called, which waits
// for the last of them. Only it touches the log meanwhile.
func (w *world) steady(b *babble, rate int) func() {
	const ticks = 20 // a second
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	var log []*kgo.Record
	go func() {
		tick := time.NewTicker(time.Second / ticks)
		defer tick.Stop()
		for {
			records := b.batch(rate / ticks)
			for _, r := range records {
				r.Timestamp = time.Now()
			}
			if err := w.client.ProduceSync(context.WithoutCancel(ctx), records...).FirstErr(); err != nil {
				done <- err
				return
			}
			log = append(log, records...)
			select {
			case <-ctx.Done():
				done <- nil
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		w.t.Helper()
		cancel()
		if err := <-done; err != nil {
			w.t.Fatal(err)
		}
		w.log = append(w.log, log...)
	}
}

// shards are where the shards stand, those without a part too.
func (w *world) shards() map[uint16]uint64 {
	w.t.Helper()
	all := map[uint16]uint64{}
	for shard := range uint16(w.partitions) {
		all[shard] = 0
	}
	maps.Copy(all, ask[map[uint16]uint64](w, "SELECT maxMap(map(shard, seq)) FROM DB.ledger WHERE mark = 1"))
	return all
}

// pauses watches the shards until the function is called, which returns the longest
// time in which one of them got no part.
func (w *world) pauses() func() time.Duration {
	ctx, cancel := context.WithCancel(w.t.Context())
	longest := make(chan time.Duration, 1)
	go func() {
		at, since, most := map[uint16]uint64{}, map[uint16]time.Time{}, time.Duration(0)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			var now map[uint16]uint64
			query := fmt.Sprintf("SELECT maxMap(map(shard, seq)) FROM %s.ledger WHERE mark = 1", w.database)
			if err := w.db.QueryRow(ctx, query).Scan(&now); err == nil {
				for shard, seq := range now {
					if began, known := since[shard]; known {
						most = max(most, time.Since(began))
					}
					if seq != at[shard] {
						at[shard], since[shard] = seq, time.Now()
					}
				}
			}
			<-tick.C
		}
		longest <- most
	}()
	return func() time.Duration { cancel(); return <-longest }
}

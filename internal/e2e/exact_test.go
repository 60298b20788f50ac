package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestExactUnderKills lets records of all sorts flow while consumers are killed
// with -9 (one alone, two that both believe to own every shard, two in a group),
// the engine is killed with -9, versions are applied and an experiment is turned
// off. Afterwards the ledger must be what a count of the log says, bit for bit.
func TestExactUnderKills(t *testing.T) {
	t.Parallel()
	random, seed := chance(t)
	system := newFlags(t, obedient)
	w := newWorld(t, setting{partitions: 4, own: true, attributes: []string{"country", "ms"}, more: system.yaml("20s")})
	now := time.Now().Truncate(time.Minute)
	w.measures()
	w.first(now)
	w.assay("apply", "--author", "tests")

	b := &babble{Rand: rand.New(rand.NewPCG(seed, 1)), units: 2000, until: now.UnixMilli()}
	w.produce(b.batch(3000)...)
	flow := w.flow(b, time.Hour)
	k := killer{world: w, Rand: random}
	for range 4 * *longFlag {
		k.alone()
	}
	w.second(now, "")
	w.assay("apply", "--author", "tests")
	for i := range 4 * *longFlag {
		k.fight(i%2 == 0)
	}
	k.group(2 * *longFlag)
	flow()
	// What comes after the kill of gamma is counted apart.
	for range 200 {
		w.produce(gammaExposure(random))
	}
	w.assay("ingest", "--until-end")

	want := w.exact()
	t.Logf("%d records, %d cells, %d consumers and %d engines killed", len(w.log), len(want), k.killed, w.engine.Restarts())
	for _, must := range []string{"$crossover", "$moved", "$outside", "$after_end", "$unknown_variant", "$other_unit_kind", "$out_of_range",
		"$bad_attribute", "settling true", "alpha iteration 2 phase 4", "delta iteration 1", "beta iteration 1", "country=(other)",
		"$excluded", " back slot", " ratio slot", " slow slot", " capped slot"} {
		if !contains(want, must) {
			t.Errorf("no cell with %q: this proved less than it should", must)
		}
	}
	if k.killed < 8 || w.engine.Restarts() < 3 {
		t.Errorf("only %d consumers and %d engines were killed: this proved less than it should", k.killed, w.engine.Restarts())
	}
}

func contains(cells map[string]string, text string) bool {
	for name := range cells {
		if strings.Contains(name, text) {
			return true
		}
	}
	return false
}

func gammaExposure(r *rand.Rand) *kgo.Record {
	unit := fmt.Sprintf("late-%d", r.IntN(50))
	return record(exposures, unit, map[string]any{"type": "exposure", "unit": unit, "ts": time.Now().UnixMilli(), "experiment": "gamma", "variant": "treatment"})
}

// flow produces beside the test for a while; the returned function waits for the
// end. Only the flow touches the log meanwhile.
func (w *world) flow(b *babble, most time.Duration) func() {
	ctx, cancel := context.WithTimeout(w.t.Context(), most)
	done := make(chan error, 1)
	var log []*kgo.Record
	go func() {
		done <- func() error {
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			for {
				records := b.batch(10 + b.IntN(60))
				for _, r := range records {
					r.Timestamp = time.Now()
				}
				if err := w.client.ProduceSync(context.WithoutCancel(ctx), records...).FirstErr(); err != nil {
					return err
				}
				log = append(log, records...)
				select {
				case <-ctx.Done():
					return nil
				case <-tick.C:
				}
			}
		}()
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

// killer kills at random moments.
type killer struct {
	*world
	*rand.Rand
	killed int
}

// pause is a random stretch of time, up to a number of milliseconds.
func (k *killer) pause(most int) {
	<-time.After(time.Duration(k.IntN(most)) * time.Millisecond)
}

func (k *killer) kill(p *process) {
	if p.running() {
		k.killed++
	}
	p.kill()
}

// killEngine kills the engine, when it has come back from the last time.
func (k *killer) killEngine() {
	k.t.Helper()
	await(k.t, 30*time.Second, says("the engine is back"), func() bool { return k.engine.Pid() != 0 })
	if err := syscall.Kill(k.engine.Pid(), syscall.SIGKILL); err != nil {
		k.t.Error(err)
	}
}

// alone kills a consumer that has every shard to itself.
func (k *killer) alone() {
	p := k.start("ingest", "--until-end")
	k.pause(1200)
	k.kill(p)
}

// fight lets two consumers without a group believe that they own every shard,
// and kills both, and the engine if asked.
func (k *killer) fight(engineToo bool) {
	a, b := k.start("ingest", "--until-end"), k.start("ingest", "--until-end")
	k.pause(900)
	if engineToo {
		k.killEngine()
		k.pause(1500)
	}
	k.kill(a)
	k.pause(500)
	k.kill(b)
}

// group runs two consumers in one group and kills one after the other; the one
// that is left takes everything over.
func (k *killer) group(rounds int) {
	a, b := k.start("ingest"), k.start("ingest")
	k.abreast()
	k.assay("kill", "gamma", "--reason", "the test wants it", "--actor", "tests")
	for i := range rounds {
		k.pause(500)
		if i == 0 {
			k.killEngine()
			k.pause(1000)
		}
		k.kill(a)
		k.abreast()
		a, b = b, k.start("ingest")
	}
	k.killEngine()
	k.abreast()
	a.stop()
	b.stop()
}

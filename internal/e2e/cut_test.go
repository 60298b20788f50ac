package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// cut is what is taken away from an experiment, and what the guard must then say,
// within how many seconds by docs/guardrails.md at the rates of this test.
type cut struct {
	key     string
	what    string
	verdict string
	reason  string
	stated  time.Duration
}

// Of each experiment so many units come a second, half of them in each arm and half
// of them with an error. Data older than the stall are blind.
const (
	cutRate  = 20
	cutStall = 15 * time.Second
)

var cuts = []cut{
	{"no-exposures", "exposures", "blind", "exposures_stopped", 18 * time.Second},
	{"no-outcomes", "outcomes", "blind", "outcomes_stopped", 18 * time.Second},
	{"one-arm", "one arm", "blind", "arm_silent", 2*20/cutRate*time.Second + 2*time.Second},
	{"one-arm-kills", "one arm", "blind", "arm_silent", 2*20/cutRate*time.Second + 2*time.Second},
}

// TestCutInputs cuts each input of a guard in turn. It says that it is blind, with the
// reason, and turns nothing off but the experiment whose rule says so.
func TestCutInputs(t *testing.T) {
	t.Parallel()
	system := newFlags(t, obedient)
	w := newWorld(t, setting{partitions: 2, more: system.yaml("20s")})
	keys := []string{"goes-on"}
	for _, c := range cuts {
		keys = append(keys, c.key)
	}
	for _, key := range keys {
		w.guarded(key, "flags")
		file := "experiments/" + key + ".yaml"
		w.edit(file, "window: 1h\n", fmt.Sprintf("window: 1h\nstall: %s\n", cutStall))
		if key == "one-arm-kills" {
			w.edit(file, "mode: kill}", "mode: kill, on_no_data: kill}")
		}
	}
	w.assay("apply")
	wire := newTripwire(t, w.engine.Addr(), "nothing", false)
	w.configureThrough(wire, "wired.yaml")
	w.start("ingest")
	guard := w.start("--config", "wired.yaml", "--log-level", "info", "guard")
	f := &drizzle{world: w, keys: keys, began: time.Now()}

	f.until(t, 45*time.Second, func() bool { return false }) // what is usual, learned over 30 s and more
	began := time.Now()
	f.cut = began
	seen := map[string]time.Duration{}
	f.until(t, patience, func() bool {
		for _, c := range cuts {
			if seen[c.key] == 0 && said(guard, began, c) {
				seen[c.key] = time.Since(began)
			}
		}
		return len(seen) == len(cuts)
	})
	for _, c := range cuts {
		report(t, c, seen[c.key])
	}
	await(t, patience, says("the rule that says so kills"), func() bool { return system.called("one-arm-kills") > 0 })

	if err := w.broker.Close(); err != nil {
		t.Fatal(err)
	}
	f.after(t, guard, cut{"goes-on", "Kafka", "blind", "stale", cutStall + 2*time.Second})
	wire.cut()
	f.after(t, guard, cut{"goes-on", "ClickHouse", "error", "look_failed", 11 * time.Second})

	for _, key := range keys {
		want := 0
		if key == "one-arm-kills" {
			want = 1
		}
		if n := system.called(key); n != want {
			t.Errorf("%s was called off %d times, want %d: %v", key, n, want, w.story(key))
		}
	}
	if story := w.story("one-arm-kills"); !slices.Contains(story, "verified") {
		t.Errorf("the decision log of the rule that kills on a silent arm is %v", story)
	}
}

// after waits for what the guard says of a cut that was just made.
func (f *drizzle) after(t *testing.T, guard *process, c cut) {
	t.Helper()
	began := time.Now()
	await(t, patience, says("the guard says "+c.reason), func() bool { return said(guard, began, c) })
	report(t, c, time.Since(began))
}

func report(t *testing.T, c cut, after time.Duration) {
	t.Helper()
	if after == 0 {
		t.Errorf("%s of %s was cut, and nothing was said", c.what, c.key)
		return
	}
	t.Logf("%-10s cut: %s, %s after %4.1f s, stated %4.1f s", c.what, c.verdict, c.reason, after.Seconds(), c.stated.Seconds())
}

// said tells whether the guard's log has a verdict of an experiment after a time.
func said(guard *process, after time.Time, c cut) bool {
	for line := range strings.Lines(guard.err.String()) {
		if !strings.Contains(line, "msg=verdict experiment="+c.key+" ") || !strings.Contains(line, " verdict="+c.verdict+" reason="+c.reason+" ") {
			continue
		}
		stamp, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
		if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil && !at.Before(after.Truncate(time.Millisecond)) {
			return true
		}
	}
	return false
}

// drizzle is a steady flow of units to some experiments.
type drizzle struct {
	*world
	keys  []string
	began time.Time
	cut   time.Time // from then on each experiment lacks what its name says
	sent  int       // units of each
}

// until lets it flow until something holds, or for a time.
func (f *drizzle) until(t *testing.T, most time.Duration, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(most)
	for tick := time.NewTicker(100 * time.Millisecond); !holds() && time.Now().Before(deadline); <-tick.C {
		var out []*kgo.Record
		for ; float64(f.sent) < time.Since(f.began).Seconds()*cutRate; f.sent++ {
			for _, key := range f.keys {
				out = append(out, f.unit(key)...)
			}
		}
		f.produce(out...)
	}
}

// unit are the records of the next unit of an experiment. Arms take turns, and so do
// those with and without an error.
func (f *drizzle) unit(key string) []*kgo.Record {
	now, unit := time.Now().UnixMilli(), fmt.Sprintf("%s.%d", key, f.sent)
	arm, fails := [...]string{"control", "treatment"}[f.sent%2], f.sent/2%2 == 0
	if !f.cut.IsZero() {
		switch {
		case key == "no-exposures", strings.HasPrefix(key, "one-arm") && arm == "treatment":
			return nil
		case key == "no-outcomes":
			fails = false
		}
	}
	out := []*kgo.Record{record(exposures, unit, map[string]any{"type": "exposure", "ts": now, "unit": unit, "experiment": key, "variant": arm})}
	if fails {
		out = append(out, record(outcomes, unit, map[string]any{"type": "outcome", "ts": now + 1, "unit": unit, "event": "error"}))
	}
	return out
}

// edit replaces a text of one of the world's files.
func (w *world) edit(name, from, to string) {
	w.t.Helper()
	text, err := os.ReadFile(w.path(name))
	if err != nil || !strings.Contains(string(text), from) {
		w.t.Fatalf("%s has no %q (%v)", name, from, err)
	}
	w.write(name, strings.Replace(string(text), from, to, 1))
}

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/realunleash"
)

// steps are the lines that a kill which goes well leaves in the decision log.
var steps = []string{"decided", "sending", "accepted", "verified", "iteration_ended"}

// TestUnleashGuardKilledAtEveryStep ends the guard with kill -9 at every line of the
// decision log, before it is written and after. The next guard goes on from what is
// written: the flag is changed once, every call that left is in the log, and the
// iteration ends.
func TestUnleashGuardKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	random, _ := chance(t)
	var keys []string
	for _, step := range steps {
		keys = append(keys, "before-"+strings.ReplaceAll(step, "_", "-"), "after-"+strings.ReplaceAll(step, "_", "-"))
	}
	server := unleash(t, keys...)
	proxy := newFaulty(t, server.URL, nil)
	w := newWorld(t, setting{partitions: 2, more: "guard: {kills_per_hour: 1000}\nswitches:\n" + unleashYAML(t, "flags", proxy.URL, switcher, realunleash.Project)})
	for _, key := range keys {
		w.guarded(key, "flags")
	}
	w.assay("apply")
	w.start("ingest")
	for i, key := range keys {
		v := &visits{key: []string{key}, r: random.Float64, harm: 0.6}
		written := w.killGuard(key, steps[i/2], i%2 == 1, func() { v.send(w, 500, 0) })
		guard := w.start("guard")
		await(t, patience, func() string { return key + ": " + strings.Join(w.story(key), " ") }, func() bool {
			return slices.Contains(w.story(key), "iteration_ended")
		})
		guard.kill()
		story, calls := w.story(key), proxy.called(key)
		t.Logf("%-22s killed after %v; then %s; %d calls", key, written, strings.Join(story[len(written):], " → "), len(calls))
		for _, once := range []string{"decided", "verified", "iteration_ended"} {
			if times(story, once) != 1 {
				t.Errorf("%s: %s %d times: %v", key, once, times(story, once), story)
			}
		}
		if sent := times(story, "sending"); len(calls) == 0 || len(calls) > sent {
			t.Errorf("%s: %d calls left, %d attempts are in the log: %v", key, len(calls), sent, story)
		}
		if by := disabled(t, server, key); !slices.Equal(by, []string{switcher}) {
			t.Errorf("%s: by Unleash's audit log it was turned off by %v, want %s once", key, by, switcher)
		}
	}
	w.assay("decision", "verify")
}

// killGuard lets a guard come to a decision, for which there is a reason once given is
// done, and ends it at a line of the decision log. It returns what is written.
func (w *world) killGuard(key, step string, after bool, given func()) []string {
	w.t.Helper()
	wire := newTripwire(w.t, w.engine.Addr(), step, after)
	w.configureThrough(wire, "tripped.yaml")
	guard := w.start("--config", "tripped.yaml", "guard")
	given()
	select {
	case <-wire.tripped:
	case <-time.After(patience):
		w.t.Fatalf("%s: the guard does not come to %s: %v\n%s", key, step, w.story(key), tail(guard.err.String()))
	}
	await(w.t, patience, func() string { return fmt.Sprintf("%s: %s is in %v: %v", key, step, w.story(key), after) }, func() bool {
		return slices.Contains(w.story(key), step) == after
	})
	guard.kill()
	return w.story(key)
}

// TestUnleashTwoGuards runs two guards beside one another. One of them decides and
// acts in each kill, the other reads it.
func TestUnleashTwoGuards(t *testing.T) {
	t.Parallel()
	random, _ := chance(t)
	var keys []string
	for i := range 6 * *longFlag {
		keys = append(keys, fmt.Sprint("one-acts-", i))
	}
	server := unleash(t, keys...)
	proxy := newFaulty(t, server.URL, nil)
	switches := "switches:\n" + unleashYAML(t, "flags", proxy.URL, switcher, realunleash.Project)
	w := newWorld(t, setting{partitions: 2, more: "guard: {kills_per_hour: 1000, instance: first}\n" + switches})
	w.more = "guard: {kills_per_hour: 1000, instance: second}\n" + switches
	w.configureAs("second.yaml", w.engine.Writer(), "")
	for _, key := range keys {
		w.guarded(key, "flags")
	}
	w.assay("apply")
	w.start("ingest")
	guards := []*process{w.start("guard"), w.start("--config", "second.yaml", "guard")}
	v := &visits{key: keys, r: random.Float64, harm: 0.6}
	for range 5 { // so that they do not all breach at once
		v.send(w, 100, 0)
		w.abreast()
	}
	for _, key := range keys {
		await(t, patience, func() string { return key + ": " + strings.Join(w.story(key), " ") }, func() bool {
			return slices.Contains(w.story(key), "iteration_ended")
		})
	}
	for _, g := range guards {
		g.stop()
	}
	acted := map[string]int{}
	for _, key := range keys {
		by := ask[[]string](w, "SELECT groupUniqArray(actor) FROM DB.decisions WHERE experiment = ?", key)
		if story := w.story(key); !slices.Equal(story, steps) || len(by) != 1 {
			t.Errorf("%s: the log is %v, by %v; want one guard to do it all", key, story, by)
		}
		acted[by[0]]++
		if off := disabled(t, server, key); !slices.Equal(off, []string{switcher}) || len(proxy.called(key)) != 1 {
			t.Errorf("%s: by Unleash's audit log it was turned off by %v with %d calls, want %s once", key, off, len(proxy.called(key)), switcher)
		}
	}
	t.Logf("who acted: %v", acted)
}

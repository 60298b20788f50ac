package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/realunleash"
)

// moves are the lines that a step of a ramp which goes well leaves in the decision log.
var moves = []string{"ramp_advance", "sending", "accepted", "verified", "phase_begun"}

// TestUnleashRampGuardKilledAtEveryStep ends the guard with kill -9 at every line that a
// step of a ramp leaves in the decision log, before it is written and after. The next
// guard goes on from what is written: Unleash's rollout is changed once, the ramp stands
// one step further, and a third guard finds nothing left to do.
func TestUnleashRampGuardKilledAtEveryStep(t *testing.T) {
	if testing.Short() {
		t.Skip("a window, a minute's slot and the clock of the ledger have to pass")
	}
	t.Parallel()
	random, _ := chance(t)
	var keys []string
	for _, line := range moves {
		keys = append(keys, "before-"+strings.ReplaceAll(line, "_", "-"), "after-"+strings.ReplaceAll(line, "_", "-"))
	}
	for i := range keys {
		keys[i] = "ramp-" + keys[i]
	}
	server := unleash(t, keys...)
	for _, key := range keys {
		if err := server.SetRollout(t.Context(), key, 1); err != nil {
			t.Fatal(err)
		}
	}
	proxy := newFaulty(t, server.URL, nil)
	w := newWorld(t, setting{partitions: 2, more: "switches:\n" + unleashYAML(t, "flags", proxy.URL, switcher, realunleash.Project)})
	for _, key := range keys {
		w.ramped(key, "kill_switch: flags", "{traffic: 1%, units: 50, approval: true}, {traffic: 50%, settle: 1s, for: 1h}, {traffic: 90%}", "hold")
	}
	w.assay("apply")
	w.start("ingest")
	within, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	v := &visits{key: keys, r: random.Float64, harm: 0.1}
	send := func(what func() string, until func() bool) {
		t.Helper()
		v.until(within, w, 20, what, until)
	}
	// All of them come to where only a person is missing, so that each moves when it is told.
	guard := w.start("guard")
	for _, key := range keys {
		send(func() string { return key + " is " + w.stands(key) }, func() bool {
			return w.stands(key) == "held/approval"
		})
	}
	guard.kill()
	for i, key := range keys {
		line, after := moves[i/2], i%2 == 1
		written := w.killGuard(key, line, after, func() {
			w.assay("ramp", "approve", key, "--reason", "looks well")
			v.send(w, 20, 0)
		})
		guard := w.start("guard")
		send(func() string { return fmt.Sprintf("%s: %v", key, w.story(key)) }, func() bool { return slices.Contains(w.story(key), "phase_begun") })
		guard.kill()
		story, calls := w.story(key), proxy.called(key)
		t.Logf("%-24s killed after %v; then %s; %d calls", key, written, strings.Join(story[len(written):], " → "), len(calls))
		for _, once := range []string{"ramp_advance", "verified", "phase_begun"} {
			if times(story, once) != 1 {
				t.Errorf("%s: %s %d times: %v", key, once, times(story, once), story)
			}
		}
		if len(calls) == 0 || len(calls) > times(story, "sending") {
			t.Errorf("%s: %d calls left, %d attempts are in the log: %v", key, len(calls), times(story, "sending"), story)
		}
	}
	// Whoever comes now finds all of them at their second step, and nothing to do.
	w.start("guard")
	for _, key := range keys {
		send(func() string { return key + " is " + w.stands(key) }, func() bool { return strings.HasPrefix(w.stands(key), "waiting/") })
		if by := changedBy(t, server, key, realunleash.Rerolled); !slices.Equal(by, []string{switcher, administrator}) {
			t.Errorf("%s: by Unleash's audit log its rollout was changed by %v, want %s once, after %s", key, by, switcher, administrator)
		}
		if now, err := server.Rollout(t.Context(), key); err != nil || now != 50 {
			t.Errorf("%s: the rollout is %d, %v", key, now, err)
		}
		if n := times(w.story(key), "ramp_advance"); n != 1 {
			t.Errorf("%s: %d steps: %v", key, n, w.story(key))
		}
	}
	for _, x := range w.config().Experiments {
		if n := len(x.Iterations[0].Phases); n != 2 {
			t.Errorf("%s has %d phases, want 2", x.Key, n)
		}
	}
	w.assay("decision", "verify")
}

// stands is where a ramp is by the newest look, as in held/approval.
func (w *world) stands(key string) string {
	return ask[string](w, "SELECT argMax(concat(JSONExtractString(document, 'ramp', 'state'), '/', JSONExtractString(document, 'ramp', 'reason')), (at, id)) FROM DB.looks WHERE experiment = ?", key)
}

// ramped writes the file of an experiment with a ramp, guarded by its units' errors.
func (w *world) ramped(key, assigned, steps, onBreach string) {
	w.t.Helper()
	w.write("metrics/errors.yaml", "name: errors\nowner: tests\nkind: proportion\nevent: error\ndirection: decrease\n")
	w.write("experiments/"+key+".yaml", fmt.Sprintf(`key: %s
owner: tests
variants: {control: 50%%, treatment: 50%%}
control: control
window: 1s
planned_units: 10000
guardrails: [{metric: errors, margin: 0.1, mode: notify}]
%s
iterations:
  - ramp:
      steps: [%s]
      on_breach: %s
`, key, assigned, steps, onBreach))
}

// until sends so many new units a second to each experiment until something holds.
func (v *visits) until(within context.Context, w *world, perSecond int, what func() string, holds func() bool) {
	w.t.Helper()
	for tick := time.NewTicker(time.Second); !holds(); <-tick.C {
		if within.Err() != nil {
			w.t.Fatalf("not so in time: %s", what())
		}
		v.send(w, perSecond, 0)
	}
}

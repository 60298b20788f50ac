package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/realunleash"
)

// TestUnleashRampReverts is a ramp from 1 % to 50 % on the shipped binary and a real
// Unleash: each step when the guardrail is healthy on units whose window has passed,
// which takes some minutes; a hand that changes the rollout holds it; harm at the third; the rollout goes to 0 %, Unleash's own SDK
// gives the flag to nobody, and the decision log tells all of it.
func TestUnleashRampReverts(t *testing.T) {
	if testing.Short() {
		t.Skip("a window, a minute's slot and the clock of the ledger have to pass three times")
	}
	t.Parallel()
	random, _ := chance(t)
	const key = "ramped"
	server := unleash(t, key)
	if err := server.SetRollout(t.Context(), key, 1); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, setting{partitions: 2, more: "guard: {settle: 2s}\nswitches:\n" + unleashYAML(t, "flags", server.URL, switcher, realunleash.Project)})
	w.ramped(key, "kill_switch: flags", "{traffic: 1%, units: 50}, {traffic: 10%, units: 50, settle: 1s}, {traffic: 50%, settle: 1s}", "revert")
	w.assay("apply")
	product, err := server.Run(key)
	if err != nil {
		t.Fatal(err)
	}
	defer product.Close()
	w.start("ingest")
	w.start("guard")
	within, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	v := &visits{key: []string{key}, r: random.Float64, harm: 0.1}
	send := func(until func() bool) {
		t.Helper()
		v.until(within, w, 60, func() string { return fmt.Sprint("the decision log: ", w.story(key)) }, until)
	}
	begun := func(n int) func() bool {
		return func() bool { return times(w.story(key), "phase_begun") >= n }
	}
	send(begun(1))
	if err := product.AwaitShare(within, key, 0.03, 0.2); err != nil {
		t.Errorf("at 10 %%: %v", err)
	}
	// Somebody changes the rollout in Unleash's pages, and is found out.
	if err := server.SetRollout(t.Context(), key, 37); err != nil {
		t.Fatal(err)
	}
	send(func() bool { return w.stands(key) == "held/drift" })
	if n := times(w.story(key), "ramp_advance"); n != 1 {
		t.Errorf("%d steps, one was to begin before the hand", n)
	}
	if err := server.SetRollout(t.Context(), key, 10); err != nil {
		t.Fatal(err)
	}
	send(begun(2))
	if err := product.AwaitShare(within, key, 0.35, 0.65); err != nil {
		t.Errorf("at 50 %%: %v", err)
	}
	v.harm = 0.9
	send(begun(3))
	if err := product.AwaitShare(within, key, 0, 0); err != nil {
		t.Errorf("after the revert: %v", err)
	}
	move := func(kind string) []string {
		return []string{kind, "sending", "accepted", "verified", "phase_begun"}
	}
	// The breach is a line of its own: the guardrail notifies.
	want := slices.Concat(move("ramp_advance"), move("ramp_advance"), []string{"decided"}, move("ramp_revert"))
	if diff := cmp.Diff(want, w.story(key)); diff != "" {
		t.Errorf("the decision log (-want +got):\n%s", diff)
	}
	if now, err := server.Rollout(t.Context(), key); err != nil || now != 0 {
		t.Errorf("the rollout is %d, %v", now, err)
	}
	w.assay("decision", "verify")
}

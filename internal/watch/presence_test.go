package watch

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/guardrails"
)

// takeOver is how soon a guard must have ended what another one died of.
const takeOver = 5 * time.Second

// TestTakeOver lets one of two guards die before and after each of its operations: the
// other one decides what was not decided and carries on with what was begun, once, and
// within seconds.
func TestTakeOver(t *testing.T) {
	longest, died := time.Duration(0), 0
	for dieAt := 1; dieAt <= 40; dieAt++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(checkout())
			var both sync.WaitGroup
			var deathAt time.Time
			first := w.beside(t, &both, "a", dieAt, func() { deathAt = time.Now() })
			w.beside(t, &both, "b", 0, nil)
			time.Sleep(3 * time.Second) // both are on
			w.harmful()
			both.Wait()
			w.checkKilledOnce(t, dieAt)
			if !first.dead {
				return
			}
			died++
			for _, e := range w.entries {
				if e.Kind == guardrails.Verified && e.At.After(deathAt) {
					longest = max(longest, e.At.Sub(deathAt))
				}
			}
		})
	}
	t.Logf("%d deaths, the longest time until the other guard had turned off what was begun: %v", died, longest)
	if longest > takeOver || longest == 0 || died < 5 {
		t.Errorf("%d deaths, the longest time until the other one was done is %v", died, longest)
	}
}

// beside runs a guard that says that it runs, for half a minute or until it dies.
func (w *world) beside(t *testing.T, group *sync.WaitGroup, name string, dieAt int, died func()) *guard {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	g := &guard{world: w, t: t, dieAt: dieAt}
	g.die = func() { died(); cancel() }
	parts := g.parts()
	parts.Presence = g
	guarding, err := New(Config{Instance: name}, parts)
	if err != nil {
		t.Fatal(err)
	}
	group.Go(func() {
		defer cancel()
		if err := guarding.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return g
}

// TestPresence: silence is a word that does not change, seen by this guard's clock.
func TestPresence(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var p presence
	if p.silent("a", now) {
		t.Error("who never spoke is not known to be silent")
	}
	word := now.Add(time.Hour) // a clock that is ahead
	p.hear(map[string]time.Time{"a": word}, now)
	p.hear(map[string]time.Time{"a": word}, now.Add(2*time.Second))
	if p.silent("a", now.Add(2*time.Second)) {
		t.Error("two seconds are no silence")
	}
	p.hear(map[string]time.Time{"a": word}, now.Add(3*time.Second))
	if !p.silent("a", now.Add(3*time.Second)) {
		t.Error("three seconds are")
	}
	if p.silent("a", now.Add(6*time.Second)) {
		t.Error("who hears nothing of anybody knows nothing")
	}
	p.hear(map[string]time.Time{"a": word.Add(time.Second)}, now.Add(7*time.Second))
	if p.silent("a", now.Add(7*time.Second)) {
		t.Error("it spoke again")
	}
}

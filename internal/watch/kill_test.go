package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

func TestKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.run(t, Config{}, 0, 5*time.Second)
		if n := len(w.entries); n != 0 {
			t.Fatalf("%d entries without harm, want none: %+v", n, w.entries)
		}
		w.harmful()
		w.run(t, Config{}, 0, 5*time.Second)
		want := map[guardrails.EntryKind]int{guardrails.Decided: 1, guardrails.Sending: 1, guardrails.Accepted: 1,
			guardrails.Verified: 1, guardrails.IterationEnded: 1}
		if diff := cmp.Diff(want, w.kinds()); diff != "" {
			t.Error("entries by kind:", diff)
		}
		it := w.newestVersion().Experiments[0].Iterations[0]
		if it.Killed == nil || !it.End.Equal(w.offAt.Truncate(time.Millisecond)) || !it.Killed.At.Equal(it.End) {
			t.Errorf("the iteration ended at %v (%+v), the accepted call was sent at %v", it.End, it.Killed, w.offAt)
		}
		decided := w.entries[0]
		if it.Killed.Decision != decided.Seq || w.kept[decided.Look] != decided.Seq {
			t.Errorf("killed by decision %d with look kept for %d, decided in %d", it.Killed.Decision, w.kept[decided.Look], decided.Seq)
		}
		if call := w.calls[0]; call.Key != decided.Key || call.Switch != "flags" || call.Key == "" {
			t.Errorf("the order %+v does not bear the decision's key %q and the switch", call, decided.Key)
		}
	})
}

// TestKillKeepsWhatItOverwrites: it stands in the log before the call leaves, and
// in no sentence that alerts repeat.
func TestKillKeepsWhatItOverwrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.saved = `{"targetingRules":[1]}`
		w.run(t, Config{}, 0, 5*time.Second)
		accepted, kept := 0, 0
		for _, e := range w.entries {
			if e.Kind == guardrails.Accepted {
				accepted++
			}
			if e.Saved != "" {
				kept++
				if e.Saved != w.saved || e.Kind != guardrails.Sending || accepted > 0 || e.Decision != w.entries[0].Seq {
					t.Errorf("kept in %+v, after %d accepted", e, accepted)
				}
			}
			if strings.Contains(e.Text, "targetingRules") {
				t.Errorf("a sentence shows it: %s", e.Text)
			}
		}
		if kept != 1 || accepted != 1 {
			t.Errorf("%d lines keep it, %d accepted", kept, accepted)
		}
	})
}

// TestKillOnceWhereverItDies lets a guard die before and after every single
// operation of a kill. Another one carries on: under its own name, which waits
// for the lease, or as the same after a restart.
func TestKillOnceWhereverItDies(t *testing.T) {
	for _, second := range []string{"guard", "another"} {
		points := 0
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(checkout())
			w.harmful()
			points = w.run(t, Config{}, 0, 20*time.Second)
		})
		for dieAt := 1; dieAt <= points; dieAt++ {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(checkout())
				w.harmful()
				w.run(t, Config{}, dieAt, 20*time.Second)
				w.run(t, Config{Instance: second}, 0, time.Minute)
				w.checkKilledOnce(t, dieAt)
			})
		}
		if points < 12 {
			t.Errorf("only %d points to die at were tried", points)
		}
	}
}

func (w *world) checkKilledOnce(t *testing.T, dieAt int) {
	t.Helper()
	keys := map[string]bool{}
	for _, c := range w.calls {
		keys[c.Key] = true
	}
	n := w.kinds()
	if w.changes != 1 || len(w.calls) > n[guardrails.Sending] {
		t.Errorf("died at %d: the flag was changed %d times; %d calls, %d lines say so", dieAt, w.changes, len(w.calls), n[guardrails.Sending])
	}
	if len(keys) != 1 || n[guardrails.Decided] != 1 || n[guardrails.Verified] != 1 || n[guardrails.IterationEnded] != 1 {
		t.Errorf("died at %d: %d keys, entries %v", dieAt, len(keys), n)
	}
	killed := 0
	for i, v := range w.versions {
		if v.Experiments[0].Iterations[0].Killed != nil && (i == 0 || w.versions[i-1].Experiments[0].Iterations[0].Killed == nil) {
			killed++
		}
	}
	if killed != 1 || len(w.versions) != 2 {
		t.Errorf("died at %d: %d versions end the iteration, %d versions in all", dieAt, killed, len(w.versions))
	}
	for _, e := range w.entries {
		if e.Kind == guardrails.Decided && (e.Look == "" || w.kept[e.Look] != e.Seq) {
			t.Errorf("died at %d: decision %d rests on look %q, which is kept for %d", dieAt, e.Seq, e.Look, w.kept[e.Look])
		}
	}
	end := w.newestVersion().Experiments[0].Iterations[0].End
	if late := end.Sub(w.offAt.Truncate(time.Millisecond)); late < 0 || late > time.Second {
		t.Errorf("died at %d: the iteration ended at %v, the call left at %v", dieAt, end, w.offAt)
	}
	for _, e := range w.entries { // who came later read it as off already, but knows when the call left
		if e.Kind == guardrails.Accepted && !end.Equal(e.SentAt) {
			t.Errorf("died at %d: the iteration ended at %v, the accepted call was sent at %v", dieAt, end, e.SentAt)
		}
	}
}

func TestTwoGuardsKillOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.slow = 20 * time.Second // longer than the lease: the other guard takes over
		var both sync.WaitGroup
		for _, name := range []string{"a", "b"} {
			both.Go(func() { w.run(t, Config{Instance: name}, 0, 2*time.Minute) })
		}
		both.Wait()
		w.checkKilledOnce(t, 0)
	})
}

func TestUnfinishedKillEndsNothing(t *testing.T) {
	for _, state := range []guardrails.EntryKind{guardrails.Failed, guardrails.Denied, guardrails.PendingApproval} {
		t.Run(string(state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(checkout())
				w.harmful()
				w.refuse = Result{State: state, OffAt: time.Now(), Detail: "no"}
				w.run(t, Config{}, 0, 30*time.Second)
				w.run(t, Config{}, 0, 30*time.Second)
				if len(w.calls) != 1 || len(w.versions) != 1 || w.kinds()[state] != 1 {
					t.Errorf("%d calls, %d versions, entries %v; want one call and nothing ended", len(w.calls), len(w.versions), w.kinds())
				}
				if v := w.lastVerdict(t); v.Verdict != "breached" || v.Reason != "latched" {
					t.Errorf("verdict %s (%s), want breached (latched)", v.Verdict, v.Reason)
				}
				if len(w.alerts) == 0 || !w.alerts[len(w.alerts)-1].Page {
					t.Errorf("nobody was paged: %+v", w.alerts)
				}
			})
		})
	}
}

// TestKillByHandAfterFailure: a person may order what a guard could not do.
func TestKillByHandAfterFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.refuse = Result{State: guardrails.Failed}
		w.run(t, Config{}, 0, 5*time.Second)
		w.refuse = Result{}
		g := &guard{world: w, t: t}
		hand, err := NewHand("ada", Config{}, g.parts())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hand.Kill(t.Context(), Off{Named: Named{Experiment: "checkout"}, Reason: ""}); !errors.Is(err, ErrNoReason) {
			t.Errorf("a kill without a reason: %v", err)
		}
		k, err := hand.Kill(t.Context(), Off{Named: Named{Experiment: "checkout"}, Reason: "errors everywhere"})
		if err != nil || k.State != guardrails.Verified || !k.Ended {
			t.Fatalf("kill by hand: %+v, %v", k, err)
		}
		if _, err := hand.Kill(t.Context(), Off{Named: Named{Experiment: "checkout"}, Reason: "again"}); err == nil {
			t.Error("a second kill of an iteration that is off was accepted")
		}
		if got := w.newestVersion().Experiments[0].Iterations[0].Killed; got == nil || got.Decision != k.Decided.Seq {
			t.Errorf("the iteration is killed by %+v, want decision %d", got, k.Decided.Seq)
		}
		pass(time.Second)
		next, err := hand.Resume(t.Context(), Named{Experiment: "checkout"}, "fixed", 0)
		if err != nil {
			t.Fatal(err)
		}
		if it := next.Experiments[0].Latest(); it.Number != 2 || !it.NotifyOnly {
			t.Errorf("resumed as %+v, want iteration 2 that only notifies", it)
		}
		w.run(t, Config{}, 0, 5*time.Second) // the new iteration is as harmful, and only told
		if n := w.kinds(); n[guardrails.Decided] != 3 || len(w.calls) != 2 {
			t.Errorf("after resume: entries %v, %d calls", n, len(w.calls))
		}
	})
}

// TestHandTellsNoHistory: whoever acts by hand is not alerted of what the guards
// have told long ago.
func TestHandTellsNoHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.run(t, Config{}, 0, 5*time.Second)
		g := &guard{world: w, t: t}
		parts := g.parts()
		var logged bytes.Buffer
		parts.Log = slog.New(slog.NewTextHandler(&logged, nil))
		hand, err := NewHand("ada", Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hand.Resume(t.Context(), Named{Experiment: "checkout"}, "mended", 0); err != nil {
			t.Fatal(err)
		}
		if logged.Len() > 0 {
			t.Errorf("logged by hand:\n%s", logged.String())
		}
	})
}

// TestEffect: the switch reads off; only the exposures tell whether that worked.
func TestEffect(t *testing.T) {
	tests := map[string]struct {
		goOn bool
		want map[guardrails.EntryKind]int
	}{
		"they stop":  {false, map[guardrails.EntryKind]int{guardrails.Effective: 1}},
		"they go on": {true, map[guardrails.EntryKind]int{guardrails.NotEffective: 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(checkout())
				w.harmful()
				var traffic sync.WaitGroup
				traffic.Go(func() { // exposures for twenty seconds more, or for ever
					for range 180 {
						w.mu.Lock()
						if w.off && (test.goOn || time.Since(w.offAt) < 20*time.Second) {
							w.afterEnd = time.Now()
						}
						w.mu.Unlock()
						pass(time.Second)
					}
				})
				w.run(t, Config{Settle: 30 * time.Second}, 0, 3*time.Minute)
				got := w.kinds()
				for _, k := range []guardrails.EntryKind{guardrails.Effective, guardrails.NotEffective} {
					if got[k] != test.want[k] {
						t.Errorf("%d entries %s, want %d", got[k], k, test.want[k])
					}
				}
				traffic.Wait()
			})
		})
	}
}

// TestNoProofWithoutData: when nothing comes in, nobody can say that the
// exposures have stopped.
func TestNoProofWithoutData(t *testing.T) {
	spoils := map[string]func(*world){
		"stale":           func(w *world) { w.fresh = 10 * time.Minute },
		"a shard stopped": func(w *world) { w.state = "gap" },
	}
	for name, spoil := range spoils {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(checkout())
				w.harmful()
				w.run(t, Config{}, 0, 3*time.Second)
				spoil(w)
				w.run(t, Config{}, 0, 5*time.Minute)
				if n := w.kinds(); n[guardrails.Effective] != 0 || n[guardrails.IterationEnded] != 1 {
					t.Errorf("entries %v: want an ended iteration and no word on the effect", n)
				}
			})
		})
	}
}

// TestStormIsHeld: beyond the cap kills wait, a person is paged, and they go
// ahead when the hour has room again.
// TestEndsOneAfterTheOther: of many kills at once each writes its version once.
func TestEndsOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 20
		var all []experiment.Experiment
		for i := range many {
			e := checkout()
			e.Key = fmt.Sprintf("e%02d", i)
			all = append(all, e)
		}
		w := newWorld(all...)
		w.harmful()
		w.slow = 100 * time.Millisecond // all of them wait for the switch, and then want to write
		w.run(t, Config{}, 0, 20*time.Second)
		if n := w.kinds()[guardrails.IterationEnded]; n != many || w.offered != many {
			t.Errorf("%d iterations have ended by %d tries, want %d by as many", n, w.offered, many)
		}
		for _, e := range w.newestVersion().Experiments {
			if e.Iterations[0].Killed == nil {
				t.Errorf("%s goes on", e.Key)
			}
		}
	})
}

func TestStormIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var many []experiment.Experiment
		for _, key := range []string{"a", "b", "c"} {
			e := checkout()
			e.Key = key
			many = append(many, e)
		}
		w := newWorld(many...)
		w.harmful()
		limits := guardrails.Limits{PerHour: 2}
		w.run(t, Config{Limits: limits}, 0, 10*time.Second)
		if n := w.kinds(); n[guardrails.Decided] != 2 || n[guardrails.Held] != 1 {
			t.Errorf("entries %v, want two kills and one held", n)
		}
		if !w.alertTitles()["c: a kill is held back, look at the data"] {
			t.Errorf("nobody was paged about the held kill: %v", w.alertTitles())
		}
		pass(time.Hour)
		w.run(t, Config{Limits: limits}, 0, 10*time.Second)
		if n := w.kinds(); n[guardrails.Decided] != 3 || n[guardrails.Held] != 1 {
			t.Errorf("an hour later: entries %v, want the third kill", n)
		}
	})
}

func TestGlobalStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.run(t, Config{Limits: guardrails.Limits{GlobalStop: true}}, 0, 30*time.Second)
		if n := w.kinds(); n[guardrails.Decided] != 1 || len(w.calls) != 0 || w.entries[0].Act != guardrails.DoObserve {
			t.Errorf("under the global stop: entries %v, %d calls, first %+v", n, len(w.calls), w.entries[0])
		}
		w.run(t, Config{}, 0, 30*time.Second)
		if len(w.calls) != 1 {
			t.Errorf("%d calls after the stop was lifted, want 1: the harm goes on", len(w.calls))
		}
	})
}

// stuckLooks store nothing before a time.
type stuckLooks struct {
	*guard
	until time.Time
}

func (s stuckLooks) Store(ctx context.Context, looks []*Look) error {
	if time.Now().Before(s.until) {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.guard.Store(ctx, looks)
}

func (s stuckLooks) Keep(ctx context.Context, id string, decision uint64) error {
	if !s.stored(id) {
		return ErrNoLook
	}
	return s.guard.Keep(ctx, id, decision)
}

// stored tells whether a look is there.
func (w *world) stored(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.looks, func(l Look) bool { return l.ID == id })
}

// TestNoKillWaitsForALook: looks cannot be stored for a while. The kill goes on all the
// same, and the look that it rests on is there, and kept, as soon as one can be.
func TestNoKillWaitsForALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		begun := time.Now()
		parts := (&guard{world: w, t: t}).parts()
		parts.Looks = stuckLooks{parts.Looks.(*guard), begun.Add(12 * time.Second)}
		guarding, err := New(Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := guarding.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if len(w.calls) != 1 || w.offAt.Sub(begun) > time.Second {
			t.Fatalf("%d calls, the switch was called after %v", len(w.calls), w.offAt.Sub(begun))
		}
		look := w.entries[0].Look
		if !w.stored(look) || w.kept[look] != 1 {
			t.Errorf("look %q of the decision: stored %v, kept for decision %d", look, w.stored(look), w.kept[look])
		}
	})
}

// TestLookThatNeverWas: a guard died between its decision and the look. The next one
// says so once and goes on.
func TestLookThatNeverWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		parts := (&guard{world: w, t: t}).parts()
		parts.Looks = stuckLooks{parts.Looks.(*guard), time.Now().Add(3 * time.Second)}
		guarding, err := New(Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := guarding.Run(ctx); err != nil { // it ends before the look could be stored
			t.Fatal(err)
		}
		var said bytes.Buffer
		parts = (&guard{world: w, t: t}).parts()
		parts.Looks = stuckLooks{parts.Looks.(*guard), time.Now()}
		parts.Log = slog.New(slog.NewTextHandler(&said, nil))
		if guarding, err = New(Config{}, parts); err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := guarding.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(said.String(), "was never stored"); n != 1 || w.stored(w.entries[0].Look) {
			t.Errorf("said %d times that look %q was never stored", n, w.entries[0].Look)
		}
	})
}

// slowLedger takes a while to answer, and counts how often it is asked.
type slowLedger struct {
	*guard
	takes time.Duration
	asked int
}

func (s *slowLedger) Moments(ctx context.Context, queries []Query) (results.Moments, error) {
	s.asked++
	pass(s.takes)
	return s.guard.Moments(ctx, queries)
}

// TestLooksComeAsSoonAsTheyAreCheap: four a second where they cost nothing, never more
// than a third of the time below the second, and one is stored a second at most.
func TestLooksComeAsSoonAsTheyAreCheap(t *testing.T) {
	for takes, want := range map[time.Duration]int{
		0: 40, 50 * time.Millisecond: 40, 150 * time.Millisecond: 23, 500 * time.Millisecond: 10, 2 * time.Second: 5,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(checkout())
			parts := (&guard{world: w, t: t}).parts()
			l := &slowLedger{guard: parts.Ledger.(*guard), takes: takes}
			parts.Ledger = l
			guarding, err := New(Config{}, parts)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second-time.Millisecond)
			defer cancel()
			if err := guarding.Run(ctx); err != nil {
				t.Fatal(err)
			}
			stored := 0
			for _, l := range w.looks {
				if l.Document.Kind == results.KindGuard {
					stored++
				}
			}
			if l.asked != want || stored > 10 || stored < min(want, 10)-2 {
				t.Errorf("a look takes %v: %d looks, want %d; %d were stored", takes, l.asked, want, stored)
			}
		})
	}
}

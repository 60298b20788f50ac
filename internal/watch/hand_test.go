package watch

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// hand is ada's.
func (w *world) hand(t *testing.T) *Hand {
	t.Helper()
	h, err := NewHand("ada", Config{}, (&guard{world: w, t: t}).parts())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// last is the log's newest entry.
func (w *world) last() guardrails.Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.entries[len(w.entries)-1]
}

// TestSnooze: while a person's word holds, harm is told and nothing is turned off;
// when it ends and the harm goes on, the kill goes ahead. Other experiments are not
// concerned.
func TestSnooze(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := checkout()
		other.Key = "other"
		w := newWorld(checkout(), other)
		w.harmful()
		if _, err := w.hand(t).Snooze(t.Context(), Named{Experiment: "checkout"}, "a bot run", time.Hour); err != nil {
			t.Fatal(err)
		}
		w.run(t, Config{}, 0, time.Minute)
		if len(w.calls) != 1 || w.calls[0].Experiment != "other" {
			t.Fatalf("calls %+v, want one, for the other experiment", w.calls)
		}
		if !w.alertTitles()["checkout: guardrail errors is breached in treatment"] {
			t.Errorf("nobody was told of the harm: %v", w.alertTitles())
		}
		for _, e := range w.entries {
			if e.Experiment == "checkout" && e.Kind == guardrails.Decided && (e.Act != guardrails.DoNotify || !strings.Contains(e.Text, "by ada (a bot run)")) {
				t.Errorf("decided to %s: %s", e.Act, e.Text)
			}
		}
		pass(time.Hour)
		w.run(t, Config{}, 0, time.Minute)
		if n := w.kinds(); n[guardrails.Verified] != 2 || w.newestVersion().Experiments[0].Latest().Killed == nil {
			t.Errorf("after the snooze: entries %v, and checkout was not turned off", n)
		}
	})
}

// TestStopOfAllKills: one word stops every guard at its next look, and another one
// lets them go on. A kill that was decided and not begun with is stopped as well.
func TestStopOfAllKills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.run(t, Config{}, 3, time.Minute) // dies when it has decided
		if n := w.kinds(); n[guardrails.Decided] != 1 || n[guardrails.Sending] != 0 {
			t.Fatalf("entries %v, want a decision alone", n)
		}
		hand := w.hand(t)
		if _, err := hand.Snooze(t.Context(), Named{Experiment: ""}, "the events are broken", 2*time.Hour); err != nil {
			t.Fatal(err)
		}
		w.run(t, Config{}, 0, time.Minute)
		if len(w.calls) != 0 {
			t.Fatalf("%d calls under the stop", len(w.calls))
		}
		if _, err := hand.Snooze(t.Context(), Named{Experiment: ""}, "mended", 0); err != nil {
			t.Fatal(err)
		}
		w.run(t, Config{}, 0, time.Minute)
		w.checkKilledOnce(t, 0)
	})
}

// TestStopInASecond: a guard that runs heeds the word from its next look on.
func TestStopInASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		hand := w.hand(t)
		go func() {
			pass(10 * time.Second)
			if _, err := hand.Snooze(t.Context(), Named{Experiment: ""}, "the events are broken", time.Hour); err != nil {
				t.Error(err)
			}
			pass(time.Second)
			w.harmful()
		}()
		w.run(t, Config{}, 0, time.Minute)
		if n := w.kinds(); len(w.calls) != 0 || n[guardrails.Decided] != 1 || w.last().Act != guardrails.DoObserve {
			t.Errorf("%d calls, entries %v, the last says %s", len(w.calls), n, w.last().Act)
		}
	})
}

// TestSnoozeIsTold: that automatic kills wait, and that they wait no more, by a word or
// because the time is up. A guard that begins tells again what is in force, and nothing
// of what is over.
func TestSnoozeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		hand := w.hand(t)
		say := func(key string, d time.Duration) string {
			until, err := hand.Snooze(t.Context(), Named{Experiment: key}, "a load test", d)
			if err != nil {
				t.Fatal(err)
			}
			return until.Format("2006-01-02 15:04:05 UTC")
		}
		runs := func(d time.Duration) { w.run(t, Config{}, 0, d) }
		go runs(2 * time.Minute)
		pass(10 * time.Second)
		until := say("checkout", time.Minute)
		pass(100 * time.Second)
		w.expect(t, "a minute for one", "snooze/checkout: automatic kills of checkout wait until "+until+", says ada",
			"resolved snooze/checkout: automatic kills of checkout wait no more: the time is up")
		pass(time.Minute)

		all := say("", time.Hour)
		runs(5 * time.Second)
		w.expect(t, "all, and a guard begins", "again snooze/all: all automatic kills wait until "+all+", says ada")
		go runs(20 * time.Second)
		pass(5 * time.Second)
		say("", 0)
		pass(5 * time.Second)
		w.expect(t, "ended by a word", "again snooze/all: all automatic kills wait until "+all+", says ada",
			"resolved snooze/all: all automatic kills wait no more, says ada")
		pass(time.Minute)
		runs(5 * time.Second)
		w.expect(t, "all of it is history")
	})
}

func TestSnoozeRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		for _, c := range []struct {
			key, reason string
			d           time.Duration
			want        error
		}{
			{"checkout", "", time.Hour, ErrNoReason}, {"checkout", "why", 8 * 24 * time.Hour, ErrSnooze},
			{"checkout", "why", -time.Second, ErrSnooze}, {"cart", "why", time.Hour, experiment.ErrUnknown},
		} {
			if _, err := w.hand(t).Snooze(t.Context(), Named{Experiment: c.key}, c.reason, c.d); !errors.Is(err, c.want) {
				t.Errorf("%q for %s because of %q: %v, want %v", c.key, c.d, c.reason, err, c.want)
			}
		}
		if len(w.entries) != 0 {
			t.Errorf("%d entries were written", len(w.entries))
		}
	})
}

// TestDrill: all but the write, and a line that says so. It is no kill.
func TestDrill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		drill, err := w.hand(t).Drill(t.Context(), Off{Named: Named{Experiment: "checkout"}, Reason: "the weekly drill"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Drill{Switch: "flags", Reads: "on", Method: "POST", Host: "flags.example.com"}, drill); diff != "" {
			t.Error(diff)
		}
		e := w.last()
		if e.Kind != guardrails.Drilled || e.Actor != "ada" || e.Text != "the weekly drill: the switch reads as on, POST flags.example.com was not sent" {
			t.Errorf("the log says %+v", e)
		}
		w.run(t, Config{}, 0, time.Minute)
		if len(w.calls) != 0 || len(w.entries) != 1 {
			t.Errorf("%d calls, %d entries", len(w.calls), len(w.entries))
		}
	})
}

// TestNote: a line under the person's name that decides nothing and counts as nothing.
func TestNote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		seq, err := w.hand(t).Note(t.Context(), Named{Experiment: "checkout"}, "a campaign began")
		if err != nil {
			t.Fatal(err)
		}
		if e := w.last(); e.Kind != guardrails.Noted || e.Seq != seq || e.Actor != "ada" || e.Iteration != 1 || e.Text != "a campaign began" {
			t.Errorf("the log says %+v", e)
		}
		w.run(t, Config{}, 0, time.Minute)
		if len(w.calls) != 0 || len(w.entries) != 1 || len(w.alertTitles()) != 0 {
			t.Errorf("%d calls, %d entries, told %v", len(w.calls), len(w.entries), w.alertTitles())
		}
		if _, err := w.hand(t).Note(t.Context(), Named{Experiment: "checkout"}, ""); !errors.Is(err, ErrNoReason) {
			t.Errorf("an empty note: %v", err)
		}
	})
}

// TestOverride: somebody turns a killed experiment on again while it was meant to run.
// Two guards write that down once, people hear of it, the results say so, and the
// exposures that go on are no failure of the kill.
func TestOverride(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		done := make(chan struct{})
		go func() {
			defer close(done)
			pass(5 * time.Minute)
			w.mu.Lock()
			w.off = false
			w.mu.Unlock()
			for range 240 {
				w.mu.Lock()
				w.afterEnd = time.Now()
				w.mu.Unlock()
				pass(time.Second)
			}
		}()
		var guards sync.WaitGroup
		for _, name := range []string{"a", "b"} {
			guards.Go(func() { w.run(t, Config{Instance: name}, 0, 10*time.Minute) })
		}
		guards.Wait()
		<-done
		n := w.kinds()
		if n[guardrails.Overridden] != 1 || len(w.calls) != 1 {
			t.Fatalf("entries %v, %d calls", n, len(w.calls))
		}
		if e := w.last(); e.Kind != guardrails.Overridden || e.At.Sub(w.offAt) < 5*time.Minute-10*time.Second || e.At.Sub(w.offAt) > 6*time.Minute+30*time.Second {
			t.Errorf("the last entry is %s, %s after the kill", e.Kind, e.At.Sub(w.offAt))
		}
		if !w.alertTitles()["checkout was turned on again by somebody"] {
			t.Errorf("nobody was told: %v", w.alertTitles())
		}
		if k := w.looks[len(w.looks)-1].Document.Kill; k == nil || k.OverriddenAt.IsZero() {
			t.Errorf("the results say %+v of the kill", k)
		}
		if w.reads > 2*8 {
			t.Errorf("the switch was read %d times in six minutes by two guards", w.reads)
		}
	})
}

// TestStaleReadIsNoOverride: a switch that reads as on once, from a cache, was turned on
// by nobody.
func TestStaleReadIsNoOverride(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		time.AfterFunc(3*time.Minute, func() { w.mu.Lock(); w.stale = 1; w.mu.Unlock() })
		w.run(t, Config{}, 0, 10*time.Minute)
		if n := w.kinds(); n[guardrails.Overridden] != 0 || w.stale != 0 || w.reads < 8 {
			t.Errorf("entries %v, %d stale readings left of %d", n, w.stale, w.reads)
		}
	})
}

// TestNoOverride: after `assay resume`, and after the planned end, the flag may well be
// on.
func TestNoOverride(t *testing.T) {
	t.Run("resumed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(checkout())
			w.harmful()
			w.run(t, Config{}, 0, 10*time.Second)
			if _, err := w.hand(t).Resume(t.Context(), Named{Experiment: "checkout"}, "mended", 0); err != nil {
				t.Fatal(err)
			}
			w.off = false
			w.setCells(5000, 250, 5000, 250)
			w.run(t, Config{}, 0, 5*time.Minute)
			if n := w.kinds(); n[guardrails.Overridden] != 0 || w.reads != 0 {
				t.Errorf("entries %v, %d reads", n, w.reads)
			}
		})
	})
	t.Run("over", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := checkout()
			e.Iterations[0].End = time.Now().Add(2 * time.Minute)
			e.Iterations[0].EnrolUntil = e.Iterations[0].End
			w := newWorld(e)
			w.harmful()
			w.run(t, Config{}, 0, 3*time.Minute)
			read := w.reads
			w.off = false
			w.run(t, Config{}, 0, 5*time.Minute)
			if n := w.kinds(); n[guardrails.Verified] != 1 || n[guardrails.Overridden] != 0 || read == 0 || w.reads != read {
				t.Errorf("entries %v, %d reads, then %d", n, read, w.reads)
			}
		})
	})
}

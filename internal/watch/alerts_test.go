package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// told is each alert in a line: its key, its title, and what kind of news it is.
func (w *world) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, a := range w.alerts {
		line := a.Key + ": " + a.Title
		if a.Repeat {
			line = "again " + line
		}
		if a.Resolved {
			line = "resolved " + line
		}
		out = append(out, line)
	}
	w.alerts = nil
	return out
}

// expect holds what was told since the last time.
func (w *world) expect(t *testing.T, when string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.told()); diff != "" {
		t.Errorf("%s: %s", when, diff)
	}
}

// exposures of the treatment go on after the kill, for a time.
func (w *world) exposuresFor(d time.Duration) {
	for range int(d / time.Second) {
		w.mu.Lock()
		if w.off {
			w.afterEnd = time.Now()
		}
		w.mu.Unlock()
		pass(time.Second)
	}
}

// TestAlertsOfAKill: told at decision, result and resolution under one key, with
// everything that was decided on.
func TestAlertsOfAKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := checkout()
		e.Owner, e.Links.Flag = "shop team", "https://flags.example/checkout"
		w := newWorld(e)
		w.harmful()
		w.run(t, Config{}, 0, 3*time.Minute)
		first, last := w.alerts[0], w.alerts[len(w.alerts)-1]
		w.expect(t, "a kill",
			"kill/checkout/1: checkout: harm, turning it off",
			"kill/checkout/1: checkout is off",
			"resolved kill/checkout/1: checkout is off, and its exposures have stopped")
		decided := w.entries[0]
		v := first.Verdict
		if v == nil || v.Harm.Units != [2]int64{5000, 5000} || v.Rule.Margin != .1 || !v.Harm.Bound.Known() || v.Kind != guardrails.Breached {
			t.Fatalf("the verdict is %+v", v)
		}
		if len(first.Vector) != 1 || first.Vector[0] == 0 {
			t.Errorf("the watermark is %v", first.Vector)
		}
		if first.Decision != decided.Seq || first.Look != decided.Look || first.Decider != "guard" || first.State != guardrails.Decided || first.Reason != "harm" {
			t.Errorf("decision %+v told as %+v", decided, first)
		}
		if first.Owner != "shop team" || first.Switch != "flags" || first.Links.Flag == "" {
			t.Errorf("of the experiment is told: %+v", first)
		}
		if first.Head != w.hashes()[0] || last.Head == first.Head || last.Head == "" {
			t.Errorf("heads %q, then %q; the log has %v", first.Head, last.Head, w.hashes())
		}
		if last.Verdict == nil || last.Decision != decided.Seq || last.State != guardrails.Effective || !last.Since.Equal(first.At) || !last.Page {
			t.Errorf("the end is told as %+v", last)
		}
	})
}

// hashes are those of the entries.
func (w *world) hashes() (out []string) {
	for _, e := range w.entries {
		out = append(out, e.Hash)
	}
	return out
}

// TestRestartGoesOn: a guard that begins tells what it finds open again under the
// same key, as a repeat, and resolves it when it is over. What is over stays so.
func TestRestartGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.refuse = Result{State: guardrails.Denied, Detail: "403"}
		w.run(t, Config{}, 0, 5*time.Second)
		since := w.alerts[0].Since
		const denied = "kill/checkout/1: checkout could NOT be turned off: denied"
		w.expect(t, "denied", "kill/checkout/1: checkout: harm, turning it off", denied)
		w.run(t, Config{}, 0, 5*time.Second)
		if again := w.alerts[0]; !again.Since.Equal(since) || again.Verdict == nil || !again.Page {
			t.Errorf("told again as %+v", again)
		}
		w.expect(t, "restarted", "again "+denied)
		w.refuse = Result{}
		hand, err := NewHand("ada", Config{}, (&guard{world: w, t: t}).parts())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hand.Kill(t.Context(), Off{Named: Named{Experiment: "checkout"}, Reason: "it still does harm"}); err != nil {
			t.Fatal(err)
		}
		w.expect(t, "by hand, without a guard")
		w.run(t, Config{}, 0, 3*time.Minute)
		w.expect(t, "restarted once more", "again kill/checkout/1: checkout is off",
			"resolved kill/checkout/1: checkout is off, and its exposures have stopped")
		w.run(t, Config{}, 0, time.Minute)
		w.expect(t, "all is over")
	})
}

// TestAFailedKillIsAlwaysTold: the same failure twice is told twice.
func TestAFailedKillIsAlwaysTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.refuse = Result{State: guardrails.Failed, Detail: "no answer in time"}
		g := &guard{world: w, t: t}
		hand, err := NewHand("ada", Config{}, g.parts())
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(5*time.Second, func() {
			if _, err := hand.Kill(t.Context(), Off{Named: Named{Experiment: "checkout"}, Reason: "once more"}); err != nil {
				t.Error(err)
			}
		})
		w.run(t, Config{}, 0, 10*time.Second)
		const failed = "kill/checkout/1: checkout could NOT be turned off: failed"
		w.expect(t, "twice", "kill/checkout/1: checkout: harm, turning it off", failed,
			"kill/checkout/1: checkout: ada turns it off by hand", failed)
	})
}

// TestAFailedKillDoesNotWaitForTheLog: people hear of it while the log cannot be
// written, and not again when it can.
func TestAFailedKillDoesNotWaitForTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.refuse = Result{State: guardrails.Denied, Detail: "403"}
		g := &guard{world: w, t: t}
		parts := g.parts()
		parts.Journal = fullAt{guard: g, kind: guardrails.Denied, until: time.Now().Add(30 * time.Second)}
		guarding, err := New(Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		if err := guarding.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if len(w.alerts) != 2 || w.alerts[1].At.Sub(begun) > 5*time.Second || w.alerts[1].Decision != 1 || w.kinds()[guardrails.Denied] != 1 {
			t.Errorf("told %+v, entries %v", w.alerts, w.kinds())
		}
		w.expect(t, "denied", "kill/checkout/1: checkout: harm, turning it off", "kill/checkout/1: checkout could NOT be turned off: denied")
	})
}

// fullAt refuses one kind of line for a time.
type fullAt struct {
	*guard
	kind  guardrails.EntryKind
	until time.Time
}

func (f fullAt) Append(ctx context.Context, e guardrails.Entry, after string) (string, error) {
	if e.Kind == f.kind && time.Now().Before(f.until) {
		return "", errors.New("no space left on device")
	}
	return f.guard.Append(ctx, e, after)
}

// TestKillWithoutEffectStaysOpen: nobody is told that it is over while clients
// serve the treatment, also when the experiment is looked at no more.
func TestKillWithoutEffectStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		go w.exposuresFor(90 * time.Minute)
		w.run(t, Config{}, 0, 80*time.Minute)
		w.expect(t, "exposures go on", "kill/checkout/1: checkout: harm, turning it off", "kill/checkout/1: checkout is off",
			"kill/checkout/1: checkout is off, but its exposures go on")
		pass(15 * time.Minute)
	})
}

// TestNotifyIsResolved: by the iteration's end, or by the next one.
func TestNotifyIsResolved(t *testing.T) {
	const key = "guardrail/checkout/1/errors/treatment"
	synctest.Test(t, func(t *testing.T) {
		e := checkout()
		e.Guardrails[0].Mode = experiment.Notify
		e.Iterations[0].EnrolUntil = time.Now().Add(time.Minute)
		e.Iterations[0].End = time.Now().Add(2 * time.Minute)
		w := newWorld(e)
		w.harmful()
		w.run(t, Config{}, 0, 10*time.Minute)
		w.expect(t, "notified", key+": checkout: guardrail errors is breached in treatment",
			"resolved "+key+": checkout: guardrail errors is breached in treatment")
	})
}

// TestBlindnessIsToldOnce: after ten seconds, each reason once however often it
// changes, and that it is over.
func TestBlindnessIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.fresh = 2 * time.Minute
		begun := time.Now()
		go func() {
			for i := range 30 {
				pass(2 * time.Second)
				w.mu.Lock()
				w.fresh, w.state = 2*time.Minute, "ok"
				if i%2 == 0 {
					w.state = "gap"
				}
				w.mu.Unlock()
			}
			w.mu.Lock()
			w.fresh, w.state = 0, "ok"
			w.mu.Unlock()
		}()
		w.run(t, Config{}, 0, 70*time.Second)
		if after := w.alerts[0].At.Sub(begun); after < 10*time.Second || after > 11*time.Second || !w.alerts[0].Page {
			t.Errorf("told after %s as %+v", after, w.alerts[0])
		}
		got := w.told()
		want := map[string]bool{
			"blind/shards: experiments cannot be judged: stale": true, "blind/shards: experiments cannot be judged: gap": true,
			"resolved blind/shards: no shard blinds an experiment any more": true,
		}
		for _, line := range got {
			if !want[line] {
				t.Errorf("told: %s", line)
			}
			delete(want, line)
		}
		if len(want) > 0 || !strings.HasPrefix(got[len(got)-1], "resolved") {
			t.Errorf("told %v, not %v", got, want)
		}
	})
}

// TestShortBlindnessIsNobodysNight: shards that adopt a version are of two minds
// for seconds.
func TestShortBlindnessIsNobodysNight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.state = "gap"
		time.AfterFunc(9*time.Second, func() { w.mu.Lock(); w.state = "ok"; w.mu.Unlock() })
		w.run(t, Config{}, 0, 30*time.Second)
		w.expect(t, "blind for nine seconds")
	})
}

// TestBlindnessEndsWithTheRun: an experiment that is looked at no more leaves no
// page open.
func TestBlindnessEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := checkout()
		e.Iterations[0].EnrolUntil = time.Now().Add(10 * time.Second)
		e.Iterations[0].End = time.Now().Add(30 * time.Second)
		w := newWorld(e)
		w.state = "gap"
		w.run(t, Config{}, 0, 10*time.Minute)
		w.expect(t, "blind to the end", "blind/shards: experiments cannot be judged: gap", "resolved blind/shards: no shard blinds an experiment any more")
	})
}

// TestOneStoppedConsumerIsOneMatter: a shard that stands still blinds every experiment,
// and people are told once, with all of them.
func TestOneStoppedConsumerIsOneMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []experiment.Experiment
		for i := range 12 {
			e := checkout()
			e.Key = fmt.Sprintf("e%02d", i)
			all = append(all, e)
		}
		w := newWorld(all...)
		w.state = "gap"
		time.AfterFunc(20*time.Second, func() { w.mu.Lock(); w.state = "ok"; w.mu.Unlock() })
		w.run(t, Config{}, 0, 30*time.Second)
		if text := w.alerts[0].Text; !strings.Contains(text, "12 of them: e00, e01") || !strings.Contains(text, "e09 and 2 more") {
			t.Errorf("told: %s", text)
		}
		w.expect(t, "a shard of all", "blind/shards: experiments cannot be judged: gap", "resolved blind/shards: no shard blinds an experiment any more")
	})
}

// TestOneOutageIsOneMatter: a ledger that is down is the guard's trouble, not one
// of each experiment.
func TestOneOutageIsOneMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := checkout()
		other.Key = "search"
		w := newWorld(checkout(), other)
		w.ledgerErr = errors.New("connection refused")
		time.AfterFunc(time.Minute, func() { w.mu.Lock(); w.ledgerErr = nil; w.mu.Unlock() })
		w.run(t, Config{}, 0, 2*time.Minute)
		w.expect(t, "the ledger was down", "guard/round: the guard cannot look", "resolved guard/round: the guard looks again")
	})
}

// TestSilentArmIsWarnedOfOnce: on_no_data: warn tells people once for each
// silence, wakes nobody, and says when the arm speaks again.
func TestSilentArmIsWarnedOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := checkout()
		e.Guardrails[0].OnNoData = experiment.WarnOnNoData
		w := newWorld(e)
		speak := func(n int64, treatment int64) { w.setCells(n, 250, treatment, 250) }
		go func() {
			for i := range int64(60) { // the control goes on alone
				pass(time.Second)
				speak(5000+10*i, 5000)
			}
			for i := range int64(10) { // and both
				pass(time.Second)
				speak(5600+10*i, 5600+10*i)
			}
		}()
		w.run(t, Config{}, 0, 45*time.Second)
		only := func() { // the split of such arms breaks too, and is another matter
			w.alerts = slices.DeleteFunc(w.alerts, func(a Alert) bool { return a.Matter == SplitMatter })
		}
		only()
		if slices.ContainsFunc(w.alerts, func(a Alert) bool { return a.Page }) {
			t.Errorf("somebody was woken: %+v", w.alerts)
		}
		const told = "silence/checkout/1/errors/treatment: checkout: one arm gets no units while the other goes on"
		w.expect(t, "silent", told)
		w.run(t, Config{}, 0, 23*time.Second)
		only()
		w.expect(t, "restarted, then both speak", "again "+told,
			"resolved silence/checkout/1/errors/treatment: checkout: both arms get units again")
		pass(10 * time.Second)
	})
}

// TestSplitIsResolvedByAcknowledgement: and says by whom.
func TestSplitIsResolvedByAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.setCells(5000, 250, 4000, 200)
		hand, err := NewHand("ada", Config{}, (&guard{world: w, t: t}).parts())
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(5*time.Second, func() {
			if err := hand.Acknowledge(t.Context(), Named{Experiment: "checkout"}, 1, "a bot, excluded"); err != nil {
				t.Error(err)
			}
		})
		w.run(t, Config{}, 0, 10*time.Second)
		w.expect(t, "a broken split", "split/checkout/1/1: checkout: the split of phase 1 is broken",
			"resolved split/checkout/1/1: checkout: the split of phase 1 was acknowledged by ada")
	})
}

// TestResumeResolvesWhatWas: the next iteration ends the matters of the last one.
func TestResumeResolvesWhatWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		go w.exposuresFor(2 * time.Minute)
		g := &guard{world: w, t: t}
		hand, err := NewHand("ada", Config{}, g.parts())
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(100*time.Second, func() {
			if _, err := hand.Resume(t.Context(), Named{Experiment: "checkout"}, "mended", 0); err != nil {
				t.Error(err)
			}
		})
		w.run(t, Config{}, 0, 101*time.Second)
		got := w.told()
		want := "resolved kill/checkout/1: checkout: ada opens iteration 2"
		if fmt.Sprint(got) == "[]" || !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("told %q, want %q", got, want)
		}
		pass(time.Minute)
	})
}

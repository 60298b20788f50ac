package watch

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/signals"
)

// rampWorld is an experiment at the first step of a ramp, an hour old, of which every
// phase shows that nothing is wrong.
func rampWorld(edit ...func(*experiment.Ramp)) *world {
	e := checkout()
	e.Guardrails[0].Margin, e.Guardrails[0].Mode = 1, experiment.Notify
	it := &e.Iterations[0]
	it.Ramp = &experiment.Ramp{OnBreach: experiment.RevertOnBreach, Steps: []experiment.RampStep{
		{Traffic: .01, For: experiment.Duration(30 * time.Minute), Units: 500}, {Traffic: .1, For: experiment.Duration(20 * time.Minute), Settle: experiment.Duration(10 * time.Minute)}, {Traffic: .5, Settle: experiment.Duration(10 * time.Minute)}}}
	for _, f := range edit {
		f(it.Ramp)
	}
	it.Phases[0].Traffic, it.Phases[0].Step = .01, 1
	w := newWorld(e)
	w.stepwise, w.traffic = true, .01
	return w
}

// seldom looks every few seconds, for tests that take hours.
func seldom() Config { return Config{Every: 10 * time.Second, Soonest: 10 * time.Second} }

func approvals(r *experiment.Ramp) { r.Steps[0].Approval = true }

func (w *world) newestPhases() []experiment.Phase {
	return w.newestVersion().Experiments[0].Latest().Phases
}

func (w *world) lastRamp(t *testing.T) (state, reason string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.looks[len(w.looks)-1].Document.Ramp
	if r == nil {
		t.Fatal("the look has no ramp")
	}
	return r.State, r.Reason
}

// TestRampToItsEnd: one step an evaluation, each as long as it must, each a phase from
// the time of the accepted call on.
func TestRampToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := rampWorld()
		began := time.Now()
		w.run(t, Config{}, 0, 5*time.Second)
		if state, reason := w.lastRamp(t); state != "advanced" || reason != "settling" || len(w.moves) != 1 {
			t.Fatalf("after a moment: %s (%s), %d moves", state, reason, len(w.moves))
		}
		w.run(t, seldom(), 0, 29*time.Minute)
		if state, reason := w.lastRamp(t); state != "waiting" || reason != "time" || len(w.moves) != 1 {
			t.Fatalf("before its time: %s (%s), %d moves", state, reason, len(w.moves))
		}
		w.run(t, seldom(), 0, time.Hour)
		if state, _ := w.lastRamp(t); state != "done" || w.traffic != .5 {
			t.Errorf("it is %s at %v", state, w.traffic)
		}
		phases := w.newestPhases()
		if len(phases) != 3 || phases[1].Step != 2 || phases[2].Step != 3 || phases[1].Traffic != .1 || phases[2].Traffic != .5 {
			t.Fatalf("phases %+v", phases)
		}
		if lasted := phases[2].From.Sub(phases[1].From); lasted < 30*time.Minute || lasted > 31*time.Minute || phases[1].From.Sub(began) > 5*time.Second {
			t.Errorf("the second step lasted %s, want its time after it had settled", lasted)
		}
		want := map[guardrails.EntryKind]int{guardrails.RampAdvance: 2, guardrails.Sending: 2, guardrails.Accepted: 2, guardrails.Verified: 2, guardrails.PhaseBegun: 2}
		if diff := cmp.Diff(want, w.kinds()); diff != "" {
			t.Error(diff)
		}
		for _, e := range w.entries {
			if e.Kind != guardrails.RampAdvance {
				continue
			}
			if w.kept[e.Look] != e.Seq || e.Key == "" || len(e.Evidence) == 0 || phases[e.Ramp.Step-1].Decision != e.Seq {
				t.Errorf("decision %d: look %q kept for %d, key %q, phase %+v", e.Seq, e.Look, w.kept[e.Look], e.Key, phases[e.Ramp.Step-1])
			}
		}
		if len(w.alerts) > 0 {
			t.Errorf("a ramp that goes well told %+v", w.alerts)
		}
	})
}

// TestRampRevertsAtItsThirdStep: harm shows up at the last step; nobody takes part from
// then on, people are paged, and it never goes on.
func TestRampRevertsAtItsThirdStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := rampWorld()
		w.run(t, seldom(), 0, time.Hour)
		w.harmful()
		w.run(t, Config{}, 0, time.Minute)
		if state, reason := w.lastRamp(t); state != "reverted" || reason != "harm" || w.traffic != 0 {
			t.Errorf("%s (%s) at %v", state, reason, w.traffic)
		}
		phases := w.newestPhases()
		if last := phases[len(phases)-1]; !last.Reverted || last.Traffic != 0 || last.Step != 3 {
			t.Errorf("the last phase is %+v", last)
		}
		it := w.newestVersion().Experiments[0].Latest()
		if it.Killed != nil || !time.Now().Before(it.End) {
			t.Error("the iteration ended")
		}
		w.setCells(5000, 250, 5000, 250)
		moves := len(w.moves)
		w.run(t, seldom(), 0, 2*time.Hour)
		if state, _ := w.lastRamp(t); state != "reverted" || len(w.moves) != moves || w.kinds()[guardrails.RampRevert] != 1 {
			t.Errorf("it moved again: %s, %v", state, w.kinds())
		}
		if !slices.ContainsFunc(w.alerts, func(a Alert) bool { return a.Matter == RampMatter && a.Page && a.State == guardrails.RampRevert }) {
			t.Errorf("nobody was paged: %+v", w.alerts)
		}
	})
}

// TestRampIsHeld: by each of the things that the law names, as long as it lasts.
func TestRampIsHeld(t *testing.T) {
	for name, test := range map[string]struct {
		spoil, mend func(*world)
		reason      string
	}{
		"undecided":  {func(w *world) { w.setCells(5000, 250, 5000, 450) }, func(w *world) { w.setCells(5000, 250, 5000, 250) }, "undecided"},
		"blind":      {func(w *world) { w.fresh = 2 * time.Minute }, func(w *world) { w.fresh = 0 }, "blind"},
		"replayed":   {func(w *world) { w.newest = time.Hour }, func(w *world) { w.newest = 0 }, "blind"},
		"split":      {func(w *world) { w.setCells(5000, 250, 6000, 300) }, nil, "srm"},
		"mismatch":   {func(w *world) { w.limitAssignments(); w.wrong = 500 }, func(w *world) { w.wrong = 0 }, "assignment"},
		"a signal":   {func(w *world) { w.pausing(signals.Breached, signals.AboveMax) }, func(w *world) { w.pausing(signals.Within, signals.Fine) }, "signal"},
		"unread":     {func(w *world) { w.pausing("", "") }, func(w *world) { w.pausing(signals.Within, signals.Fine) }, "signal"},
		"unanswered": {func(w *world) { w.pausing(signals.Unknown, signals.NoAnswer) }, func(w *world) { w.pausing(signals.Within, signals.Fine) }, "signal"},
		"few units":  {func(w *world) { w.setCells(300, 150, 300, 150) }, func(w *world) { w.setCells(5000, 250, 5000, 250) }, "units"},
		"a hand":     {func(w *world) { w.traffic = .37 }, func(w *world) { w.traffic = .01 }, "drift"},
		"locked":     {func(w *world) { w.locked = errors.New("401") }, func(w *world) { w.locked = nil }, "unread"},
		"the switch": {func(w *world) { w.unable = "it has no gradual rollout" }, func(w *world) { w.unable = "" }, "switch"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := rampWorld()
				test.spoil(w)
				w.run(t, seldom(), 0, 5*time.Minute)
				if _, reason := w.lastRamp(t); reason != test.reason || len(w.moves) > 0 {
					t.Fatalf("held by %q with %d moves, want %s", reason, len(w.moves), test.reason)
				}
				if test.mend == nil {
					return
				}
				test.mend(w)
				w.run(t, Config{}, 0, time.Minute)
				if len(w.moves) != 1 {
					t.Errorf("%d moves after it was mended", len(w.moves))
				}
			})
		})
	}
}

// limitAssignments makes the file say which share of units may be assigned otherwise.
func (w *world) limitAssignments() {
	e := &w.versions[0].Experiments[0]
	e.Checks.Assignment = &experiment.AssignmentCheck{Limit: .01, OnAlarm: experiment.WarnOnAlarm}
	e.Assignment = &experiment.Assignment{System: experiment.GrowthBook, Seed: "s"}
}

// TestRampOnceWhereverItDies: a guard dies at each operation of an advance, the next
// one carries it on, and the traffic is set once.
func TestRampOnceWhereverItDies(t *testing.T) {
	var points int
	synctest.Test(t, func(t *testing.T) {
		points = rampWorld().run(t, Config{}, 0, 20*time.Second)
	})
	if points < 14 {
		t.Fatalf("only %d points to die at", points)
	}
	for dieAt := 1; dieAt <= points; dieAt++ {
		synctest.Test(t, func(t *testing.T) {
			w := rampWorld()
			w.run(t, Config{}, dieAt, 20*time.Second)
			w.run(t, Config{Instance: "another"}, 0, 2*time.Minute)
			n, phases := w.kinds(), w.newestPhases()
			if w.changes != 1 || w.traffic != .1 || n[guardrails.RampAdvance] != 1 || n[guardrails.Verified] != 1 || n[guardrails.PhaseBegun] != 1 {
				t.Errorf("died at %d: changed %d times to %v, entries %v", dieAt, w.changes, w.traffic, n)
			}
			if len(phases) != 2 || len(w.versions) != 2 {
				t.Errorf("died at %d: %d versions, phases %+v", dieAt, len(w.versions), phases)
			}
			keys := map[string]bool{}
			for _, m := range w.moves {
				keys[m.Key] = true
			}
			if len(keys) != 1 {
				t.Errorf("died at %d: %d keys", dieAt, len(keys))
			}
		})
	}
}

func TestTwoGuardsAdvanceOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := rampWorld()
		var both sync.WaitGroup
		for _, name := range []string{"one", "two"} {
			both.Go(func() { w.run(t, Config{Instance: name}, 0, 2*time.Minute) })
		}
		both.Wait()
		if n := w.kinds(); n[guardrails.RampAdvance] != 1 || w.changes != 1 || len(w.newestPhases()) != 2 {
			t.Errorf("changed %d times, entries %v", w.changes, n)
		}
	})
}

// TestFailedStepHolds: people are paged, nothing is tried by itself again, and the word
// of a person tries it once more.
func TestFailedStepHolds(t *testing.T) {
	for _, state := range []guardrails.EntryKind{guardrails.Failed, guardrails.Denied, guardrails.PendingApproval} {
		synctest.Test(t, func(t *testing.T) {
			w := rampWorld()
			w.refuse = Result{State: state, Detail: "no"}
			w.run(t, seldom(), 0, 10*time.Minute)
			if got, reason := w.lastRamp(t); got != "held" || reason != string(state) || len(w.moves) != 1 || len(w.versions) != 1 {
				t.Errorf("%s (%s), %d calls, %d versions", got, reason, len(w.moves), len(w.versions))
			}
			if len(w.alerts) == 0 || !w.alerts[len(w.alerts)-1].Page || !strings.Contains(w.alerts[0].Title, "10 %") {
				t.Errorf("alerts %+v", w.alerts)
			}
			w.refuse = Result{}
			var both sync.WaitGroup
			both.Go(func() { w.run(t, Config{}, 0, time.Minute) })
			both.Go(func() {
				pass(5 * time.Second)
				if _, err := w.hand(t).ResumeRamp(t.Context(), Named{Experiment: "checkout"}, "mended"); err != nil {
					t.Error(err)
				}
			})
			both.Wait()
			if len(w.newestPhases()) != 2 || w.traffic != .1 {
				t.Errorf("after resume: %v, phases %+v", w.traffic, w.newestPhases())
			}
			if last := w.alerts[len(w.alerts)-1]; !last.Resolved {
				t.Errorf("not resolved: %+v", last)
			}
		})
	}
}

// TestRampByHand: approve, pause, resume, revert, and what makes no sense.
func TestRampByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, of := rampWorld(approvals), Named{Experiment: "checkout"}
		w.run(t, Config{}, 0, time.Minute)
		if _, reason := w.lastRamp(t); reason != "approval" || len(w.alerts) != 1 || w.alerts[0].Page {
			t.Fatalf("held by %s, told %+v", reason, w.alerts)
		}
		hand := w.hand(t)
		act := func(do func() error, want error) {
			t.Helper()
			if err := do(); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%v, want %v", err, want)
			}
		}
		approve := func() error { _, err := hand.ApproveRamp(t.Context(), of, "looks well"); return err }
		pause := func() error { _, err := hand.PauseRamp(t.Context(), of, "lunch"); return err }
		resume := func() error { _, err := hand.ResumeRamp(t.Context(), of, "back"); return err }
		revert := func() error { _, err := hand.RevertRamp(t.Context(), of, "enough"); return err }
		act(resume, ErrRamp)
		act(pause, nil)
		act(pause, ErrRamp)
		act(approve, nil)
		act(approve, ErrRamp)
		w.run(t, Config{}, 0, time.Minute)
		if _, reason := w.lastRamp(t); reason != "paused" || len(w.moves) != 0 {
			t.Errorf("held by %s, %d moves", reason, len(w.moves))
		}
		act(resume, nil)
		w.run(t, Config{}, 0, time.Minute)
		if len(w.moves) != 1 || len(w.newestPhases()) != 2 {
			t.Errorf("%d moves after approval", len(w.moves))
		}
		act(approve, ErrRamp) // the second step asks for none
		act(revert, nil)
		act(revert, ErrRamp)
		act(pause, ErrRamp)
		act(func() error { _, err := hand.RevertRamp(t.Context(), of, ""); return err }, ErrNoReason)
		w.run(t, seldom(), 0, time.Hour)
		if state, reason := w.lastRamp(t); state != "reverted" || reason != "by_hand" || w.traffic != 0 || len(w.moves) != 2 {
			t.Errorf("%s (%s) at %v, %d moves", state, reason, w.traffic, len(w.moves))
		}
	})
}

// TestRevertWhileAStepIsOnItsWay: the slow call of a guard that lives is not let to
// undo the revert, nor does the step begin.
func TestRevertWhileAStepIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := rampWorld()
		w.slow = 3 * time.Second
		var both sync.WaitGroup
		both.Go(func() { w.run(t, Config{}, 0, 2*time.Minute) })
		both.Go(func() {
			pass(time.Second)
			if _, err := w.hand(t).RevertRamp(t.Context(), Named{Experiment: "checkout"}, "stop it"); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		phases := w.newestPhases()
		if last := phases[len(phases)-1]; w.traffic != 0 || !last.Reverted || len(phases) != 2 {
			t.Errorf("at %v, phases %+v, entries %v", w.traffic, phases, w.kinds())
		}
	})
}

// TestKilledRamp: a guardrail that may kill ends the ramp with its iteration, also
// with on_breach: revert.
func TestKilledRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := rampWorld()
		w.versions[0].Experiments[0].Guardrails[0].Mode = experiment.Kill
		w.harmful()
		w.run(t, Config{}, 0, time.Minute)
		if state, reason := w.lastRamp(t); state != "reverted" || reason != "killed" || len(w.moves) != 0 || !w.off {
			t.Errorf("%s (%s), %d moves, off %v", state, reason, len(w.moves), w.off)
		}
	})
}

// TestDriftIsTold: a hand changes the traffic between two steps. The ramp is held at the
// next reading, people are told once it was read twice and again when it is set back, and
// then the ramp goes on.
func TestDriftIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := rampWorld()
		w.run(t, seldom(), 0, 5*time.Minute) // the second step has begun
		w.traffic = .37
		w.run(t, seldom(), 0, trafficEvery/2)
		if _, reason := w.lastRamp(t); reason != "drift" || len(w.alerts) > 0 {
			t.Errorf("after one reading it is held by %q, and people are told %+v", reason, w.alerts)
		}
		w.run(t, seldom(), 0, time.Hour)
		if _, reason := w.lastRamp(t); reason != "drift" || len(w.moves) != 1 {
			t.Errorf("held by %q after %d moves", reason, len(w.moves))
		}
		if len(w.alerts) != 1 || !w.alerts[0].Page || w.alerts[0].Reason != "drift" || !strings.Contains(w.alerts[0].Text, "37 %") {
			t.Fatalf("people are told %+v", w.alerts)
		}
		var both sync.WaitGroup
		both.Go(func() { w.run(t, seldom(), 0, 10*time.Minute) })
		both.Go(func() {
			pass(5 * time.Minute)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.traffic = .1
		})
		both.Wait()
		if len(w.moves) != 2 || w.traffic != .5 {
			t.Errorf("after it was set back: %d moves, at %v", len(w.moves), w.traffic)
		}
		if last := w.alerts[len(w.alerts)-1]; !last.Resolved || last.Reason != "drift" {
			t.Errorf("not resolved: %+v", last)
		}
	})
}

// TestDriftAfterRevert: what was taken back is read too.
func TestDriftAfterRevert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := rampWorld()
		w.run(t, seldom(), 0, time.Hour)
		w.harmful()
		w.run(t, Config{}, 0, time.Minute)
		w.traffic = .5
		w.run(t, seldom(), 0, 5*time.Minute)
		if state, _ := w.lastRamp(t); state != "reverted" || w.kinds()[guardrails.RampRevert] != 1 {
			t.Errorf("it is %s, %v", state, w.kinds())
		}
		if !slices.ContainsFunc(w.alerts, func(a Alert) bool { return a.Reason == "drift" && a.Page }) {
			t.Errorf("nobody was told: %+v", w.alerts)
		}
	})
}

// TestStuckStepIsNoDrift: a step of which nobody knows how far it came is held by that,
// and once more tried when a person says so, also where it had come to its end.
func TestStuckStepIsNoDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := rampWorld()
		w.refuse = Result{State: guardrails.Failed, Detail: "no answer"}
		w.run(t, seldom(), 0, 10*time.Minute)
		w.traffic, w.refuse = .1, Result{}
		if _, err := w.hand(t).ResumeRamp(t.Context(), Named{Experiment: "checkout"}, "it is there"); err != nil {
			t.Fatal(err)
		}
		w.run(t, Config{}, 0, time.Minute)
		if len(w.newestPhases()) != 2 {
			t.Errorf("the step did not begin: %v", w.kinds())
		}
	})
}

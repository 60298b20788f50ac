package watch

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
)

// TestHandOfAnotherIteration: whoever looks at a page of an iteration that is over acts
// on nothing of the next one; and nothing is written.
func TestHandOfAnotherIteration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.run(t, Config{}, 0, 10*time.Second)
		if _, err := w.hand(t).Resume(t.Context(), Named{"checkout", 1}, "mended", 0); err != nil {
			t.Fatal(err)
		}
		lines, calls := len(w.entries), len(w.calls)
		hand, old := w.hand(t), Named{"checkout", 1}
		_, kill := hand.Kill(t.Context(), Off{Named: old, Reason: "it hurts"})
		_, drill := hand.Drill(t.Context(), Off{Named: old, Reason: "it hurts"})
		_, snooze := hand.Snooze(t.Context(), old, "it hurts", time.Hour)
		_, resume := hand.Resume(t.Context(), old, "it hurts", 0)
		acknowledge := hand.Acknowledge(t.Context(), old, 1, "it hurts")
		_, note := hand.Note(t.Context(), old, "it hurts")
		for act, err := range map[string]error{"kill": kill, "drill": drill, "snooze": snooze, "resume": resume, "acknowledge": acknowledge, "note": note} {
			if !errors.Is(err, ErrStale) {
				t.Errorf("%s: %v", act, err)
			}
		}
		if len(w.entries) != lines || len(w.calls) != calls {
			t.Errorf("%d lines were written, %d calls made", len(w.entries)-lines, len(w.calls)-calls)
		}
		w.off = false
		pass(time.Minute)
		if _, err := hand.Kill(t.Context(), Off{Named: Named{"checkout", 2}, Reason: "it hurts"}); err != nil || len(w.calls) != calls+1 {
			t.Errorf("the iteration that runs: %v, %d calls", err, len(w.calls)-calls)
		}
	})
}

// TestHandTurnsOffAnArm: a person's kill of one arm is carried out like a guard's, once,
// and the iteration goes on.
func TestHandTurnsOffAnArm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := threeArms()
		w.cells["treatment"] = [2]int64{6000, 300}
		w.armsOff = map[string]bool{"treatment": false, "control": false}
		off := func(arm string) (guardrails.Kill, error) {
			return w.hand(t).Kill(t.Context(), Off{Named: Named{"checkout", 1}, Arm: arm, Reason: "its texts are wrong"})
		}
		for _, arm := range []string{"control", "other", "nothing"} {
			if _, err := off(arm); !errors.Is(err, ErrArm) {
				t.Errorf("%s: %v", arm, err)
			}
		}
		k, err := off("treatment")
		if err != nil || k.State != guardrails.Verified || !k.Ended {
			t.Fatalf("%+v, %v", k, err)
		}
		if _, err := off("treatment"); !errors.Is(err, ErrKilled) {
			t.Errorf("twice: %v", err)
		}
		want := map[guardrails.EntryKind]int{guardrails.Decided: 1, guardrails.Sending: 1, guardrails.Accepted: 1, guardrails.Verified: 1, guardrails.ArmEnded: 1}
		if diff := cmp.Diff(want, w.kinds()); diff != "" {
			t.Error("entries by kind:", diff)
		}
		it := w.newestVersion().Experiments[0].Latest()
		if it.Killed != nil || it.ArmOff("treatment") == nil || len(w.calls) != 1 || w.calls[0].Arm != "treatment" || w.calls[0].Reason != "ada: its texts are wrong" {
			t.Errorf("killed %v, arms off %v, calls %+v", it.Killed, it.ArmsOff, w.calls)
		}
		if _, err := w.hand(t).Kill(t.Context(), Off{Named: Named{"checkout", 1}, Reason: "all of it"}); err != nil || !w.off {
			t.Errorf("the experiment as a whole, afterwards: %v, off %v", err, w.off)
		}
	})
}

// TestHandLeavesOneTreatment: the last treatment that is on is not turned off by itself.
func TestHandLeavesOneTreatment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.armsOff = map[string]bool{"treatment": false}
		_, err := w.hand(t).Kill(t.Context(), Off{Named: Named{Experiment: "checkout"}, Arm: "treatment", Reason: "why"})
		if !errors.Is(err, ErrArm) || len(w.entries) != 0 {
			t.Errorf("%v, %d entries", err, len(w.entries))
		}
	})
}

package watch

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// threeArms is a world with a second treatment, which does no harm.
func threeArms() *world {
	e := checkout()
	e.Variants = []experiment.Variant{{Key: "control", Share: .4}, {Key: "treatment", Share: .3}, {Key: "other", Share: .3}}
	it := &e.Iterations[0]
	it.Phases[0].Shares = []float64{.4, .3, .3}
	it.KillRules = 2
	w := newWorld(e)
	w.cells = map[string][2]int64{"control": {8000, 400}, "treatment": {6000, 1200}, "other": {6000, 300}}
	return w
}

// TestArmOff: where the switch has an off for the harmful arm, that arm alone is turned
// off: a phase begins with the accepted call in which its share is 0, and the iteration
// goes on. That it gets no units any more is seen.
func TestArmOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := threeArms()
		w.armsOff = map[string]bool{"treatment": false}
		w.run(t, Config{}, 0, 15*time.Minute)
		want := map[guardrails.EntryKind]int{guardrails.Decided: 1, guardrails.Sending: 1, guardrails.Accepted: 1,
			guardrails.Verified: 1, guardrails.ArmEnded: 1, guardrails.Effective: 1}
		if diff := cmp.Diff(want, w.kinds()); diff != "" {
			t.Error("entries by kind:", diff)
		}
		if len(w.calls) != 1 || w.calls[0].Arm != "treatment" || w.off {
			t.Errorf("calls %+v, all is off: %t", w.calls, w.off)
		}
		v := w.newestVersion()
		it := v.Experiments[0].Latest()
		last := it.Phases[len(it.Phases)-1]
		if it.Killed != nil || len(it.Phases) != 2 || !last.From.Equal(w.offAt.Truncate(time.Millisecond)) || last.Shares[1] != 0 {
			t.Errorf("killed %v, the last phase is %+v, the call was sent at %s", it.Killed, last, w.offAt)
		}
		if err := v.Validate(); err != nil {
			t.Error(err)
		}
		titles := w.alertTitles()
		if !titles["treatment of checkout: harm, turning it off"] || !titles["treatment of checkout is off"] {
			t.Errorf("people were told %v", titles)
		}
		if d := w.looks[len(w.looks)-1].Document; d.Kill != nil || len(d.ArmKills) != 1 || d.ArmKills[0].Arm != "treatment" || d.ArmKills[0].Effect != "effective" {
			t.Errorf("the results say %+v, %+v", d.Kill, d.ArmKills)
		}
	})
}

// TestArmsOff: the second arm that breaches is the last one that is on, so the experiment
// is turned off as a whole, although its switch has an off for that arm too.
func TestArmsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := threeArms()
		w.armsOff = map[string]bool{"treatment": false, "other": false}
		w.run(t, Config{}, 0, 10*time.Second)
		w.cells["other"] = [2]int64{6000, 1200}
		w.run(t, Config{}, 0, time.Minute)
		if len(w.calls) != 2 || w.calls[0].Arm != "treatment" || w.calls[1].Arm != "" {
			t.Errorf("calls %+v", w.calls)
		}
		if it := w.newestVersion().Experiments[0].Latest(); it.Killed == nil {
			t.Error("the iteration goes on without a treatment")
		}
	})
}

// TestNoArmOff: a switch without the breached arm turns off everything.
func TestNoArmOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := threeArms()
		w.armsOff = map[string]bool{"other": false}
		w.run(t, Config{}, 0, 10*time.Second)
		if len(w.calls) != 1 || w.calls[0].Arm != "" || w.newestVersion().Experiments[0].Latest().Killed == nil {
			t.Errorf("calls %+v", w.calls)
		}
	})
}

// TestArmOffWhereverItDies: an arm is turned off once, wherever the guard dies.
func TestArmOffWhereverItDies(t *testing.T) {
	run := func(dieAt int) (points int) {
		synctest.Test(t, func(t *testing.T) {
			w := threeArms()
			w.armsOff = map[string]bool{"treatment": false}
			points = w.run(t, Config{}, dieAt, 20*time.Second)
			w.run(t, Config{}, 0, time.Minute)
			n := w.kinds()
			if w.changes != 1 || n[guardrails.Decided] != 1 || n[guardrails.Verified] != 1 || n[guardrails.ArmEnded] != 1 || len(w.versions) != 2 {
				t.Errorf("died at %d: %d changes, %d versions, entries %v", dieAt, w.changes, len(w.versions), n)
			}
		})
		return points
	}
	points := run(0)
	for dieAt := 1; dieAt <= points; dieAt++ {
		run(dieAt)
	}
	if points < 10 {
		t.Errorf("only %d points to die at were tried", points)
	}
}

// TestArmOverridden: who turns an arm on again wants the iteration to go on as it is: the
// other arm's harm is told, and turns nothing off.
func TestArmOverridden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := threeArms()
		w.armsOff = map[string]bool{"treatment": false, "other": false}
		w.run(t, Config{}, 0, 10*time.Second)
		w.armsOff["treatment"] = false
		w.run(t, Config{}, 0, 2*time.Minute)
		if e := w.last(); e.Kind != guardrails.Overridden || !e.ArmOff || e.Arm != "treatment" {
			t.Fatalf("the last entry is %+v", e)
		}
		w.cells["other"] = [2]int64{6000, 1200}
		w.run(t, Config{}, 0, time.Minute)
		told := slices.ContainsFunc(w.entries, func(e guardrails.Entry) bool {
			return e.Arm == "other" && e.Act == guardrails.DoNotify && strings.Contains(e.Text, "somebody turned it on again")
		})
		if len(w.calls) != 1 || !told {
			t.Errorf("calls %+v, the harm of the other arm was told: %t", w.calls, told)
		}
	})
}

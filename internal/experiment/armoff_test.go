package experiment

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var threeArmEdits = []string{"{a: 50%, b: 50%}", "{a: 50%, b: 25%, c: 25%}"}

// threeArms is the base with a third arm.
func threeArms(t *testing.T) (*Set, *Version) {
	t.Helper()
	set := baseSet(t, threeArmEdits...)
	return set, mustApply(t, nil, set, day(t, "2026-03-01"))
}

// armOff is that with arm c off from the tenth at noon.
func armOff(t *testing.T) (*Set, *Version, time.Time) {
	t.Helper()
	set, v := threeArms(t)
	at := day(t, "2026-03-10").Add(12 * time.Hour)
	next, err := v.TurnOffArm("x", "c", at.Add(999*time.Microsecond), 41, "errors rose", "guard", at.Add(3*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return set, next, at
}

// TestTurnOffArm: a phase begins with the accepted call, in which the arm has no share,
// and it has none in those that follow. The iteration goes on.
func TestTurnOffArm(t *testing.T) {
	_, v, at := armOff(t)
	it := v.Find("x").Latest()
	if it.Killed != nil || !it.End.Equal(day(t, "2026-04-05")) {
		t.Errorf("killed %v, ends %s", it.Killed, it.End)
	}
	if diff := cmp.Diff([]ArmOff{{Variant: "c", At: at, Decision: 41, Reason: "errors rose"}}, it.ArmsOff); diff != "" {
		t.Error(diff)
	}
	third := []float64{.5, .25, .25}
	want := []Phase{
		{Number: 1, From: day(t, "2026-03-01"), Traffic: .1, Shares: third},
		{Number: 2, From: day(t, "2026-03-08"), Traffic: .5, Shares: third, Settle: defaultSettle},
		{Number: 3, From: at, Traffic: .5, Shares: []float64{2. / 3, 1. / 3, 0}, Settle: defaultSettle, Declared: third, ArmsOff: true},
		{Number: 4, From: day(t, "2026-03-22"), Traffic: 1, Shares: []float64{2. / 3, 1. / 3, 0}, Settle: defaultSettle, Declared: third},
	}
	if diff := cmp.Diff(want, it.Phases); diff != "" {
		t.Error(diff)
	}
	if err := v.Validate(); err != nil {
		t.Error(err)
	}
	_, before := threeArms(t)
	if !Counting(before, v, "x") {
		t.Error("a new phase changes what is counted")
	}
}

// TestApplyKeepsArmsOff: the file knows nothing of it. Applied again it changes nothing,
// at any time; a change of what is still to come holds, and the arm stays off.
func TestApplyKeepsArmsOff(t *testing.T) {
	set, v, at := armOff(t)
	for _, later := range []time.Duration{0, time.Hour, 10 * 24 * time.Hour, 60 * 24 * time.Hour} {
		next, changes, problems := Apply(v, set, at.Add(later), "operator")
		if next != nil || changes != nil || problems != nil {
			t.Errorf("%s later: %v %v %v", later, next, changes, problems)
		}
	}
	moved := baseSet(t, append([]string{"from: 2026-03-22", "from: 2026-03-25"}, threeArmEdits...)...)
	next, _, problems := Apply(v, moved, at.Add(time.Hour), "operator")
	if problems != nil || next == nil {
		t.Fatalf("a later phase cannot be moved: %v", problems)
	}
	it := next.Find("x").Latest()
	if len(it.Phases) != 4 || !it.Phases[2].ArmsOff || it.Phases[3].Shares[2] != 0 || !it.Phases[3].From.Equal(day(t, "2026-03-25")) {
		t.Errorf("phases %+v", it.Phases)
	}
	past := baseSet(t, append([]string{"traffic: 50%", "traffic: 60%"}, threeArmEdits...)...)
	if _, _, problems := Apply(v, past, at.Add(time.Hour), "operator"); len(problems) != 1 || problems[0].Rule != RulePast {
		t.Errorf("want the past kept, got %v", problems)
	}
}

// TestTurnOffArms: each arm once, the control never, and all treatments leave it alone.
func TestTurnOffArms(t *testing.T) {
	_, v, at := armOff(t)
	for name, c := range map[string]struct {
		key, arm string
		at       time.Time
		want     error
	}{
		"again":       {"x", "c", at.Add(time.Hour), ErrNoSuchArm},
		"the control": {"x", "a", at.Add(time.Hour), ErrNoSuchArm},
		"no such arm": {"x", "d", at.Add(time.Hour), ErrNoSuchArm},
		"unknown":     {"y", "b", at.Add(time.Hour), ErrUnknown},
		"before":      {"x", "b", day(t, "2026-02-01"), ErrNotRunning},
	} {
		if next, err := v.TurnOffArm(c.key, c.arm, c.at, 1, "r", "a", at); next != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	next, err := v.TurnOffArm("x", "b", at.Add(time.Hour), 50, "r", "guard", at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	it := next.Find("x").Latest()
	if got := it.Phases[len(it.Phases)-1].Shares; !cmp.Equal(got, []float64{1, 0, 0}) || len(it.Phases) != 5 {
		t.Errorf("%d phases, the last with shares %v", len(it.Phases), got)
	}
	if err := next.Validate(); err != nil {
		t.Error(err)
	}
}

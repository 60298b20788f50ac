package experiment

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const rampFile = `key: x
owner: o
variants: {a: 50%, b: 25%, c: 25%}
control: a
goals: [conversion]
guardrails: [{metric: error_rate, margin: 0, mode: notify}]
kill_switch: s
iterations:
  - start: 2026-03-01
    ramp:
      steps:
        - {traffic: 1%, for: 7d, units: 500}
        - {traffic: 10%, for: 8d, approval: true}
        - {traffic: 50%}
      on_breach: revert
`

func rampSet(t *testing.T, edits ...string) *Set {
	t.Helper()
	text := strings.NewReplacer(edits...).Replace(rampFile)
	return mustParse(t, append(load(t, "good/metrics/*.yaml"), File{Name: "experiments/x.yaml", Data: []byte(text)})...)
}

// ramped is the experiment at its second step, since the ninth at noon.
func ramped(t *testing.T) (*Version, time.Time) {
	t.Helper()
	v := mustApply(t, nil, rampSet(t), day(t, "2026-03-01"))
	at := day(t, "2026-03-09").Add(12 * time.Hour)
	next, err := v.BeginStep("x", 2, 0.1, at.Add(999*time.Microsecond), 7, "every guardrail is healthy", "guard", at.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return next, at
}

func TestRampOfAFile(t *testing.T) {
	it := mustApply(t, nil, rampSet(t), day(t, "2026-03-01")).Find("x").Latest()
	want := &Ramp{OnBreach: RevertOnBreach, Steps: []RampStep{
		{Traffic: .01, For: Duration(7 * 24 * time.Hour), Units: 500}, {Traffic: .1, For: Duration(8 * 24 * time.Hour), Approval: true, Settle: defaultSettle}, {Traffic: .5, Settle: defaultSettle}}}
	if diff := cmp.Diff(want, it.Ramp); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Phase{{Number: 1, From: it.Start, Shares: []float64{.5, .25, .25}, Traffic: .01, Step: 1}}, it.Phases); diff != "" {
		t.Error(diff)
	}
}

// TestBeginStep: a step is a phase with the split that there was, in no file, and an
// apply of the same file changes nothing, ever.
func TestBeginStep(t *testing.T) {
	v, at := ramped(t)
	it := v.Find("x").Latest()
	third := []float64{.5, .25, .25}
	want := []Phase{
		{Number: 1, From: it.Start, Shares: third, Traffic: .01, Step: 1},
		{Number: 2, From: at, Shares: third, Traffic: .1, Settle: defaultSettle, Step: 2, Decision: 7},
	}
	if diff := cmp.Diff(want, it.Phases); diff != "" {
		t.Error(diff)
	}
	for _, later := range []time.Duration{0, time.Hour, 12 * 24 * time.Hour, 60 * 24 * time.Hour} {
		if next, changes, problems := Apply(v, rampSet(t), at.Add(later), "operator"); next != nil || problems != nil {
			t.Errorf("%s later: %v %v", later, changes, problems)
		}
	}
	for when, want := range map[time.Time]int{at.Add(-time.Millisecond): 1, at: 2, at.Add(time.Hour): 2, it.Start.Add(-time.Hour): 0} {
		if step, _, _ := it.RampAt(when); step != want {
			t.Errorf("at %s it is at step %d, want %d", when, step, want)
		}
	}
	if again, err := Decode(Encode(v)); err != nil || Hash(again) != Hash(v) {
		t.Errorf("read again: %v", err)
	}
}

// TestStepsOfNearlyTheSameTime: clocks of two guards differ, phases stay in order.
func TestStepsOfNearlyTheSameTime(t *testing.T) {
	v, at := ramped(t)
	next, err := v.BeginStep("x", 3, 0.5, at, 9, "", "guard", at)
	if err != nil {
		t.Fatal(err)
	}
	phases := next.Find("x").Latest().Phases
	if !phases[2].From.Equal(at.Add(time.Millisecond)) || next.Validate() != nil {
		t.Errorf("phases %+v", phases)
	}
}

func TestRevertRamp(t *testing.T) {
	v, at := ramped(t)
	at = at.Add(time.Hour)
	next, err := v.RevertRamp("x", at, 8, "errors rose", "guard", at)
	if err != nil {
		t.Fatal(err)
	}
	it := next.Find("x").Latest()
	last := it.Phases[2]
	if last.Traffic != 0 || !last.Reverted || last.Step != 2 || last.Decision != 8 || next.Validate() != nil {
		t.Errorf("phase %+v", last)
	}
	if step, since, reverted := it.RampAt(at); step != 2 || !since.Equal(at) || !reverted {
		t.Errorf("step %d since %s, reverted %v", step, since, reverted)
	}
	if numbers := it.StepPhases(2); len(numbers) != 1 || numbers[0] != 2 {
		t.Errorf("the step's phases are %v", numbers)
	}
	for name, err := range map[string]error{
		"a step after it": second(next.BeginStep("x", 3, .5, at.Add(time.Hour), 9, "", "guard", at.Add(time.Hour))),
		"another revert":  second(next.RevertRamp("x", at.Add(time.Hour), 9, "", "guard", at.Add(time.Hour))),
	} {
		if !errors.Is(err, ErrRampStep) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if next2, changes, problems := Apply(next, rampSet(t), at.Add(24*time.Hour), "operator"); next2 != nil || problems != nil {
		t.Errorf("applied again: %v %v", changes, problems)
	}
}

func second(_ *Version, err error) error { return err }

func TestRampSteps(t *testing.T) {
	v, at := ramped(t)
	for name, try := range map[string]error{
		"the same step":     second(v.BeginStep("x", 2, .1, at.Add(time.Hour), 9, "", "g", at)),
		"a step too far":    second(v.BeginStep("x", 4, .9, at.Add(time.Hour), 9, "", "g", at)),
		"after enrol_until": second(v.BeginStep("x", 3, .5, at.Add(30*24*time.Hour), 9, "", "g", at)),
		"no ramp":           second(base(t).BeginStep("x", 2, .5, day(t, "2026-03-10"), 9, "", "g", at)),
	} {
		if try == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestArmOffWithinAStep: the step goes on in another phase, and the next begins without
// the arm.
func TestArmOffWithinAStep(t *testing.T) {
	v, at := ramped(t)
	v, err := v.TurnOffArm("x", "c", at.Add(time.Hour), 8, "errors", "guard", at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	it := v.Find("x").Latest()
	if diff := cmp.Diff([]uint16{2, 3}, it.StepPhases(2)); diff != "" {
		t.Error(diff)
	}
	if step, since, _ := it.RampAt(at.Add(2 * time.Hour)); step != 2 || !since.Equal(at) {
		t.Errorf("step %d since %s", step, since)
	}
	if v, err = v.BeginStep("x", 3, .5, at.Add(3*time.Hour), 9, "", "guard", at.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	it = v.Find("x").Latest()
	if p := it.Phases[3]; p.Step != 3 || p.Traffic != .5 || p.Shares[2] != 0 || p.Declared == nil {
		t.Errorf("phase %+v", p)
	}
	if err := v.Validate(); err != nil {
		t.Error(err)
	}
	if next, changes, problems := Apply(v, rampSet(t), at.Add(4*time.Hour), "operator"); next != nil || problems != nil {
		t.Errorf("applied again: %v %v", changes, problems)
	}
}

// TestEditsOfARunningRamp: what was is kept, what is to come is free.
func TestEditsOfARunningRamp(t *testing.T) {
	v, at := ramped(t)
	free := map[string][]string{
		"a later step":       {"traffic: 50%}", "traffic: 40%}"},
		"a condition":        {"for: 8d, approval: true", "for: 9d"},
		"one more step":      {"- {traffic: 50%}", "- {traffic: 50%, for: 7d}\n        - {traffic: 100%}"},
		"what a breach does": {"revert", "hold"},
		"the last step out":  {"        - {traffic: 50%}\n", "", "for: 8d, approval: true", ""},
	}
	for name, edit := range free {
		if name == "the last step out" {
			edit = []string{"        - {traffic: 50%}\n", "", "{traffic: 10%, for: 8d, approval: true}", "{traffic: 10%}"}
		}
		next, changes, problems := Apply(v, rampSet(t, edit...), at.Add(time.Hour), "operator")
		if problems != nil || next == nil || len(changes) != 1 {
			t.Errorf("%s: %v %v", name, changes, problems)
			continue
		}
		if diff := cmp.Diff(v.Find("x").Latest().Phases, next.Find("x").Latest().Phases); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if Counting(v, next, "x") {
			t.Errorf("%s changes what is counted", name)
		}
	}
	for name, edit := range map[string][]string{
		"a step that has begun": {"traffic: 1%,", "traffic: 2%,"},
		"one that is in force":  {"traffic: 10%,", "traffic: 11%,"},
		"the ramp out":          {"    ramp:\n      steps:\n", "    phases:\n", "{traffic: 1%, for: 7d, units: 500}", "{traffic: 1%}", "        - {traffic: 10%, for: 8d, approval: true}\n", "", "        - {traffic: 50%}\n", "", "      on_breach: revert\n", ""},
	} {
		if next, _, problems := Apply(v, rampSet(t, edit...), at.Add(time.Hour), "operator"); problems == nil || problems[0].Rule != RulePast {
			t.Errorf("%s: %v %v", name, next, problems)
		}
	}
}

// TestRampIntoARunningIteration: it began without one.
func TestRampIntoARunningIteration(t *testing.T) {
	plain, _, _ := strings.Cut(rampFile, "    ramp:")
	set := mustParse(t, append(load(t, "good/metrics/*.yaml"), File{Name: "experiments/x.yaml", Data: []byte(plain)})...)
	v := mustApply(t, nil, set, day(t, "2026-03-01"))
	if _, _, problems := Apply(v, rampSet(t), day(t, "2026-03-02"), "operator"); problems == nil || problems[0].Rule != RulePast {
		t.Errorf("%v", problems)
	}
}

// TestResumeAfterARevert: the traffic is the one of before.
func TestResumeAfterARevert(t *testing.T) {
	v, at := ramped(t)
	v, err := v.RevertRamp("x", at.Add(time.Hour), 8, "", "guard", at.Add(time.Hour))
	if err == nil {
		v, err = v.Kill("x", at.Add(2*time.Hour), 9, "", "alice", at.Add(2*time.Hour))
	}
	if err == nil {
		v, err = v.Resume("x", 0, "mended", "alice", at.Add(3*time.Hour))
	}
	if err != nil {
		t.Fatal(err)
	}
	it := v.Find("x").Latest()
	if it.Ramp != nil || it.Phases[0].Traffic != .1 || it.Phases[0].Step != 0 || v.Validate() != nil {
		t.Errorf("%+v", it)
	}
}

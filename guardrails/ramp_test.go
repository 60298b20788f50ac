package guardrails_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

func threeSteps() *experiment.Ramp {
	return &experiment.Ramp{OnBreach: experiment.HoldOnBreach, Steps: []experiment.RampStep{
		{Traffic: .01, For: experiment.Duration(time.Hour), Units: 500}, {Traffic: .1, Approval: true}, {Traffic: .5}}}
}

// good is a first step that may be left.
func good() guardrails.RampFacts {
	rule := guardrails.Rule{Metric: "errors", Arm: "treatment", Mode: experiment.Notify}
	return guardrails.RampFacts{
		At: begin().Add(2 * time.Hour), Step: 1, Since: begin(), Settle: 10 * time.Minute, EnrolUntil: begin().Add(30 * 24 * time.Hour), Units: 500,
		Verdicts: []guardrails.Verdict{{Rule: rule, Kind: guardrails.Healthy, Reason: guardrails.NonInferior}},
	}
}

func moved(state guardrails.EntryKind, ended bool, m guardrails.Move) guardrails.Kill {
	return guardrails.Kill{Decided: guardrails.Entry{Kind: guardrails.RampAdvance, Ramp: &m, At: begin(), Text: "so it was decided"}, State: state, Ended: ended, Touched: begin(), Text: "no"}
}

// TestStepRamp: each reason, what it takes, and that nothing but a good step moves.
func TestStepRamp(t *testing.T) {
	say := func(k guardrails.Kind, r guardrails.Reason) func(*guardrails.RampFacts) {
		return func(f *guardrails.RampFacts) { f.Verdicts[0].Kind, f.Verdicts[0].Reason = k, r }
	}
	toTen := guardrails.Move{Step: 2, Was: .01, Traffic: .1}
	tests := map[guardrails.RampReason]func(*guardrails.RampFacts){
		guardrails.RampSettling:  func(f *guardrails.RampFacts) { f.At = begin().Add(9 * time.Minute) },
		guardrails.RampTime:      func(f *guardrails.RampFacts) { f.At = begin().Add(70*time.Minute - time.Millisecond) },
		guardrails.RampUnits:     func(f *guardrails.RampFacts) { f.Units = 499 },
		guardrails.RampUndecided: say(guardrails.Inconclusive, guardrails.FewEvents),
		guardrails.RampBreached:  say(guardrails.Breached, guardrails.Latched),
		guardrails.RampBlind:     say(guardrails.Blind, guardrails.Stale),
		guardrails.RampError:     say(guardrails.Error, guardrails.Overflow),
		guardrails.RampSplit: func(f *guardrails.RampFacts) {
			say(guardrails.Inconclusive, guardrails.SplitBroken)(f)
			f.Verdicts[0].Text = "the split of phase 1 is broken"
		},
		guardrails.RampCrossovers:    func(f *guardrails.RampFacts) { f.Crossing = "9 of 10" },
		guardrails.RampMismatch:      func(f *guardrails.RampFacts) { f.Mismatch = "9 of 10" },
		guardrails.RampSignal:        func(f *guardrails.RampFacts) { f.Signal = "p99 is above its limit" },
		guardrails.RampApproval:      func(f *guardrails.RampFacts) { f.Step, f.Units = 2, 2 },
		guardrails.RampPaused:        func(f *guardrails.RampFacts) { f.Log.Paused = &guardrails.Entry{Actor: "ada", Text: "lunch"} },
		guardrails.RampSnoozed:       func(f *guardrails.RampFacts) { f.Stopped = "all kills wait" },
		guardrails.RampRetrospective: func(f *guardrails.RampFacts) { f.Limit = "retrospective" },
		guardrails.RampNoSwitch:      func(f *guardrails.RampFacts) { f.Unable = "flipt has no gradual rollout" },
		guardrails.RampDrift:         func(f *guardrails.RampFacts) { f.Drift = "it has 37 %" },
		guardrails.RampUnread:        func(f *guardrails.RampFacts) { f.Unread = "401" },
		guardrails.RampDenied:        func(f *guardrails.RampFacts) { f.Log.Last = moved(guardrails.Denied, false, toTen) },
		guardrails.RampPending:       func(f *guardrails.RampFacts) { f.Log.Last = moved(guardrails.PendingApproval, false, toTen) },
		guardrails.RampFailed:        func(f *guardrails.RampFacts) { f.Log.Last = moved(guardrails.Failed, false, toTen) },
		guardrails.RampMoving:        func(f *guardrails.RampFacts) { f.Log.Last = moved(guardrails.Verified, false, toTen) },
		guardrails.RampStale:         func(f *guardrails.RampFacts) { f.Stale = "nobody looks after it" },
		guardrails.RampEnded:         func(f *guardrails.RampFacts) { f.EnrolUntil = f.At },
		guardrails.RampKilled:        func(f *guardrails.RampFacts) { f.Log.Killing = true },
		guardrails.RampReverting: func(f *guardrails.RampFacts) {
			f.Log.Last = moved(guardrails.Accepted, false, guardrails.Move{Step: 1, Revert: true})
		},
		guardrails.RampRevertFailed: func(f *guardrails.RampFacts) {
			f.Log.Last = moved(guardrails.Failed, false, guardrails.Move{Step: 1, Revert: true})
		},
		guardrails.RampHarm: func(f *guardrails.RampFacts) {
			f.Reverted, f.Log.Last = true, moved(guardrails.Verified, true, guardrails.Move{Step: 1, Revert: true})
		},
		guardrails.RampByHand: func(f *guardrails.RampFacts) {
			f.Reverted, f.Log.Last = true, moved(guardrails.Verified, true, guardrails.Move{Step: 1, Revert: true, ByHand: true})
		},
	}
	for reason, state := range guardrails.RampReasons() {
		spoil, ok := tests[reason]
		if !ok {
			t.Errorf("%s is not tried", reason)
			continue
		}
		f := good()
		spoil(&f)
		if got := guardrails.StepRamp(threeSteps(), f); got.State != state || got.Reason != reason || got.Move != nil || got.Text == "" {
			t.Errorf("%s: %+v, want %s", reason, got, state)
		}
	}
	if got := guardrails.StepRamp(threeSteps(), good()); got.State != guardrails.RampAdvancing || got.Move == nil || *got.Move != toTen {
		t.Errorf("a good step: %+v", got)
	}
	last := good()
	last.Step = 3
	if got := guardrails.StepRamp(threeSteps(), last); got.State != guardrails.RampDone || got.Move != nil {
		t.Errorf("the last step: %+v", got)
	}
}

// TestApprovalIsOfAStep: it is for one step with one traffic, and lets no guardrail by.
func TestApprovalIsOfAStep(t *testing.T) {
	f := good()
	f.Step, f.Units = 2, 2
	for _, test := range []struct {
		approved guardrails.Move
		want     guardrails.RampReason
	}{
		{guardrails.Move{Step: 3, Traffic: .5}, guardrails.RampMoving},
		{guardrails.Move{Step: 3, Traffic: .4}, guardrails.RampApproval}, // the file was edited since
		{guardrails.Move{Step: 2, Traffic: .1}, guardrails.RampApproval},
	} {
		f.Log.Approved = &test.approved
		if got := guardrails.StepRamp(threeSteps(), f); got.Reason != test.want {
			t.Errorf("%+v: %+v", test.approved, got)
		}
	}
	f.Log.Approved = &guardrails.Move{Step: 3, Traffic: .5}
	f.Verdicts[0].Kind = guardrails.Inconclusive
	if got := guardrails.StepRamp(threeSteps(), f); got.Reason != guardrails.RampUndecided {
		t.Errorf("approved and undecided: %+v", got)
	}
}

// TestRevertOnBreach: where the file says so, by a rule that notifies; one that kills
// kills, one that observes only holds, and a stop holds everything.
func TestRevertOnBreach(t *testing.T) {
	r := threeSteps()
	r.OnBreach = experiment.RevertOnBreach
	f := good()
	f.Verdicts[0].Kind, f.Verdicts[0].Reason = guardrails.Breached, guardrails.Harm
	want := guardrails.Move{Step: 1, Was: .01, Revert: true}
	if got := guardrails.StepRamp(r, f); got.Move == nil || *got.Move != want || got.State != guardrails.RampReverted {
		t.Errorf("%+v", got)
	}
	f.Log.Last = moved(guardrails.Sending, false, guardrails.Move{Step: 2, Was: .01, Traffic: .1})
	if got := guardrails.StepRamp(r, f); got.Move == nil || !got.Move.Revert {
		t.Errorf("while a step is on its way: %+v", got)
	}
	f.Log = guardrails.RampLog{}
	for _, mode := range []experiment.Mode{experiment.Observe, experiment.Kill} {
		g := f
		g.Verdicts = slices.Clone(f.Verdicts)
		g.Verdicts[0].Rule.Mode = mode
		if got := guardrails.StepRamp(r, g); got.Move != nil || got.Reason != guardrails.RampBreached {
			t.Errorf("mode %s: %+v", mode, got)
		}
	}
	f.Stopped = "all kills wait"
	if got := guardrails.StepRamp(r, f); got.Move != nil || got.State != guardrails.RampHeld {
		t.Errorf("stopped: %+v", got)
	}
}

func anyRampFacts() *rapid.Generator[guardrails.RampFacts] {
	return rapid.Custom(func(t *rapid.T) guardrails.RampFacts {
		f := good()
		f.Step = rapid.IntRange(1, 3).Draw(t, "step")
		f.At = begin().Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "minutes")) * time.Minute)
		f.Units = rapid.SampledFrom([]int64{0, 2, 499, 500, 10000}).Draw(t, "units")
		f.Verdicts = nil
		for range rapid.IntRange(0, 3).Draw(t, "rules") {
			kind := rapid.SampledFrom([]guardrails.Kind{guardrails.Healthy, guardrails.Healthy, guardrails.Healthy, guardrails.Inconclusive, guardrails.Breached, guardrails.Blind, guardrails.Error}).Draw(t, "verdict")
			mode := rapid.SampledFrom([]experiment.Mode{experiment.Observe, experiment.Notify, experiment.Kill}).Draw(t, "mode")
			f.Verdicts = append(f.Verdicts, guardrails.Verdict{Kind: kind, Rule: guardrails.Rule{Mode: mode}})
		}
		some := func(what string) bool { return rapid.IntRange(0, 5).Draw(t, what) == 0 }
		f.Reverted, f.Killed = some("reverted"), some("killed")
		for name, text := range map[string]*string{"mismatch": &f.Mismatch, "crossing": &f.Crossing, "unable": &f.Unable, "stopped": &f.Stopped, "limit": &f.Limit, "signal": &f.Signal} {
			if some(name) {
				*text = name
			}
		}
		if some("paused") {
			f.Log.Paused = &guardrails.Entry{}
		}
		f.Log.Killing = some("killing")
		if some("approved") {
			f.Log.Approved = &guardrails.Move{Step: 3, Traffic: .5}
		}
		return f
	})
}

// TestRampNeverGrowsOnDoubt: whatever a look shows, a step begins only when everything
// that the law asks for is so; it is the next one; and the evidence decides the same.
func TestRampNeverGrowsOnDoubt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, f := threeSteps(), anyRampFacts().Draw(t, "facts")
		r.OnBreach = rapid.SampledFrom([]experiment.OnBreach{experiment.HoldOnBreach, experiment.RevertOnBreach}).Draw(t, "on_breach")
		got := guardrails.StepRamp(r, f)
		if state, listed := guardrails.RampReasons()[got.Reason]; got.Reason != "" && (!listed || state != got.State && got.Move == nil) {
			t.Fatalf("%s (%s)", got.State, got.Reason)
		}
		if got.Move == nil {
			return
		}
		b, err := json.Marshal(guardrails.RampEvidence{Ramp: r, Facts: f, Approved: f.Log.Approved})
		var again guardrails.RampEvidence
		if err == nil {
			err = json.Unmarshal(b, &again)
		}
		if diff := cmp.Diff(got, again.Replay()); err != nil || diff != "" {
			t.Fatalf("%v %s", err, diff)
		}
		if got.Move.Revert {
			if r.OnBreach != experiment.RevertOnBreach || f.Stopped != "" || !slices.ContainsFunc(f.Verdicts, func(v guardrails.Verdict) bool { return v.Kind == guardrails.Breached }) {
				t.Fatalf("reverted: %+v", got)
			}
			return
		}
		healthy := len(f.Verdicts) > 0
		for _, v := range f.Verdicts {
			healthy = healthy && v.Kind == guardrails.Healthy
		}
		step := r.Steps[f.Step-1]
		switch {
		case !healthy, f.Reverted, f.Killed, f.Log.Killing, f.Log.Paused != nil, f.Mismatch+f.Crossing+f.Unable+f.Stopped+f.Limit+f.Signal != "",
			f.Units < max(step.Units, 2), f.At.Before(f.Since.Add(f.Settle + step.For.Std())), step.Approval && f.Log.Approved == nil:
			t.Fatalf("advanced on %+v", f)
		case got.Move.Step != f.Step+1 || got.Move.Traffic != r.Steps[f.Step].Traffic:
			t.Fatalf("to %+v from step %d", got.Move, f.Step)
		}
	})
}

// TestMayMove: what is asked at the moment of writing.
func TestMayMove(t *testing.T) {
	next := guardrails.Move{Step: 2, Was: .01, Traffic: .1}
	back := guardrails.Move{Step: 1, Was: .01, Revert: true}
	byHand := back
	byHand.ByHand = true
	line := func(kind guardrails.EntryKind, decision uint64, m guardrails.Move) guardrails.Entry {
		return guardrails.Entry{Kind: kind, Experiment: "e", Iteration: 1, Decision: decision, Ramp: &m, At: begin()}
	}
	later := func(e guardrails.Entry) guardrails.Entry { e.At = e.At.Add(time.Minute); return e }
	tests := map[string]struct {
		log                  []guardrails.Entry
		advance, revert, man bool
	}{
		"nothing":         {nil, true, true, true},
		"another is open": {[]guardrails.Entry{line(guardrails.RampAdvance, 1, next), line(guardrails.Accepted, 1, next)}, false, true, true},
		"it has begun":    {[]guardrails.Entry{line(guardrails.RampAdvance, 1, next), line(guardrails.Verified, 1, next), line(guardrails.PhaseBegun, 1, next)}, false, true, true},
		"it was denied":   {[]guardrails.Entry{line(guardrails.RampAdvance, 1, next), line(guardrails.Denied, 1, next)}, false, true, true},
		"and resumed":     {[]guardrails.Entry{line(guardrails.RampAdvance, 1, next), line(guardrails.Denied, 1, next), later(line(guardrails.RampResume, 0, next))}, true, true, true},
		"paused":          {[]guardrails.Entry{line(guardrails.RampPause, 0, next)}, false, true, true},
		"reverting":       {[]guardrails.Entry{line(guardrails.RampRevert, 1, back)}, false, false, false},
		"reverted":        {[]guardrails.Entry{line(guardrails.RampRevert, 1, back), line(guardrails.Verified, 1, back), line(guardrails.PhaseBegun, 1, back)}, false, false, false},
		"revert failed":   {[]guardrails.Entry{line(guardrails.RampRevert, 1, back), line(guardrails.Failed, 1, back)}, false, false, true},
		"killed":          {[]guardrails.Entry{{Kind: guardrails.Decided, Act: guardrails.DoKill, Experiment: "e", Iteration: 1, At: begin()}}, false, false, false},
		"snoozed":         {[]guardrails.Entry{{Kind: guardrails.Snoozed, Experiment: "e", At: begin(), Until: begin().Add(time.Hour)}}, false, false, true},
		"another one's":   {[]guardrails.Entry{{Kind: guardrails.RampRevert, Experiment: "e", Iteration: 2, Ramp: &back}}, true, true, true},
	}
	for name, test := range tests {
		log := guardrails.Log{}
		for i, e := range test.log {
			e.Seq = uint64(i + 1)
			log.Add(e)
		}
		for move, want := range map[guardrails.Move]bool{next: test.advance, back: test.revert, byHand: test.man} {
			if got := log.MayMove("e", 1, move, begin().Add(2*time.Minute)); got != want {
				t.Errorf("%s: %+v may %v, want %v", name, move, got, want)
			}
		}
	}
}

// TestReplayOfAMove: a line of the log decides the same again, and one whose evidence was
// touched does not.
func TestReplayOfAMove(t *testing.T) {
	for want, edit := range map[bool]func(*guardrails.RampFacts){true: func(*guardrails.RampFacts) {}, false: func(f *guardrails.RampFacts) { f.Units = 3 }} {
		f := good()
		edit(&f)
		evidence, err := json.Marshal(guardrails.RampEvidence{Ramp: threeSteps(), Facts: f})
		if err != nil {
			t.Fatal(err)
		}
		e := guardrails.Entry{Seq: 7, Kind: guardrails.RampAdvance, Ramp: &guardrails.Move{Step: 2, Was: .01, Traffic: .1}, Evidence: evidence}
		r, err := e.Replay()
		if err != nil || r.Same() != want {
			t.Errorf("same %v, want %v: %+v, %v", r.Same(), want, r.Differences, err)
		}
	}
}

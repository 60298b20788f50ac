package guardrails_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
)

// TestRestrain holds what remains of a kill after everything that was decided.
func TestRestrain(t *testing.T) {
	now := begin().Add(time.Hour)
	kill := func(seq uint64, experiment, guardrail string, ago time.Duration) guardrails.Entry {
		return guardrails.Entry{Seq: seq, Kind: guardrails.Decided, Act: guardrails.DoKill, Experiment: experiment,
			Iteration: 1, Guardrail: guardrail, Arm: "treatment", At: now.Add(-ago)}
	}
	ended := func(seq, decision uint64, how guardrails.EntryKind) guardrails.Entry {
		return guardrails.Entry{Seq: seq, Kind: how, Experiment: "e", Iteration: 1, Decision: decision, At: now}
	}
	snoozed := func(seq uint64, experiment string, left time.Duration) guardrails.Entry {
		return guardrails.Entry{Seq: seq, Kind: guardrails.Snoozed, Experiment: experiment, Actor: "ada", Text: "why", At: now.Add(-time.Minute), Until: now.Add(left)}
	}
	held := guardrails.Entry{Seq: 3, Kind: guardrails.Held, Act: guardrails.DoNotify, Experiment: "e", Iteration: 1, Guardrail: "m", Arm: "treatment", At: now}
	latched := guardrails.State{Latch: &guardrails.Latch{Act: guardrails.DoNotify}}
	armKill := func(seq uint64, arm string) guardrails.Entry {
		e := kill(seq, "e", "other", time.Minute)
		e.Arm, e.ArmOff = arm, true
		return e
	}
	tests := map[string]struct {
		log    []guardrails.Entry
		act    guardrails.Act
		before guardrails.State
		limits guardrails.Limits
		want   guardrails.Outcome
	}{
		"nothing to do":                {act: guardrails.DoNothing},
		"a first kill":                 {act: guardrails.DoKill, want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
		"a notice":                     {act: guardrails.DoNotify, want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Decided}},
		"a notice given":               {act: guardrails.DoNotify, before: latched},
		"a kill after a notice":        {act: guardrails.DoKill, before: latched, want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
		"another rule has decided":     {log: []guardrails.Entry{kill(1, "e", "other", time.Second)}, act: guardrails.DoKill, want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Decided, Why: "the experiment is already being turned off"}},
		"another has, and it was told": {log: []guardrails.Entry{kill(1, "e", "other", time.Second)}, act: guardrails.DoKill, before: latched},
		"a person has decided":         {log: []guardrails.Entry{kill(1, "e", "", time.Second)}, act: guardrails.DoKill, want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Decided, Why: "the experiment is already being turned off"}},
		"a person's kill failed":       {log: []guardrails.Entry{kill(1, "e", "", time.Second), ended(2, 1, guardrails.Failed)}, act: guardrails.DoKill, want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
		"another rule's was denied":    {log: []guardrails.Entry{kill(1, "e", "other", time.Second), ended(2, 1, guardrails.Denied)}, act: guardrails.DoKill, want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
		"its own was denied":           {log: []guardrails.Entry{kill(1, "e", "m", time.Second), ended(2, 1, guardrails.Denied)}, act: guardrails.DoKill, before: guardrails.State{Latch: &guardrails.Latch{Act: guardrails.DoKill}}},
		"another rule's waits":         {log: []guardrails.Entry{kill(1, "e", "other", time.Second), ended(2, 1, guardrails.PendingApproval)}, act: guardrails.DoKill, want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Decided, Why: "a kill waits for approval in the flag system"}},
		"another rule's is done":       {log: []guardrails.Entry{kill(1, "e", "other", time.Second), ended(2, 1, guardrails.Verified)}, act: guardrails.DoKill, want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Decided, Why: "the experiment is off already"}},
		"its arm is off": {log: []guardrails.Entry{armKill(1, "treatment"), ended(2, 1, guardrails.Verified)}, act: guardrails.DoKill,
			want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Decided, Why: "treatment is off already"}},
		"its arm could not be turned off": {log: []guardrails.Entry{armKill(1, "treatment"), ended(2, 1, guardrails.Denied)}, act: guardrails.DoKill,
			want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
		"another arm is off": {log: []guardrails.Entry{armKill(1, "b"), ended(2, 1, guardrails.Verified)}, act: guardrails.DoKill,
			want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
		"another arm was turned on again": {log: []guardrails.Entry{armKill(1, "b"), ended(2, 1, guardrails.Verified), ended(3, 1, guardrails.Overridden)}, act: guardrails.DoKill,
			want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Decided, Why: "somebody turned it on again after a kill, and no guard does it twice"}},
		"the global stop": {act: guardrails.DoKill, limits: guardrails.Limits{GlobalStop: true}, want: guardrails.Outcome{Act: guardrails.DoObserve, Kind: guardrails.Decided, Why: "all kills are stopped by the operator"}},
		"the cap is reached": {log: []guardrails.Entry{kill(1, "a", "m", time.Minute), kill(2, "b", "m", 59*time.Minute)}, act: guardrails.DoKill, limits: guardrails.Limits{PerHour: 2},
			want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Held, Why: "too many kills within an hour: suspect the data"}},
		"held before":         {log: []guardrails.Entry{kill(1, "a", "m", time.Minute), kill(2, "b", "m", 59*time.Minute), held}, act: guardrails.DoKill, limits: guardrails.Limits{PerHour: 2}},
		"the hour has passed": {log: []guardrails.Entry{kill(1, "a", "m", time.Minute), kill(2, "b", "m", 60*time.Minute), held}, act: guardrails.DoKill, limits: guardrails.Limits{PerHour: 2}, want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
		"snoozed": {log: []guardrails.Entry{snoozed(1, "e", time.Minute)}, act: guardrails.DoKill,
			want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Decided, Why: "automatic kills of it are snoozed until 2026-03-01T13:01:00Z by ada (why)"}},
		"snoozed, and told":  {log: []guardrails.Entry{snoozed(1, "e", time.Minute)}, act: guardrails.DoKill, before: latched},
		"another is snoozed": {log: []guardrails.Entry{snoozed(1, "f", time.Minute)}, act: guardrails.DoKill, want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
		"a snooze is over":   {log: []guardrails.Entry{snoozed(1, "e", 0)}, act: guardrails.DoKill, want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
		"a snooze was ended": {log: []guardrails.Entry{snoozed(1, "e", time.Hour), snoozed(2, "e", -time.Hour)}, act: guardrails.DoKill, want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
		"a snooze of another was not": {log: []guardrails.Entry{snoozed(1, "", time.Minute), snoozed(2, "e", -time.Hour)}, act: guardrails.DoKill,
			want: guardrails.Outcome{Act: guardrails.DoObserve, Kind: guardrails.Decided, Why: "all automatic kills are snoozed until 2026-03-01T13:01:00Z by ada (why)"}},
		"a notice while all wait": {log: []guardrails.Entry{snoozed(1, "", time.Minute)}, act: guardrails.DoNotify, want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Decided}},
		"somebody turned it on again": {log: []guardrails.Entry{kill(1, "e", "other", time.Hour), ended(2, 1, guardrails.Verified), ended(3, 1, guardrails.Overridden)}, act: guardrails.DoKill,
			want: guardrails.Outcome{Act: guardrails.DoNotify, Kind: guardrails.Decided, Why: "somebody turned it on again after a kill, and no guard does it twice"}},
		"kills by hand are no storm": {log: []guardrails.Entry{kill(1, "a", "", time.Minute), kill(2, "b", "", time.Minute)}, act: guardrails.DoKill, limits: guardrails.Limits{PerHour: 2},
			want: guardrails.Outcome{Act: guardrails.DoKill, Kind: guardrails.Decided}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var log guardrails.Log
			for _, e := range test.log {
				log.Add(e)
			}
			v := guardrails.Verdict{Rule: guardrails.Rule{Experiment: "e", Iteration: 1, Metric: "m", Arm: "treatment"}, Act: test.act}
			if diff := cmp.Diff(test.want, log.Restrain(v, test.before, test.limits, now)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestKillKey: the key depends on each part of what identifies a decision.
func TestKillKey(t *testing.T) {
	keys := map[string]bool{}
	for _, key := range []string{
		guardrails.KillKey("e", 1, "m/a", 5), guardrails.KillKey("f", 1, "m/a", 5), guardrails.KillKey("e", 2, "m/a", 5),
		guardrails.KillKey("e", 1, "m/b", 5), guardrails.KillKey("e", 1, "m/a", 6),
	} {
		keys[key] = true
	}
	if len(keys) != 5 {
		t.Errorf("%d different keys, want 5", len(keys))
	}
	if again := guardrails.KillKey("e", 1, "m/a", 5); !keys[again] {
		t.Error("the same decision has two keys")
	}
}

func TestStepSRM(t *testing.T) {
	splits := []guardrails.Split{{Phase: 1, P: .005, Threshold: .005}, {Phase: 2, P: .001, Threshold: .0025}}
	after, raised := guardrails.StepSRM(nil, splits, begin())
	if len(raised) != 1 || raised[0].Phase != 2 || len(after) != 1 {
		t.Fatalf("raised %+v: phase 1 is at its threshold, phase 2 below", raised)
	}
	after[0].Acknowledged = begin()
	after, raised = guardrails.StepSRM(after, splits, begin())
	if len(raised) != 0 || len(guardrails.OpenPhases(after)) != 0 {
		t.Errorf("an acknowledged alarm was raised again: %+v", raised)
	}
}

func TestOverall(t *testing.T) {
	of := func(kinds ...guardrails.Kind) guardrails.Kind {
		var vs []guardrails.Verdict
		for _, k := range kinds {
			vs = append(vs, guardrails.Verdict{Kind: k})
		}
		return guardrails.Overall(vs)
	}
	if got := of(); got != guardrails.Inconclusive {
		t.Errorf("without rules %s", got)
	}
	if got := of(guardrails.Healthy, guardrails.Healthy); got != guardrails.Healthy {
		t.Errorf("all healthy is %s", got)
	}
	if got := of(guardrails.Healthy, guardrails.Inconclusive); got != guardrails.Inconclusive {
		t.Errorf("one undecided is %s", got)
	}
	if got := of(guardrails.Blind, guardrails.Error, guardrails.Breached); got != guardrails.Breached {
		t.Errorf("one breached is %s", got)
	}
}

package guardrails_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

func begin() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func anyRule() *rapid.Generator[guardrails.Rule] {
	return rapid.Custom(func(t *rapid.T) guardrails.Rule {
		return guardrails.Rule{
			Experiment: "e", Iteration: 1, Metric: "m", Arm: "treatment", Control: "control",
			Direction: rapid.SampledFrom([]experiment.Direction{experiment.Increase, experiment.Decrease, ""}).Draw(t, "direction"),
			Binary:    rapid.Bool().Draw(t, "binary"),
			Margin:    rapid.Float64Range(0, .2).Draw(t, "margin"), Relative: rapid.Bool().Draw(t, "relative"),
			Mode:      rapid.SampledFrom([]experiment.Mode{experiment.Kill, experiment.Notify, experiment.Observe, ""}).Draw(t, "mode"),
			Limit:     rapid.SampledFrom([]experiment.Limit{"", "", experiment.LimitRetrospective, experiment.LimitAddedLater}).Draw(t, "limit"),
			Hold:      rapid.SampledFrom([]time.Duration{0, 0, 5 * time.Second}).Draw(t, "hold"),
			OnNoData:  rapid.SampledFrom([]experiment.OnNoData{experiment.HoldOnNoData, experiment.WarnOnNoData, experiment.KillOnNoData}).Draw(t, "on_no_data"),
			AlphaKill: .05, Alpha: .05, PlannedUnits: 10000, TreatmentShare: .5,
			Start: begin(), End: begin().Add(20 * time.Second), Stall: 10 * time.Second, Silence: 10 * time.Second,
		}
	})
}

func anyMoments() *rapid.Generator[stats.Moments] {
	return rapid.Custom(func(t *rapid.T) stats.Moments {
		n := rapid.SampledFrom([]int64{0, 1, 2, 500, 5000}).Draw(t, "n")
		nonZero := n * rapid.Int64Range(0, 20).Draw(t, "twentieths") / 20
		m := stats.Moments{N: n, NonZero: nonZero}
		if n > 0 {
			m.Mean = float64(nonZero) / float64(n)
			m.M2 = float64(nonZero) * (1 - m.Mean)
		}
		return m
	})
}

func anyObservation(at time.Time) *rapid.Generator[guardrails.Observation] {
	return rapid.Custom(func(t *rapid.T) guardrails.Observation {
		age := func(what string) time.Time {
			return at.Add(-rapid.SampledFrom([]time.Duration{0, 0, 0, time.Second, time.Minute, -time.Hour}).Draw(t, what))
		}
		o := guardrails.Observation{At: at, Freshness: age("fresh"), Newest: age("newest")}
		o.Open = []guardrails.Stratum{{Phase: 1, Share: .5, Treatment: anyMoments().Draw(t, "treatment"), Control: anyMoments().Draw(t, "control")}}
		o.Matured = o.Open
		o.Current = guardrails.PhaseUnits{Phase: 1, Share: .5, Treatment: o.Open[0].Treatment.N, Control: o.Open[0].Control.N}
		switch rapid.IntRange(0, 9).Draw(t, "spoilt") {
		case 0:
			o.Troubles = []guardrails.Trouble{{Reason: guardrails.Gap, Detail: "a hole"}}
		case 1:
			o.SRMPhases = []uint16{1}
		case 2:
			o.Over = 1
		case 3:
			o.Failed = "no connection"
		}
		return o
	})
}

// TestStepProperties plays random looks, two seconds apart, through one rule.
func TestStepProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRule().Draw(t, "rule")
		var s guardrails.State
		killed := false
		for i := range 15 {
			o := anyObservation(begin().Add(time.Duration(2*i-2)*time.Second)).Draw(t, "look")
			next, v := guardrails.Step(r, s, o)
			again, same := guardrails.Step(r, s, o)
			if !cmp.Equal(next, again) || !cmp.Equal(v, same) {
				t.Fatalf("two answers to one question:\n%s", cmp.Diff(v, same))
			}
			checkAct(t, r, o, v)
			if killed && v.Act == guardrails.DoKill {
				t.Fatal("killed twice")
			}
			killed = killed || v.Act == guardrails.DoKill
			checkEvidence(t, guardrails.Evidence{Rule: r, State: s, Observation: o, Verdict: v})
			s = next
		}
	})
}

// checkAct holds the law: what may kill, and what never does.
func checkAct(t *rapid.T, r guardrails.Rule, o guardrails.Observation, v guardrails.Verdict) {
	if v.Act == guardrails.DoNothing {
		return
	}
	lawful := v.Kind == guardrails.Breached && v.Reason == guardrails.Harm ||
		v.Kind == guardrails.Blind && v.Reason == guardrails.ArmSilent && r.OnNoData != experiment.HoldOnNoData
	trusted := o.Failed == "" && len(o.Troubles) == 0 &&
		o.At.Sub(o.Freshness) < r.Stall && o.At.Sub(o.Newest) < r.Silence
	running := !o.At.Before(r.Start) && o.At.Before(r.End)
	if !lawful || !trusted || !running || v.Act > r.Allowed() {
		t.Fatalf("%s (%s) leads to %s, allowed %s: %+v", v.Kind, v.Reason, v.Act, r.Allowed(), o)
	}
	if v.Act == guardrails.DoKill && (r.Mode != experiment.Kill || r.Limit != "") {
		t.Fatalf("a rule of mode %q, limit %q kills", r.Mode, r.Limit)
	}
	if v.Reason == guardrails.Harm && (len(o.SRMPhases) > 0 || o.Over > 0) {
		t.Fatal("harm was believed on a broken split or on totals that overflow")
	}
}

// checkEvidence stores the evidence as the decision log does and decides again.
func checkEvidence(t *rapid.T, e guardrails.Evidence) {
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back guardrails.Evidence
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	got := back.Replay()
	if diff := cmp.Diff(e.Verdict, got); diff != "" {
		t.Fatalf("the stored evidence gives another verdict:\n%s", diff)
	}
}

// TestLogProperties: overlapping reads of the log change nothing, and neither
// does where it is cut.
func TestLogProperties(t *testing.T) {
	kinds := []guardrails.EntryKind{
		guardrails.Decided, guardrails.Held, guardrails.Sending, guardrails.Accepted, guardrails.Verified, guardrails.Failed,
		guardrails.IterationEnded, guardrails.Effective, guardrails.SRMAlarm, guardrails.SRMAcknowledged, guardrails.Resumed,
		guardrails.Overridden, guardrails.Snoozed, guardrails.Drilled,
	}
	rapid.Check(t, func(t *rapid.T) {
		var entries []guardrails.Entry
		for i := range rapid.IntRange(1, 20).Draw(t, "entries") {
			entries = append(entries, guardrails.Entry{
				Seq: uint64(i + 1), At: begin().Add(time.Duration(i) * time.Second), Experiment: "e", Iteration: 1,
				Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Guardrail: "m", Arm: "treatment", Phase: 1, Reason: guardrails.Harm,
				Act:      guardrails.Act(rapid.IntRange(0, 3).Draw(t, "act")),
				Decision: rapid.Uint64Range(1, uint64(i+1)).Draw(t, "decision"),
			})
		}
		var once, twice guardrails.Log
		for i, e := range entries {
			once.Add(e)
			for _, old := range entries[rapid.IntRange(0, i).Draw(t, "again from"):i] {
				twice.Add(old)
			}
			twice.Add(e)
		}
		rule := guardrails.Rule{Experiment: "e", Iteration: 1, Metric: "m", Arm: "treatment"}
		if diff := cmp.Diff(once.Kills(), twice.Kills()); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(once.State(rule), twice.State(rule)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(once.Alarms("e", 1), twice.Alarms("e", 1)); diff != "" {
			t.Fatal(diff)
		}
	})
}

package catalog

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

var (
	start   = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	looked  = start.Add(34 * time.Hour)
	unknown = results.Number(math.NaN())
)

// effect is one of which the always-valid interval is estimate ± half.
func effect(estimate, half float64) results.Effect {
	i := results.Interval{Low: results.Number(estimate - half), High: results.Number(estimate + half)}
	return results.Effect{Estimate: results.Number(estimate), Sequential: i, Fixed: i, SequentialP: 0.02, FixedP: 0.01}
}

func estimate(e results.Effect) results.Estimate {
	return results.Estimate{Treatment: results.Arm{Units: 5000}, Control: results.Arm{Units: 5010}, Absolute: e, Relative: e}
}

// subject runs, is better on its goal on complete windows and has one healthy guardrail.
func subject(change ...func(*Subject)) Subject {
	e := &experiment.Experiment{
		Key: "checkout-cta", Owner: "ada", Objective: "More orders", Goals: []string{"conversion"}, Control: "control",
		Variants: []experiment.Variant{{Key: "control", Share: 0.5}, {Key: "treatment", Share: 0.5}},
		Stall:    experiment.Duration(time.Minute), Silence: experiment.Duration(10 * time.Minute), PlannedUnits: 40000,
		Iterations: []experiment.Iteration{{
			Number: 1, Start: start, EnrolUntil: start.Add(20 * 24 * time.Hour), End: start.Add(27 * 24 * time.Hour),
			Metrics: []experiment.Metric{{Name: "conversion"}},
		}},
	}
	none := results.Effect{Estimate: unknown, Sequential: results.Interval{Low: unknown, High: unknown}}
	d := &results.Document{
		Experiment: e.Key, Iteration: 1, Iterations: 1, Version: 3, At: looked, Freshness: looked.Add(-time.Second), Newest: looked.Add(-time.Second),
		Control: "control", Start: start, EnrolUntil: e.Iterations[0].EnrolUntil, End: e.Iterations[0].End,
		Phases: []results.Phase{{Number: 1, Arms: []results.PhaseArm{{Variant: "control", Units: 5010}, {Variant: "treatment", Units: 5000}}, SRM: results.SRM{P: 1, Threshold: 0.005}}},
		Comparisons: []results.Comparison{
			{Metric: "conversion", Arm: "treatment", Kind: "proportion", Direction: "increase", Goal: true, Open: estimate(effect(0.2, 0.1)), Matured: estimate(effect(0.19, 0.12))},
			{Metric: "latency", Arm: "treatment", Kind: "mean", Unit: "ms", Direction: "decrease", Guardrail: true, Open: estimate(effect(0.01, 0.02)), Matured: estimate(none)},
		},
		Verdicts: []results.Verdict{{Metric: "latency", Arm: "treatment", Mode: "kill", Verdict: "healthy", Text: "harm is below 5 %"}},
	}
	s := Subject{Experiment: e, Iteration: &e.Iterations[0], Document: d, Now: looked.Add(time.Second)}
	for _, c := range change {
		c(&s)
	}
	return s
}

// TestDecide: what to do, in the states that an experiment can be in.
func TestDecide(t *testing.T) {
	over := func(s *Subject) { s.Now, s.Document.At = s.Document.End.Add(time.Hour), s.Document.End }
	verdict := func(v string) func(*Subject) { return func(s *Subject) { s.Document.Verdicts[0].Verdict = v } }
	worse := func(s *Subject) { s.Document.Comparisons[0].Direction = "decrease" }
	immature := func(s *Subject) {
		s.Document.Comparisons[0].Matured.Absolute = results.Effect{Estimate: unknown, Sequential: results.Interval{Low: unknown, High: unknown}}
	}
	for name, c := range map[string]struct {
		subject Subject
		call    Call
		health  Fitness
		text    string
	}{
		"better and safe":       {subject(), Ship, Healthy, "Better on conversion (+19.0 %, +7.00 % to +31.0 %), and every guardrail is shown to be healthy. It can be shipped."},
		"better, not yet safe":  {subject(verdict("inconclusive")), KeepRunning, Unproven, "Keep running until the guardrails are healthy"},
		"better, nobody guards": {subject(func(s *Subject) { s.Document.Verdicts = nil }), CannotTell, Unguarded, "No guardrail says whether anything else got worse"},
		"breached":              {subject(verdict("breached")), Stop, Breached, "A guardrail is breached: harm is below"},
		"blind":                 {subject(verdict("blind")), CannotTell, Blind, "No judgement"},
		"error":                 {subject(verdict("error")), CannotTell, Failed, "No judgement"},
		"worse":                 {subject(worse), Stop, Healthy, "Consider stopping"},
		"windows are open":      {subject(immature), KeepRunning, Healthy, "Better on conversion (+20.0 %, +10.0 % to +30.0 %) so far; windows are not complete yet"},
		"few events":            {subject(func(s *Subject) { s.Document.Comparisons[0].Gate = &results.Gate{} }), KeepRunning, Healthy, "Too few units"},
		"split":                 {subject(func(s *Subject) { s.Document.Phases[0].SRM.Alarm = true }), CannotTell, BrokenSplit, "The split is broken"},
		"trivial split":         {subject(func(s *Subject) { s.Document.Phases[0].SRM = results.SRM{Alarm: true, Trivial: true} }), CannotTell, BrokenSplit, "trivial amount, at most 0.2"},
		"split of what is left": {subject(func(s *Subject) { s.Document.Phases[0].SRMLeft.Alarm = true }), CannotTell, Warned, "of units that were selected"},
		"crossovers": {subject(func(s *Subject) {
			s.Document.CrossoverChecks = []results.CrossoverCheck{{Alarm: true, OnAlarm: "hold"}}
		}), CannotTell, Crossed, "Too many units were seen in two variants"},
		"crossovers that only warn": {subject(func(s *Subject) {
			s.Document.CrossoverChecks = []results.CrossoverCheck{{Alarm: true, OnAlarm: "warn"}}
		}), Ship, Warned, "It can be shipped"},
		"halves differ": {subject(func(s *Subject) {
			s.Document.Placebo = &results.Placebo{Metrics: []results.PlaceboMetric{{Metric: "conversion", Suspect: true}}}
		}), CannotTell, Warned, "random halves of the control"},
		"nobody looks": {subject(func(s *Subject) { s.Now = looked.Add(time.Hour) }), CannotTell, Blind, "is a guard running?"},
		"shards of two minds": {subject(func(s *Subject) {
			s.Document.Troubles = []results.Trouble{{Code: "adopting", Detail: "shard 1 counts under version 2"}}
		}), CannotTell, Blind, "shard 1 counts under version 2"},
		"old counts, no guardrail": {subject(func(s *Subject) { s.Document.Verdicts, s.Document.Freshness = nil, looked.Add(-2*time.Minute) }), CannotTell, Blind, "the counts are 2m0s behind, 1m is allowed"},
		"goal's events stopped": {subject(func(s *Subject) {
			s.Document.Anomalies = []results.Anomaly{{Code: "outcomes_stopped", Metric: "conversion", Blind: true, Text: "no orders"}}
		}), CannotTell, Blind, "no orders"},
		"killed":                  {subject(func(s *Subject) { s.Document.Killed = &results.Killed{Reason: "errors rose"} }), Stop, Healthy, "Stopped: errors rose"},
		"kill refused":            {subject(func(s *Subject) { s.Document.Kill = &results.Kill{State: "denied", Reason: "errors rose"} }), Stop, Healthy, "could NOT be turned off (denied)"},
		"ended, better and safe":  {subject(over), Ship, Healthy, "It has ended: better on conversion"},
		"ended, better, not safe": {subject(over, verdict("inconclusive")), CannotTell, Unproven, "Not every guardrail is shown to be healthy"},
		"ended, nothing shown":    {subject(over, func(s *Subject) { s.Document.Comparisons = nil }), CannotTell, Healthy, "shows no difference"},
		"ended, worse":            {subject(over, worse), Stop, Healthy, "It has ended: worse on conversion"},
		"no look":                 {subject(func(s *Subject) { s.Document = nil }), CannotTell, Unlooked, "No look has been taken yet."},
		"not begun":               {subject(func(s *Subject) { s.Document, s.Now = nil, start.Add(-time.Hour) }), CannotTell, Unlooked, "It starts at 2026-03-01 00:00:00 UTC."},
		"the guard has seen a breach": {subject(func(s *Subject) {
			g := *s.Document
			g.At, g.Verdicts = looked.Add(time.Second), []results.Verdict{{Verdict: "breached", Text: "harm"}}
			g.Comparisons, s.Guard = nil, &g
		}), Stop, Breached, "A guardrail is breached: harm"},
		"an older look of the guard": {subject(func(s *Subject) {
			g := *s.Document
			g.At, g.Verdicts, s.Guard = looked.Add(-time.Second), []results.Verdict{{Verdict: "breached"}}, &g
		}), Ship, Healthy, "It can be shipped"},
		"the bad arm is off": {subject(func(s *Subject) {
			d := s.Document
			d.Verdicts = append(d.Verdicts, results.Verdict{Metric: "latency", Arm: "b", Verdict: "breached"})
			d.ArmKills = []results.Kill{{Arm: "b", State: "verified", ReadBackAt: looked}}
		}), Ship, Healthy, "It can be shipped"},
		"the bad arm is on again": {subject(func(s *Subject) {
			d := s.Document
			d.Verdicts = append(d.Verdicts, results.Verdict{Metric: "latency", Arm: "b", Verdict: "breached"})
			d.ArmKills = []results.Kill{{Arm: "b", State: "verified", ReadBackAt: looked, OverriddenAt: looked}}
		}), Stop, Breached, "A guardrail is breached"},
		"before the dated look": {subject(func(s *Subject) {
			s.Document.Dated = &results.Dated{Next: looked.Add(time.Hour), Goals: []results.DatedGoal{{Metric: "conversion", Arm: "treatment", Verdict: results.DatedWaiting, Estimate: unknown}}}
		}), KeepRunning, Healthy, "Nothing is decided before the look at"},
		"dated looks nobody computed": {subject(func(s *Subject) {
			s.Experiment.Looks = experiment.Looks{Design: experiment.OBrienFleming, At: []time.Time{looked}}
		}), CannotTell, Healthy, "judged at dated looks"},
		"at the dated look": {subject(func(s *Subject) {
			s.Document.Dated = &results.Dated{Goals: []results.DatedGoal{{
				Metric: "conversion", Arm: "treatment", Kind: "proportion", Direction: "increase", Verdict: results.DatedCrossed, Estimate: 0.02,
				Interval: results.Interval{Low: 0.01, High: 0.03}}}}
		}), Ship, Healthy, "Better on conversion (+2.00 pp, +1.00 pp to +3.00 pp)"},
	} {
		box, row := Decide(c.subject), RowOf(c.subject, "look")
		if box.Call != c.call || row.Health != c.health || !strings.Contains(box.Text, c.text) {
			t.Errorf("%s: %s, %s, %q; want %s, %s, %q in it", name, box.Call, row.Health, box.Text, c.call, c.health, c.text)
		}
		if row.Call != box.Call || row.Text != box.Text {
			t.Errorf("%s: the list says %s (%s), the box %s (%s)", name, row.Call, row.Text, box.Call, box.Text)
		}
	}
}

// TestNeverShips: whatever else is the case, none of what makes a result unsafe is
// shipped.
func TestNeverShips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := subject()
		d := s.Document
		some := func(name string) bool { return rapid.IntRange(0, 3).Draw(t, name) == 0 }
		var unsafe []string
		hit := func(name string, do func()) {
			if some(name) {
				do()
				unsafe = append(unsafe, name)
			}
		}
		verdict := rapid.SampledFrom([]string{"healthy", "inconclusive", "blind", "error", "breached"}).Draw(t, "verdict")
		if d.Verdicts[0].Verdict = verdict; verdict != "healthy" {
			unsafe = append(unsafe, verdict)
		}
		hit("split", func() { d.Phases[0].SRM.Alarm = true })
		hit("split of the past", func() { d.Phases[0].Alarm = &results.Alarm{At: looked} })
		hit("selection", func() { d.Phases[0].SRMLeft.Alarm = true })
		hit("troubles", func() { d.Troubles = []results.Trouble{{Code: "gap"}} })
		hit("no guardrail", func() { d.Verdicts = nil })
		hit("killed", func() { d.Killed = &results.Killed{} })
		hit("stale", func() { s.Now = s.Now.Add(lookEvery + time.Second) })
		hit("gate", func() { d.Comparisons[0].Gate = &results.Gate{} })
		hit("worse elsewhere", func() {
			c := d.Comparisons[0]
			c.Metric, c.Direction = "refunds", "decrease"
			d.Comparisons = append(d.Comparisons, c)
		})
		hit("open windows", func() { d.Comparisons[0].Matured = results.Estimate{} })
		if some("warning") {
			d.Anomalies = []results.Anomaly{{Code: results.RateJump}}
		}
		if call := Decide(s).Call; (call == Ship) != (len(unsafe) == 0) {
			t.Errorf("%s with %v", call, unsafe)
		}
	})
}

// TestReasons: the box tells what it rests on, the guardrails, the split, the goal with
// its interval, and what is waited for.
func TestReasons(t *testing.T) {
	s := subject(func(s *Subject) {
		s.Document.Verdicts = append(s.Document.Verdicts, results.Verdict{Metric: "errors", Arm: "treatment", Verdict: "inconclusive", Text: "harm up to 7 % is possible"})
		s.Document.Gaps = []results.Gap{{Topic: "assay.outcomes", Partition: 1, Records: 1200, AcceptedAt: looked}}
		s.Document.Plan = []results.Plan{{For: "guardrail", Metric: "errors", Arm: "treatment", Gates: []results.Condition{{State: results.NotMet, Text: "few events", Lift: 800}}}}
		s.Experiment.SuccessCriteria = "conversion up, no more errors"
	})
	reasons := Decide(s).Reasons
	for _, want := range []Reason{
		{"split", Good, "The split is as intended."},
		{"guardrail", Neutral, "errors in treatment is inconclusive: harm up to 7 % is possible"},
		{"guardrail", Good, "Shown to be within their margins: latency in treatment."},
		{"goal", Good, "conversion in treatment: better (+19.0 %, +7.00 % to +31.0 %)."},
		{"gap", Warn, "1\u202f200 records of assay.outcomes, partition 1, were lost before they were read (accepted at 2026-03-02 10:00:00 UTC)."},
		{"plan", Neutral, "guardrail of errors in treatment: few events; about 800 units of both arms would do."},
		{"plan", Neutral, "10\u202f010 units are in; 40\u202f000 are planned for a comparison."},
		{"plan", Neutral, "Units are taken in until 2026-03-21 00:00:00 UTC."},
		{"file", Neutral, "To be shipped it has to meet: conversion up, no more errors"},
	} {
		if !slices.Contains(reasons, want) {
			t.Errorf("no reason %q in %q", want, reasons)
		}
	}
}

// TestZone: sentences write times in the subject's zone, with its name; without one in
// UTC.
func TestZone(t *testing.T) {
	start := time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)
	s := Subject{Experiment: &experiment.Experiment{}, Iteration: &experiment.Iteration{Start: start}, Now: start.Add(-time.Hour)}
	if got, want := Decide(s).Text, "It starts at 2026-03-01 20:00:00 UTC."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.Zone = time.FixedZone("IST", 5*3600+1800)
	if got, want := Decide(s).Text, "It starts at 2026-03-02 01:30:00 IST."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

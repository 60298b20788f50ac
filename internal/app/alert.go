package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/notify"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/watch"
)

// messageOf puts an alert into words. The subject has nothing in it that changes
// within the matter: a kill is the experiment's, whichever guardrail asked for it.
func messageOf(a watch.Alert, runbook string) notify.Message {
	m := notify.Message{
		Key: a.Key, Matter: string(a.Matter), Page: a.Page, Since: a.Since, Resolved: a.Resolved, Repeat: a.Repeat,
		Subject: notify.Subject{Experiment: a.Experiment, Iteration: a.Iteration},
		At:      a.At, Title: a.Title, Text: a.Text,
	}
	if a.Matter == watch.GuardrailMatter || a.Matter == watch.SilenceMatter {
		m.Subject.Guardrail, m.Subject.Arm = a.Guardrail, a.Arm
	}
	add := func(name, value string) {
		if value != "" {
			m.Facts = append(m.Facts, notify.Fact{Name: name, Value: value})
		}
	}
	add("what to do", toDo(a))
	if a.Verdict != nil {
		addVerdict(add, a.Verdict)
	}
	add("state", string(a.State))
	if a.Decision > 0 {
		add("decision", fmt.Sprintf("%d of the log, by %s", a.Decision, a.Decider))
	}
	add("look", a.Look)
	add("watermark", watermark(a.Vector))
	add("log head", a.Head)
	add("owner", a.Owner)
	m.Links = links(a, runbook)
	if runbook == "" && a.Reason != "" {
		add("runbook", "docs/guardrails.md#"+a.Reason)
	}
	return m
}

// addVerdict adds what was decided on, if harm was measured.
func addVerdict(add func(name, value string), v *guardrails.Verdict) {
	r, t := v.Rule, v.Harm
	add("guardrail", fmt.Sprintf("%s in %s, against %s", r.Metric, r.Arm, r.Control))
	if t == nil {
		return
	}
	harm := "worse by " + r.Amount(t.Estimate)
	if t.Bound.Known() {
		harm += ", at least " + r.Amount(t.Bound)
	}
	add("harm", fmt.Sprintf("%s (one-sided, level %.3g, valid at every look)", harm, t.Alpha))
	add("margin", r.Amount(results.Number(r.Margin)))
	add("units", fmt.Sprintf("%s %d, %s %d", r.Arm, t.Units[0], r.Control, t.Units[1]))
	add("means", fmt.Sprintf("%s %.4g, %s %.4g", r.Arm, t.Means[0].Float(), r.Control, t.Means[1].Float()))
	add("seen at", v.At.UTC().Format(time.RFC3339Nano))
}

// mostShards is how many shards a watermark shows one by one.
const mostShards = 16

// watermark is the position of every shard in the numbers: shard:part.
func watermark(v map[uint16]uint64) string {
	var parts []string
	for _, shard := range slices.Sorted(maps.Keys(v)) {
		if len(parts) == mostShards {
			parts = append(parts, fmt.Sprintf("… of %d shards", len(v)))
			break
		}
		parts = append(parts, fmt.Sprintf("%d:%d", shard, v[shard]))
	}
	return strings.Join(parts, " ")
}

// links lead to the runbook's place about the reason, and where the experiment's
// file says.
func links(a watch.Alert, runbook string) []notify.Link {
	var out []notify.Link
	if runbook != "" && a.Reason != "" {
		page, _, _ := strings.Cut(runbook, "#")
		out = append(out, notify.Link{Name: "runbook", URL: page + "#" + a.Reason})
	}
	for _, l := range []notify.Link{{Name: "flag", URL: a.Links.Flag}, {Name: "change", URL: a.Links.Change}, {Name: "schema", URL: a.Links.Schema}} {
		if l.URL != "" {
			out = append(out, l)
		}
	}
	return out
}

// toDo is what somebody who reads the alert should do, and who can.
func toDo(a watch.Alert) string {
	if a.Resolved && a.State != guardrails.Effective {
		return ""
	}
	kill := fmt.Sprintf("assay kill %s --reason …", a.Experiment)
	switch a.Matter {
	case watch.GuardrailMatter:
		return "decide: this guardrail only notifies; " + kill + " turns the experiment off"
	case watch.SilenceMatter:
		return "look whether that arm still works; nothing is turned off for it"
	case watch.SplitMatter:
		if a.Reason != string(guardrails.SplitBroken) {
			return "find out why; until then no guardrail judges"
		}
		return fmt.Sprintf("find out why, until then no guardrail judges; then a new iteration, or assay resume %s --acknowledge %d --reason …", a.Experiment, a.Phase)
	case watch.SnoozeMatter:
		return "no guard turns anything off meanwhile: watch it, and end it when it is not needed, with --snooze 0s"
	case watch.DataMatter:
		return "find out why; the guardrails go on"
	case watch.BlindMatter, watch.GuardMatter:
		return "see the runbook; harm that begins now is not seen"
	case watch.KillMatter:
		return killToDo(a, kill)
	case watch.ApprovalMatter:
		return fmt.Sprintf("look at it, then assay ramp approve %s --reason …; it stays at its step until then", a.Experiment)
	case watch.RampMatter:
		return rampToDo(a, kill)
	}
	return ""
}

func rampToDo(a watch.Alert, kill string) string {
	revert := a.Kind() == guardrails.RampRevert
	switch {
	case revert && (a.State == guardrails.Denied || a.State == guardrails.Failed):
		return "set the traffic to 0 % in the flag system NOW, or have it tried again: assay ramp revert " + a.Experiment + " --reason …; " + kill + " turns it off as a whole"
	case revert && a.State == guardrails.PendingApproval:
		return "approve it in the flag system, or set the traffic to 0 % there"
	case revert:
		return "find out why; a mended version begins as the next iteration, with a ramp of its own"
	case a.State == guardrails.PendingApproval:
		return fmt.Sprintf("approve it in the flag system, then assay ramp resume %s --reason …", a.Experiment)
	}
	return fmt.Sprintf("see what the flag system says, then assay ramp resume %s --reason …; it stays at its step until then", a.Experiment)
}

func killToDo(a watch.Alert, kill string) string {
	switch a.State {
	case guardrails.Denied, guardrails.Failed:
		return "turn the flag off in its own system NOW, or have it tried again: " + kill
	case guardrails.PendingApproval:
		return "approve it in the flag system, or turn the flag off there"
	case guardrails.Held:
		return "look at what breached together; if the harm is real: " + kill
	case guardrails.NotEffective:
		return "find the clients that still serve it: caches, a second flag, another environment"
	case guardrails.Overridden:
		return "ask who turned it on and why; no guard turns this iteration off again; " + kill + " does"
	case guardrails.Verified, guardrails.Effective:
		return fmt.Sprintf("to undo it, mended: %s turns the flag on in its own system (switch %s), then assay resume %s --reason …; guardrails only notify then, unless --rearm declares a new budget",
			owner(a), a.Switch, a.Experiment)
	}
	return "wait: whether it worked is told within the switch's deadline"
}

// owner is who may undo a kill.
func owner(a watch.Alert) string {
	if a.Owner == "" {
		return "its owner"
	}
	return "its owner (" + a.Owner + ")"
}

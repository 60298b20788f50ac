package pages

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/plots"
)

// timeline draws what the guardrails said over time, all together and each by itself
// where there are several, and what was decided when.
func timeline(past Past, log []guardrails.Entry, zone *time.Location) template.HTML {
	lanes := []plots.Lane{{Name: "all together", Stretches: stretches(past.Verdicts)}}
	for _, l := range past.Lanes {
		lane := plots.Lane{Name: l.Metric + " · " + l.Arm, Stretches: stretches(l.Verdicts)}
		if len(past.Lanes) == 1 {
			lanes = nil // it says the same
		}
		lanes = append(lanes, lane)
	}
	var until time.Time
	if n := len(past.Verdicts); n > 0 {
		until = past.Verdicts[n-1].At
	}
	var moments []plots.Moment
	for _, e := range log {
		moments = append(moments, plots.Moment{At: e.At, Label: kindWord(e), Title: fmt.Sprintf("%d: %s", e.Seq, e.Text), Tone: string(entryTone(e))})
	}
	return plots.Timeline(lanes, moments, until, zone, fmt.Sprintf("what %d guardrails said over time, and %d lines of the decision log", len(past.Lanes), len(log)))
}

// stretches are the times in which the same was said.
func stretches(judged []Judged) []plots.Stretch {
	var out []plots.Stretch
	for _, j := range judged {
		if n := len(out); n > 0 && out[n-1].Name == j.Verdict {
			continue
		}
		out = append(out, plots.Stretch{From: j.At, Name: j.Verdict, Tone: string(catalog.VerdictTone(j.Verdict))})
	}
	return out
}

// kindWord says what a line of the decision log is, for people.
func kindWord(e guardrails.Entry) string {
	if e.Ramp != nil {
		return rampWord(e)
	}
	switch k, a := e.Kind, e.Act; k {
	case guardrails.Decided:
		if a == guardrails.DoKill {
			return "kill decided"
		}
		return "decided: " + strings.ReplaceAll(a.String(), "_", " ")
	case guardrails.Sending:
		return "off call"
	case guardrails.Accepted:
		return "call accepted"
	case guardrails.Verified:
		return "read back as off"
	case guardrails.SRMAlarm:
		return "split broken"
	case guardrails.Noted:
		return "note"
	}
	return strings.ReplaceAll(string(e.Kind), "_", " ")
}

// rampWord says what a line about a ramp is.
func rampWord(e guardrails.Entry) string {
	switch e.Kind {
	case guardrails.RampAdvance:
		return fmt.Sprintf("ramp: step %d decided", e.Ramp.Step)
	case guardrails.RampRevert:
		return "ramp: revert decided"
	case guardrails.Sending:
		return "ramp: call"
	case guardrails.Accepted:
		return "ramp: call accepted"
	case guardrails.Verified:
		return "ramp: traffic read back"
	}
	return strings.ReplaceAll(string(e.Kind), "_", " ")
}

// rampTone is the colour of where a ramp is.
func rampTone(state string) catalog.Tone {
	switch guardrails.RampState(state) {
	case guardrails.RampReverted:
		return catalog.Bad
	case guardrails.RampHeld:
		return catalog.Warn
	case guardrails.RampDone, guardrails.RampAdvancing, guardrails.RampAdvanced:
		return catalog.Good
	}
	return catalog.Neutral
}

// entryTone is the colour of a line of the decision log.
func entryTone(e guardrails.Entry) catalog.Tone {
	switch e.Kind {
	case guardrails.RampRevert:
		return catalog.Bad
	case guardrails.Decided:
		if e.Act == guardrails.DoKill {
			return catalog.Bad
		}
	case guardrails.Denied, guardrails.Failed, guardrails.PendingApproval, guardrails.SRMAlarm, guardrails.Held, guardrails.NotEffective, guardrails.Overridden:
		return catalog.Warn
	case guardrails.Verified, guardrails.Effective:
		return catalog.Good
	}
	return catalog.Neutral
}

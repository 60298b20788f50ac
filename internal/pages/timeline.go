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

// timeline draws what the guardrails said over time, and what was decided when.
func timeline(judged []Judged, log []guardrails.Entry) template.HTML {
	var stretches []plots.Stretch
	var until time.Time
	for _, j := range judged {
		until = j.At
		if n := len(stretches); n > 0 && stretches[n-1].Name == j.Verdict {
			continue
		}
		stretches = append(stretches, plots.Stretch{From: j.At, Name: j.Verdict, Tone: string(catalog.VerdictTone(j.Verdict))})
	}
	var moments []plots.Moment
	for _, e := range log {
		moments = append(moments, plots.Moment{At: e.At, Label: kindWord(e.Kind, e.Act), Title: fmt.Sprintf("%d: %s", e.Seq, e.Text), Tone: string(entryTone(e))})
	}
	return plots.Timeline(stretches, moments, until, fmt.Sprintf("what the guardrails said over time, and %d lines of the decision log", len(log)))
}

// kindWord says what a line of the decision log is, for people.
func kindWord(k guardrails.EntryKind, a guardrails.Act) string {
	switch k {
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
	return strings.ReplaceAll(string(k), "_", " ")
}

// entryTone is the colour of a line of the decision log.
func entryTone(e guardrails.Entry) catalog.Tone {
	switch e.Kind {
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

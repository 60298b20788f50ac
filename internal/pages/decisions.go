package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/assay-dev/assay/guardrails"
)

// linesOnPage is how many lines of the decision log a page shows.
const linesOnPage = 200

// logged is the page of the decision log.
type logged struct {
	Lines       []guardrails.Entry // newest first
	Of, All     int
	Head        string
	Last        uint64
	Experiments []string
	Actors      []string
	Query       logQuery
	More        string
}

// logQuery is what the address says.
type logQuery struct {
	Experiment, Actor, What, Text string
	Before                        string
}

// kinds are the lines that people ask for together.
var kinds = []struct {
	Name, Label string
	of          []guardrails.EntryKind
}{
	{"kills", "kills and what became of them", []guardrails.EntryKind{guardrails.Decided, guardrails.Held, guardrails.Sending, guardrails.Accepted, guardrails.Verified, guardrails.Denied,
		guardrails.PendingApproval, guardrails.Failed, guardrails.IterationEnded, guardrails.ArmEnded, guardrails.Effective, guardrails.NotEffective, guardrails.Overridden}},
	{"ramps", "ramps: steps, reverts, and what people said of them", []guardrails.EntryKind{guardrails.RampAdvance, guardrails.RampRevert, guardrails.PhaseBegun, guardrails.PhaseSkipped,
		guardrails.RampApproved, guardrails.RampPause, guardrails.RampResume}},
	{"split", "broken splits", []guardrails.EntryKind{guardrails.SRMAlarm, guardrails.SRMAcknowledged}},
	{"people", "resumed, snoozed, drilled", []guardrails.EntryKind{guardrails.Resumed, guardrails.Snoozed, guardrails.Drilled}},
	{"changes", "proposed and approved changes", []guardrails.EntryKind{guardrails.ChangeProposed, guardrails.ChangeApproved, guardrails.ApprovalWithdrawn, guardrails.ChangeApplied}},
	{"notes", "notes", []guardrails.EntryKind{guardrails.Noted}},
	{"shedding", "consumers keep fewer units", []guardrails.EntryKind{guardrails.LoadShed}},
	{"exports", "exports of rows of units", []guardrails.EntryKind{guardrails.Exported}},
	{"erasures", "erasures of units", []guardrails.EntryKind{guardrails.ErasureAsked, guardrails.Erased}},
}

// Kinds are the choices for the page.
func (logged) Kinds() any { return kinds }

func (p *Pages) decisions(w http.ResponseWriter, r *http.Request) error {
	entries, head, err := p.cfg.Reader.Log(r.Context(), "")
	if err != nil {
		return err
	}
	v := r.URL.Query()
	q := logQuery{Experiment: v.Get("experiment"), Actor: v.Get("actor"), What: v.Get("what"), Text: v.Get("q"), Before: v.Get("before")}
	return p.show(w, r, http.StatusOK, "decisions", page{Title: "Decisions", Nav: "decisions", Live: true, Body: logOf(entries, head, q)})
}

// logOf chooses the lines.
func logOf(entries []guardrails.Entry, head string, q logQuery) logged {
	out := logged{All: len(entries), Head: head, Query: q}
	before := number(q.Before)
	for i := len(entries) - 1; i >= 0; i-- {
		e := &entries[i]
		out.Last = max(out.Last, e.Seq)
		if e.Experiment != "" && !slices.Contains(out.Experiments, e.Experiment) {
			out.Experiments = append(out.Experiments, e.Experiment)
		}
		if !slices.Contains(out.Actors, e.Actor) {
			out.Actors = append(out.Actors, e.Actor)
		}
		if !q.takes(e) {
			continue
		}
		out.Of++
		switch {
		case before > 0 && e.Seq >= before:
		case len(out.Lines) < linesOnPage:
			out.Lines = append(out.Lines, *e)
		case out.More == "":
			out.More = q.link(out.Lines[len(out.Lines)-1].Seq)
		}
	}
	slices.Sort(out.Experiments)
	slices.Sort(out.Actors)
	return out
}

func (q *logQuery) takes(e *guardrails.Entry) bool {
	if q.Experiment != "" && e.Experiment != q.Experiment || q.Actor != "" && e.Actor != q.Actor {
		return false
	}
	for _, k := range kinds {
		if k.Name == q.What && !slices.Contains(k.of, e.Kind) {
			return false
		}
	}
	text := strings.ToLower(q.Text)
	return strings.Contains(strings.ToLower(e.Text), text) || strings.Contains(strings.ToLower(e.Experiment), text) || strings.HasPrefix(e.Hash, text)
}

// link is the address of the lines before one.
func (q *logQuery) link(before uint64) string {
	v := url.Values{"before": {decimal(before)}}
	for name, value := range map[string]string{"experiment": q.Experiment, "actor": q.Actor, "what": q.What, "q": q.Text} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return "/decisions?" + v.Encode()
}

package catalog

import (
	"fmt"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// Call is what to do about an experiment.
type Call string

// The calls.
const (
	CannotTell  Call = "cannot tell" // something stands in the way of any answer
	KeepRunning Call = "keep running"
	Stop        Call = "stop" // or stopped: it does harm, or is worse
	Ship        Call = "ship" // better on a goal, worse on none, and every guardrail shown to be healthy
)

// Calls lists them.
func Calls() []Call { return []Call{Ship, Stop, KeepRunning, CannotTell} }

// Box is the decision in plain words. It never says ship while the split is broken, the
// data is not to be trusted or a guardrail is not shown to be healthy.
type Box struct {
	Call    Call      `json:"call"`
	Text    string    `json:"text"`              // where it stands and what to do, in one or two sentences
	Reasons []Reason  `json:"reasons"`           // what that rests on
	At      time.Time `json:"at,omitzero"`       // of the look
	Settled bool      `json:"settled,omitempty"` // it has ended or was stopped: nothing more will be shown
}

// Decide says what to do. Arms that were turned off by themselves take no part.
func Decide(s Subject) Box {
	b := Box{Reasons: []Reason{}}
	if s.Iteration != nil {
		state := StateOf(s.Iteration, s.Now)
		b.Settled = state == Killed || state == Ended
	}
	if s = s.merged(); s.Document == nil {
		b.Call, b.Text = CannotTell, s.notLooked()
		return b
	}
	b.At = s.Document.At
	b.Call, b.Text = s.call()
	b.Reasons = s.reasons(known(goalsOf(s.Document, true), goalsOf(s.Document, false)))
	return b
}

// Headline says in one sentence where a look stands and what to do, as of its time.
func Headline(d *results.Document) string {
	_, text := Subject{Document: d, Now: d.At}.merged().call()
	return text
}

func (s Subject) notLooked() string {
	if s.Iteration != nil && s.Now.Before(s.Iteration.Start) {
		return "It starts at " + s.instant(s.Iteration.Start) + "."
	}
	return "No look has been taken yet."
}

// call goes through what stands in the way, the graver first, and reads the goals when
// nothing does. What it says of shipping rests on units whose windows are complete.
func (s Subject) call() (Call, string) {
	d := s.Document
	switch {
	case d.Killed != nil:
		return Stop, "Stopped: " + d.Killed.Reason
	case Unfinished(d.Kill):
		return Stop, fmt.Sprintf("It could NOT be turned off (%s) and goes on: %s", d.Kill.State, d.Kill.Reason)
	}
	switch fitness, text := s.fitness(); fitness {
	case Breached:
		return Stop, text
	case BrokenSplit, Blind, Failed, Crossed, Unlooked:
		return CannotTell, text
	}
	if s.undated() {
		return CannotTell, "Its goals are judged at dated looks, and these are not computed here."
	}
	goals := goalsOf(d, true)
	if g := first(goals, func(g *goal) bool { return g.suspect }); g != nil {
		return CannotTell, "The intervals of " + g.name() + " find differences between random halves of the control: nothing can be decided on it."
	}
	good, bad := shown(goals)
	if len(good) > 0 && len(bad) == 0 && selected(d) {
		return CannotTell, "Better on " + strings.Join(good, ", ") + ", but of units that were selected: without crossovers and excluded units the split is not the intended one."
	}
	if !d.End.IsZero() && !s.Now.Before(d.End) {
		return s.ended(good, bad)
	}
	return s.running(goals, good, bad)
}

// undated tells whether the file dates the looks at goals and nobody computed them: what
// the intervals for every look show decides nothing then.
func (s Subject) undated() bool {
	return s.Document.Dated == nil && s.Experiment != nil && s.Iteration != nil && len(s.Experiment.DatesOf(s.Iteration)) > 0
}

// running says what to do while more may come.
func (s Subject) running(goals []goal, good, bad []string) (Call, string) {
	d, better := s.Document, "Better on "+strings.Join(good, ", ")
	switch {
	case len(bad) > 0:
		return Stop, "Worse on " + strings.Join(bad, ", ") + ". Consider stopping."
	case len(good) > 0 && Overall(d) == "healthy":
		return Ship, better + ", and every guardrail is shown to be healthy. It can be shipped."
	case len(good) > 0 && len(d.Verdicts) == 0:
		return CannotTell, better + ". No guardrail says whether anything else got worse."
	case len(good) > 0:
		return KeepRunning, better + ". Keep running until the guardrails are healthy."
	}
	if g := first(goals, func(g *goal) bool { return g.gated }); g != nil {
		return KeepRunning, "Too few units have had an event to rely on what " + g.Metric + " shows. Keep running."
	}
	if d.Dated != nil && !d.Dated.Next.IsZero() {
		return KeepRunning, "Nothing is decided before the look at " + s.instant(d.Dated.Next) + ". Keep running."
	}
	return KeepRunning, soFar(shown(goalsOf(d, false)))
}

// soFar says what is shown while windows are not complete: nothing to act on yet.
func soFar(good, bad []string) string {
	const wait = " so far; windows are not complete yet. Keep running."
	switch {
	case len(bad) > 0:
		return "Worse on " + strings.Join(bad, ", ") + wait
	case len(good) > 0:
		return "Better on " + strings.Join(good, ", ") + wait
	}
	return "Nothing is shown yet. Keep running."
}

// ended says what an experiment has shown that takes no more events.
func (s Subject) ended(good, bad []string) (Call, string) {
	switch {
	case len(good) == 0 && len(bad) == 0:
		return CannotTell, "It has ended and shows no difference on complete windows."
	case len(bad) == 0 && Overall(s.Document) == "healthy":
		return Ship, "It has ended: better on " + strings.Join(good, ", ") + ". Every guardrail is shown to be healthy: it can be shipped."
	case len(bad) == 0:
		return CannotTell, "It has ended: better on " + strings.Join(good, ", ") + ". Not every guardrail is shown to be healthy."
	case len(good) == 0:
		return Stop, "It has ended: worse on " + strings.Join(bad, ", ") + "."
	}
	return Stop, "It has ended: better on " + strings.Join(good, ", ") + "; worse on " + strings.Join(bad, ", ") + "."
}

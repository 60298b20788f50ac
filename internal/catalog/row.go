package catalog

import (
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/results"
)

// Row is an experiment in a list: its current iteration and the newest look at it.
type Row struct {
	Key        string    `json:"key"`
	Owner      string    `json:"owner"`
	Objective  string    `json:"objective,omitempty"`
	Hypothesis string    `json:"hypothesis,omitempty"`
	Iteration  uint32    `json:"iteration"`
	Iterations int       `json:"iterations"`
	State      State     `json:"state"`
	Start      time.Time `json:"start,omitzero"`
	EnrolUntil time.Time `json:"enrol_until,omitzero"`
	End        time.Time `json:"end,omitzero"`

	Health  Fitness `json:"health"`         // the gravest thing that is known of it
	Why     string  `json:"why"`            // the same in a sentence
	Verdict string  `json:"verdict"`        // of all guardrails together
	Call    Call    `json:"call"`           // what to do
	Text    string  `json:"text"`           // the same in a sentence or two
	Kill    string  `json:"kill,omitempty"` // how far a kill is: decided, sending, accepted, verified, denied, …
	// SnoozedUntil is when automatic kills of it may be sent again; absent: now.
	SnoozedUntil time.Time `json:"snoozed_until,omitzero"`
	// Due is what people are to be reminded of: reviews, what was to end it, and that
	// nobody looks after it.
	Due []governance.Due `json:"due,omitempty"`

	Look      string    `json:"look,omitempty"`     // id of the newest look; absent: there was none yet
	At        time.Time `json:"at,omitzero"`        // when it was taken
	Freshness time.Time `json:"freshness,omitzero"` // everything before it is counted; absent: not known
	Newest    time.Time `json:"newest,omitzero"`    // event time of the newest counted event
	Version   uint32    `json:"version,omitempty"`  // of the configuration

	Units   int64    `json:"units"`                   // of all arms
	Planned int64    `json:"planned_units,omitempty"` // of a comparison
	Arms    []string `json:"arms"`                    // the control first
	// Main is the primary goal in the first arm that is still on; absent while there
	// are no numbers.
	Main *Effect `json:"main,omitempty"`
}

// RowOf is the row of an iteration. look is the id of the subject's document.
func RowOf(s Subject, look string) Row {
	e, it := s.Experiment, s.Iteration
	r := Row{
		Key: e.Key, Owner: e.Owner, Objective: e.Objective, Hypothesis: e.Hypothesis, Iterations: len(e.Iterations), Arms: []string{},
	}
	box := Decide(s)
	r.Call, r.Text, r.Verdict = box.Call, box.Text, "inconclusive"
	if it == nil {
		r.State, r.Health, r.Why = Scheduled, Unlooked, s.notLooked()
		return r
	}
	e = e.AsOf(it)
	r.Iteration, r.State, r.Planned = it.Number, StateOf(it, s.Now), e.PlannedUnits
	r.Start, r.EnrolUntil, r.End = it.Start, it.EnrolUntil, it.End
	r.Arms = append(r.Arms, e.Control)
	for _, v := range e.Variants {
		if v.Key != e.Control {
			r.Arms = append(r.Arms, v.Key)
		}
	}
	if s = s.merged(); s.Document == nil {
		r.Health, r.Why = Unlooked, s.notLooked()
		return r
	}
	r.look(s, look)
	r.Main = mainEffect(e, s.Document, r.Arms[1:])
	return r
}

// look fills in what the document says.
func (r *Row) look(s Subject, id string) {
	d := s.Document
	r.Health, r.Why = s.fitness()
	r.Verdict, r.Units = Overall(d), UnitsOf(d)
	r.Look, r.At, r.Freshness, r.Newest, r.Version = id, d.At, d.Freshness, d.Newest, d.Version
	if g := s.Guard; g != nil && g.At.After(d.At) {
		r.Freshness, r.Newest = g.Freshness, g.Newest
	}
	if d.Kill != nil {
		r.Kill = d.Kill.State
	}
}

// mainEffect is that of the primary goal, else of the first one that has numbers.
func mainEffect(e *experiment.Experiment, d *results.Document, arms []string) *Effect {
	names := e.Goals
	if p := e.Families.Primary; p != "" {
		names = append([]string{p}, names...)
	}
	complete, open := goalsOf(d, true), goalsOf(d, false)
	for _, name := range names {
		for _, arm := range arms {
			for _, goals := range [][]goal{complete, open} {
				for i := range goals {
					if g := &goals[i]; g.Metric == name && g.Arm == arm && g.Absolute.Estimate.Known() {
						return &g.Effect
					}
				}
			}
		}
	}
	return nil
}

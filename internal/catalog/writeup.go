package catalog

import (
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Writeup is what is left to say of an experiment: hypothesis, result, decision, what was
// learnt, and where the rest is.
type Writeup struct {
	Experiment      string             `json:"experiment"`
	Owner           string             `json:"owner"`
	At              time.Time          `json:"at"` // when it was written
	Objective       string             `json:"objective,omitempty"`
	Hypothesis      string             `json:"hypothesis,omitempty"`
	SuccessCriteria string             `json:"success_criteria,omitempty"`
	RollbackPlan    string             `json:"rollback_plan,omitempty"`
	UnitKind        string             `json:"unit_kind"`
	Arms            []WrittenArm       `json:"arms"`
	PlannedUnits    int64              `json:"planned_units,omitempty"`
	Alpha           float64            `json:"alpha"`
	AlphaKill       float64            `json:"alpha_kill"`
	Iterations      []WrittenRun       `json:"iterations"` // that were looked at
	Of              int                `json:"of"`         // iterations that there are
	Together        []results.Together `json:"runs_together"`
	Decisions       []WrittenLine      `json:"decisions"` // of the decision log, oldest first
	Notes           []WrittenLine      `json:"notes"`     // what was learnt
	Links           experiment.Links   `json:"links,omitzero"`
	LogHead         string             `json:"log_head,omitempty"` // vouches for the log
}

// WrittenArm is one arm of the design.
type WrittenArm struct {
	Variant string  `json:"variant"`
	Share   float64 `json:"share"`
	Control bool    `json:"control"`
}

// WrittenRun is one iteration with what it showed.
type WrittenRun struct {
	Number  uint32          `json:"number"`
	Repeats uint32          `json:"repeats,omitempty"`
	Start   time.Time       `json:"start"`
	End     time.Time       `json:"end"`
	Killed  *results.Killed `json:"killed,omitempty"`
	Call    Call            `json:"call"`
	Text    string          `json:"text"`
	Effects []WrittenEffect `json:"effects"`
}

// WrittenEffect is an effect with what the metric is there for.
type WrittenEffect struct {
	Effect
	Goal      bool   `json:"goal"`
	Guardrail bool   `json:"guardrail"`
	Verdict   string `json:"verdict,omitempty"` // what was last said of the guardrail
}

// WrittenLine is a line of the decision log.
type WrittenLine struct {
	Decision uint64    `json:"decision"`
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	By       string    `json:"by"`
	Text     string    `json:"text"`
}

// noted is the kind of a line that is a person's note.
const noted = "noted"

// WriteUp puts it together. Documents are one of each iteration that was looked at, in
// order; lines are those of the experiment in the decision log, oldest first.
func WriteUp(e *experiment.Experiment, documents []*results.Document, lines []WrittenLine, head string, now time.Time) *Writeup {
	w := &Writeup{
		Experiment: e.Key, Owner: e.Owner, At: now.UTC(), Objective: e.Objective, Hypothesis: e.Hypothesis, SuccessCriteria: e.SuccessCriteria,
		RollbackPlan: e.RollbackPlan, UnitKind: e.UnitKind, PlannedUnits: e.PlannedUnits, Alpha: e.Alpha, AlphaKill: e.AlphaKill,
		Iterations: []WrittenRun{}, Of: len(e.Iterations), Together: results.RunsTogether(e, documents),
		Decisions: []WrittenLine{}, Notes: []WrittenLine{}, Links: e.Links, LogHead: head,
	}
	if w.Together == nil {
		w.Together = []results.Together{}
	}
	for _, v := range e.Variants {
		w.Arms = append(w.Arms, WrittenArm{v.Key, v.Share, v.Key == e.Control})
	}
	for _, d := range documents {
		if it := e.Iteration(d.Iteration); it != nil {
			w.Iterations = append(w.Iterations, writtenRun(e, it, d, now))
		}
	}
	for _, l := range lines {
		switch {
		case l.Kind == noted:
			w.Notes = append(w.Notes, l)
		case l.Text != "":
			w.Decisions = append(w.Decisions, l)
		}
	}
	return w
}

func writtenRun(e *experiment.Experiment, it *experiment.Iteration, d *results.Document, now time.Time) WrittenRun {
	box := Decide(Subject{Experiment: e, Iteration: it, Document: d, Now: now})
	out := WrittenRun{Number: it.Number, Repeats: it.Repeats, Start: it.Start, End: it.End, Call: box.Call, Text: box.Text, Effects: []WrittenEffect{}}
	if k := it.Killed; k != nil {
		out.Killed = &results.Killed{At: k.At, Decision: k.Decision, Reason: k.Reason}
	}
	for i := range d.Comparisons {
		c := &d.Comparisons[i]
		x := WrittenEffect{Effect: EffectOf(c, d.At, c.Matured.Absolute.Estimate.Known()), Goal: c.Goal, Guardrail: c.Guardrail}
		for j := range d.Verdicts {
			if v := &d.Verdicts[j]; c.Guardrail && v.Metric == c.Metric && v.Arm == c.Arm {
				x.Verdict = v.Verdict
			}
		}
		out.Effects = append(out.Effects, x)
	}
	return out
}

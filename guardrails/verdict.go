package guardrails

import (
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// Verdict is the answer of one step.
type Verdict struct {
	Rule   Rule      `json:"rule"`
	At     time.Time `json:"at"`
	Kind   Kind      `json:"verdict"`
	Reason Reason    `json:"reason"`
	// Act is what is to be done now, because of this step. A latched verdict
	// has nothing to do: it was done when it latched.
	Act  Act    `json:"act"`
	Text string `json:"text"` // one sentence for people

	Harm    *results.Test `json:"harm,omitempty"` // open data, H0: harm ≤ margin, at the rule's part of the budget
	Safe    *results.Test `json:"safe,omitempty"` // matured data, H0: harm ≥ margin, at the unsplit α
	Gate    *results.Gate `json:"gate,omitempty"` // of the open data
	Holding *Hold         `json:"holding,omitempty"`
	Latch   *Latch        `json:"latch,omitempty"`
}

// Hold is a breach that has not persisted long enough.
type Hold struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// Evidence is everything that a verdict follows from: the exact sums give the
// observation, and Step of that the verdict again, today and in ten years.
type Evidence struct {
	Rule        Rule                `json:"rule"`
	State       State               `json:"state"`            // before the step
	Vector      map[uint16]uint64   `json:"vector,omitempty"` // shard → last part in the numbers: the look's identity
	Cells       []*results.CellSums `json:"cells,omitempty"`  // exact sums of the pair, integers as decimal text
	Observation Observation         `json:"observation"`
	Verdict     Verdict             `json:"verdict"`
}

// NewEvidence is the evidence of a verdict, with what it takes from the document.
func NewEvidence(d *results.Document, before State, o Observation, v Verdict) Evidence {
	return Evidence{Rule: v.Rule, State: before, Vector: d.Vector, Cells: newPairSums(d, v.Rule).cells, Observation: o, Verdict: v}
}

// Replay decides again from the evidence alone.
func (e Evidence) Replay() Verdict {
	_, v := Step(e.Rule, e.State, e.recount())
	return v
}

// Result is the verdict as documents hold it.
func (v Verdict) Result() results.Verdict {
	out := results.Verdict{
		Metric: v.Rule.Metric, Arm: v.Rule.Arm, Mode: string(v.Rule.Mode), Limit: string(v.Rule.Limit),
		Margin: v.Rule.Margin, Relative: v.Rule.Relative, Method: string(v.Rule.Method),
		Verdict: v.Kind.String(), Reason: string(v.Reason), Act: v.Act.String(), Text: v.Text,
		Harm: v.Harm, Safe: v.Safe, Gate: v.Gate,
	}
	if v.Holding != nil {
		out.Since = v.Holding.Since
	}
	if v.Latch != nil {
		out.LatchedAt = v.Latch.At
	}
	return out
}

// Overall is the verdict of an experiment: the gravest of its rules'. Without
// rules it is inconclusive, and healthy only when all are.
func Overall(verdicts []Verdict) Kind {
	if len(verdicts) == 0 {
		return Inconclusive
	}
	order := []Kind{Breached, Blind, Error, Inconclusive, Healthy}
	worst := len(order) - 1
	for _, v := range verdicts {
		worst = min(worst, slices.Index(order, v.Kind))
	}
	return order[worst]
}

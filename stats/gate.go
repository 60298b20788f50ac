package stats

import (
	"fmt"
	"math"
)

// Units with a value other than zero that an arm must be expected to have
// before a sequential decision counts.
const (
	GateEvents       = 50
	GateEventsBinary = 30
)

// GateResult says whether enough has happened to decide.
type GateResult struct {
	Passes   bool
	Have     float64 // expected non-zero units of the smaller arm, had there been no effect
	Need     float64
	Warnings []Warning
}

// Gate asks whether there are enough events for the normal approximation:
// the non-zero units of both arms together, times the smaller arm's intended
// share of the pair, against 50 (30 for a binary metric). Both arms are
// counted together so that an arm that lost everything can still be judged.
// A share outside (0, 1) closes the gate.
func (p Pair) Gate(smallerShare float64, binary bool) GateResult {
	need := float64(GateEvents)
	if binary {
		need = GateEventsBinary
	}
	if !(smallerShare > 0 && smallerShare < 1) {
		return GateResult{Need: need, Warnings: []Warning{{InvalidPlan,
			fmt.Sprintf("the smaller arm's share is %v, it must lie between 0 and 1", smallerShare)}}}
	}
	smallerShare = math.Min(smallerShare, 1-smallerShare)
	events := float64(p.Treatment.NonZero) + float64(p.Control.NonZero)
	g := GateResult{Have: events * smallerShare, Need: need}
	g.Passes = g.Have >= g.Need
	if !g.Passes {
		g.Warnings = []Warning{{FewEvents, fmt.Sprintf(
			"%.0f units with an event, %.0f are needed before a decision", events,
			math.Ceil(need/smallerShare))}}
	}
	return g
}

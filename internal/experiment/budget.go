package experiment

import (
	"cmp"
	"slices"
)

// DefaultAlphaKill is the budget of false kills of an iteration that declares none.
const DefaultAlphaKill = 0.05

// Limit is why a guardrail may at most notify, whatever its mode. "" is no limit.
type Limit string

// The limits.
const (
	LimitRetrospective Limit = "retrospective" // the iteration started before it was applied
	LimitNotRearmed    Limit = "notify_only"   // opened by resume without a new budget
	LimitAddedLater    Limit = "added_later"   // not among the guardrails that share the budget
	LimitNeverKill     Limit = "never_kill"    // declared to take no part of the budget (action: alert)
	LimitOpenCap       Limit = "open_cap"      // the metric's cap is a percentile that is no number yet
)

// BudgetPart is what one guardrail may err by in one arm.
type BudgetPart struct {
	Guardrail int     // by index of the experiment's guardrails, as of the iteration
	Arm       int     // by index of its variants
	Alpha     float64 // over all looks
	Declared  bool    // of the budget of false kills, not of the one for messages
	Limit     Limit
}

// BudgetOf divides the budgets of an iteration among the guardrails of the experiment as
// of it (AsOf): guardrails × arms, in the order of the file. That of false kills is split over what was declared at the start, whatever
// the modes are now. The guardrails outside it may only notify; they share a second
// one of the same size, so that no number of them makes false messages likely.
func (e *Experiment) BudgetOf(it *Iteration) []BudgetPart {
	budget := cmp.Or(it.AlphaKill, e.AlphaKill, DefaultAlphaKill)
	arms := len(e.Variants) - 1
	outside := 0
	for i := range e.Guardrails {
		if !it.declared(&e.Guardrails[i]) {
			outside += arms
		}
	}
	parts := make([]BudgetPart, 0, arms*len(e.Guardrails))
	for i := range e.Guardrails {
		g := &e.Guardrails[i]
		p := BudgetPart{Guardrail: i, Declared: it.declared(g), Limit: it.LimitOf(g), Alpha: budget / float64(outside)}
		if p.Declared {
			p.Alpha = budget / float64(cmp.Or(it.KillRules, len(it.KillGuardrails)*arms))
		}
		for v := range e.Variants {
			if e.Variants[v].Key != e.Control {
				p.Arm = v
				parts = append(parts, p)
			}
		}
	}
	return parts
}

// declared tells whether the guardrail has a part of the iteration's budget.
func (it *Iteration) declared(g *Guardrail) bool { return slices.Contains(it.KillGuardrails, g.Metric) }

// LimitOf says why a guardrail may at most notify in this iteration.
func (it *Iteration) LimitOf(g *Guardrail) Limit {
	switch {
	case it.Retrospective:
		return LimitRetrospective
	case it.NotifyOnly:
		return LimitNotRearmed
	case g.NeverKill:
		return LimitNeverKill
	case !it.declared(g):
		return LimitAddedLater
	}
	if m := it.Metric(g.Metric); m != nil && m.CapOpen() {
		return LimitOpenCap
	}
	return ""
}

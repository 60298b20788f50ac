package guardrails

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// Rule is one guardrail for one treatment arm of one iteration, with everything
// that deciding needs. It is made from the applied version and never changes
// with the data.
type Rule struct {
	Experiment string               `json:"experiment"`
	Iteration  uint32               `json:"iteration"`
	Metric     string               `json:"metric"`
	Arm        string               `json:"arm"`
	Control    string               `json:"control"`
	Direction  experiment.Direction `json:"direction"`
	Binary     bool                 `json:"binary,omitempty"`
	Margin     float64              `json:"margin"`   // tolerated harm, ≥ 0
	Relative   bool                 `json:"relative"` // Margin is a fraction of the control's mean

	Mode     experiment.Mode     `json:"mode"`
	Limit    Limit               `json:"limit,omitempty"` // why it may at most notify
	Hold     time.Duration       `json:"hold,omitempty"`
	MinUnits int64               `json:"min_units,omitempty"` // per arm
	WarmUp   time.Duration       `json:"warm_up,omitempty"`
	OnNoData experiment.OnNoData `json:"on_no_data,omitempty"`

	AlphaKill      float64 `json:"alpha_kill"`      // this rule's part of its budget, for breached
	Alpha          float64 `json:"alpha"`           // unsplit, for healthy
	PlannedUnits   float64 `json:"planned_units"`   // N* of the pair
	TreatmentShare float64 `json:"treatment_share"` // of the pair, in the plan behind N*

	Start   time.Time     `json:"start"`
	End     time.Time     `json:"end"`
	Stall   time.Duration `json:"stall"`   // freshness older than this is blind
	Silence time.Duration `json:"silence"` // newest counted event older than this is blind
}

// Limit is why a rule may at most notify, whatever its mode. "" is no limit.
type Limit string

// The limits.
const (
	Retrospective Limit = "retrospective" // the iteration started before it was applied
	NotRearmed    Limit = "notify_only"   // opened by resume without a new budget
	AddedLater    Limit = "added_later"   // not among the guardrails that share the budget
	NeverKill     Limit = "never_kill"    // declared to take no part of the budget
	OpenCap       Limit = "open_cap"      // the metric's cap is a percentile that is no number yet
)

// What a rule falls back to when the experiment does not say.
const (
	DefaultStall   = 60 * time.Second
	DefaultSilence = 10 * time.Minute
	DefaultAlpha   = 0.05
)

// Rules are the rules of an iteration: each guardrail for each arm that is not
// the control, in the order of the file. The budget is split over what was
// declared at the iteration's start, whatever the modes are now. The rules
// outside it may only notify; they share a second budget of the same size, so
// that no number of them makes false messages likely.
func Rules(e *experiment.Experiment, it *experiment.Iteration) []Rule {
	e = e.AsOf(it)
	budget := cmp.Or(it.AlphaKill, e.AlphaKill, DefaultAlpha)
	arms := len(e.Variants) - 1
	outside := 0
	for i := range e.Guardrails {
		if !declared(it, &e.Guardrails[i]) {
			outside += arms
		}
	}
	var rules []Rule
	for i := range e.Guardrails {
		g := &e.Guardrails[i]
		for v := range e.Variants {
			if e.Variants[v].Key == e.Control {
				continue
			}
			r := newRule(e, it, g, v)
			r.Limit = limitOf(it, g)
			r.AlphaKill = budget / float64(outside)
			if declared(it, g) {
				r.AlphaKill = budget / float64(cmp.Or(it.KillRules, len(it.KillGuardrails)*arms))
			}
			rules = append(rules, r)
		}
	}
	return rules
}

func newRule(e *experiment.Experiment, it *experiment.Iteration, g *experiment.Guardrail, arm int) Rule {
	r := Rule{
		Experiment: e.Key, Iteration: it.Number,
		Metric: g.Metric, Arm: e.Variants[arm].Key, Control: e.Control,
		Margin: g.Margin, Relative: g.Relative,
		Mode: g.Mode, Hold: g.Hold.Std(), MinUnits: g.MinUnits, WarmUp: g.WarmUp.Std(), OnNoData: g.OnNoData,
		Alpha:        cmp.Or(e.Alpha, DefaultAlpha),
		PlannedUnits: float64(e.PlannedUnits), TreatmentShare: results.PlannedShare(e, it, arm),
		Start: it.Start, End: it.End,
		Stall: cmp.Or(e.Stall.Std(), DefaultStall), Silence: cmp.Or(e.Silence.Std(), DefaultSilence),
	}
	if m := it.Metric(g.Metric); m != nil {
		r.Direction, r.Binary = m.Direction, m.Kind.Binary()
	}
	return r
}

// declared tells whether the guardrail has a part of the iteration's budget.
func declared(it *experiment.Iteration, g *experiment.Guardrail) bool {
	return slices.Contains(it.KillGuardrails, g.Metric)
}

func limitOf(it *experiment.Iteration, g *experiment.Guardrail) Limit {
	switch {
	case it.Retrospective:
		return Retrospective
	case it.NotifyOnly:
		return NotRearmed
	case g.NeverKill:
		return NeverKill
	case !declared(it, g):
		return AddedLater
	}
	if m := it.Metric(g.Metric); m != nil && m.CapOpen() {
		return OpenCap
	}
	return ""
}

// Allowed is the most that the rule may do.
func (r Rule) Allowed() Act {
	switch {
	case r.Mode == experiment.Kill && r.Limit == "":
		return DoKill
	case r.Mode == experiment.Kill, r.Mode == experiment.Notify:
		return DoNotify
	case r.Mode == experiment.Observe:
		return DoObserve
	default:
		return DoNothing
	}
}

// ID names the rule within its experiment and iteration.
func (r Rule) ID() string { return r.Metric + "/" + r.Arm }

// wrong says what makes the rule impossible to compute, "" when nothing does.
func (r Rule) wrong() string {
	switch {
	case r.Direction != experiment.Increase && r.Direction != experiment.Decrease:
		return fmt.Sprintf("metric %q is not defined in this iteration", r.Metric)
	case !(r.Margin >= 0):
		return fmt.Sprintf("the margin is %v, it must be at least 0", r.Margin)
	case !(r.AlphaKill > 0 && r.AlphaKill < 0.5) || !(r.Alpha > 0 && r.Alpha < 0.5):
		return fmt.Sprintf("the error rates are %v and %v, they must lie between 0 and 0.5", r.AlphaKill, r.Alpha)
	}
	return ""
}

func (r Rule) direction() stats.Direction {
	if r.Direction == experiment.Decrease {
		return stats.DecreaseIsGood
	}
	return stats.IncreaseIsGood
}

func (r Rule) plan(alpha float64) stats.Plan {
	return stats.Plan{PlannedUnits: r.PlannedUnits, TreatmentShare: r.TreatmentShare, Alpha: alpha, Strict: true}
}

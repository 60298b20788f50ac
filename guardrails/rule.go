package guardrails

import (
	"cmp"
	"fmt"
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
	Margin     float64              `json:"margin"`           // tolerated harm, ≥ 0
	Relative   bool                 `json:"relative"`         // Margin is a fraction of the control's mean
	Method     experiment.Method    `json:"method,omitempty"` // "": by the mean

	Mode     experiment.Mode `json:"mode"`
	Limit    Limit           `json:"limit,omitempty"` // why it may at most notify
	Hold     time.Duration   `json:"hold,omitempty"`
	MinUnits int64           `json:"min_units,omitempty"` // per arm
	// MinEvents are units with an event that the smaller arm must expect; less than the
	// method's own gate changes nothing.
	MinEvents int64               `json:"min_events,omitempty"`
	WarmUp    time.Duration       `json:"warm_up,omitempty"`
	OnNoData  experiment.OnNoData `json:"on_no_data,omitempty"`

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
type Limit = experiment.Limit

// What a rule falls back to when the experiment does not say.
const (
	DefaultStall   = 60 * time.Second
	DefaultSilence = 10 * time.Minute
	DefaultAlpha   = 0.05
)

// Rules are the rules of an iteration: each guardrail for each arm that is not
// the control, in the order of the file, with its part of the budget.
func Rules(e *experiment.Experiment, it *experiment.Iteration) []Rule {
	e = e.AsOf(it)
	parts := e.BudgetOf(it)
	rules := make([]Rule, len(parts))
	for i, p := range parts {
		rules[i] = newRule(e, it, &e.Guardrails[p.Guardrail], p.Arm)
		rules[i].Limit, rules[i].AlphaKill = p.Limit, p.Alpha
	}
	return rules
}

func newRule(e *experiment.Experiment, it *experiment.Iteration, g *experiment.Guardrail, arm int) Rule {
	r := Rule{
		Experiment: e.Key, Iteration: it.Number,
		Metric: g.Metric, Arm: e.Variants[arm].Key, Control: e.Control,
		Margin: g.Margin, Relative: g.Relative,
		Mode: g.Mode, Hold: g.Hold.Std(), MinUnits: g.MinUnits, MinEvents: g.MinEvents, WarmUp: g.WarmUp.Std(), OnNoData: g.OnNoData,
		Alpha:        cmp.Or(e.Alpha, DefaultAlpha),
		PlannedUnits: float64(e.PlannedUnits), TreatmentShare: results.PlannedShare(e, it, arm),
		Start: it.Start, End: it.End,
		Stall: cmp.Or(e.Stall.Std(), DefaultStall), Silence: cmp.Or(e.Silence.Std(), DefaultSilence),
	}
	if g.MethodOf() == experiment.ByCount {
		r.Method = experiment.ByCount
	}
	if m := it.Metric(g.Metric); m != nil {
		r.Direction, r.Binary = g.DirectionOf(m), m.Kind.Binary()
	}
	return r
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
	case r.Method == experiment.ByCount && !r.Relative && r.Margin != 0:
		return "a count test compares rates, so its margin must be relative"
	case r.Method != "" && r.Method != experiment.ByMean && r.Method != experiment.ByCount:
		return fmt.Sprintf("there is no method %q", r.Method)
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

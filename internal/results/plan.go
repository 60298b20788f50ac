package results

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// Plan is how one question about an experiment is answered: by which method, why,
// and what that rests on.
type Plan struct {
	For    string      `json:"for"` // PlanInterval, PlanGuardrail, PlanSplit
	Metric string      `json:"metric,omitempty"`
	Arm    string      `json:"arm,omitempty"`
	Phase  uint16      `json:"phase,omitempty"`
	Method string      `json:"method"`
	Why    string      `json:"why"` // one sentence
	Gates  []Condition `json:"gates"`
}

// What a plan is for.
const (
	PlanInterval  = "interval"  // of a metric of an arm
	PlanGuardrail = "guardrail" // a rule's verdict
	PlanSplit     = "split"     // of a phase's units between the arms
)

// The methods of a plan.
const (
	MethodWelch    = "welch"            // means and shares of units: Welch, Fieller, mixture
	MethodDelta    = "delta"            // ratios: the same on linearised units
	MethodQuantile = "quantile"         // order statistics with the unit as the cluster
	MethodCUPED    = "cuped"            // y − θ*x, then as welch
	MethodGroup    = "group_sequential" // dated looks with a spending function
	MethodMargin   = "margin"           // one-sided mixture on the margin's linear form
	MethodCount    = "count"            // in which arm the units with an event are, against the shares
	MethodSRM      = "srm"              // Dirichlet-multinomial Bayes factor
)

// Condition is a gate or an assumption of a method.
type Condition struct {
	Code  string `json:"code"`
	State string `json:"state"` // Met, NotMet, Assumed
	Text  string `json:"text"`
	// Have and Need count Of; null where nothing is counted. Lift is the number of
	// units of both arms at which the gate opens, at the rates seen so far; 0 when it
	// is open, when nothing was seen yet, or when no number of units would do.
	Have Number `json:"have"`
	Need Number `json:"need"`
	Of   string `json:"of,omitempty"`
	Lift int64  `json:"lift_units,omitempty"`
}

// The states of a condition.
const (
	Met     = "met"
	NotMet  = "not met"
	Assumed = "assumed" // the data cannot show it
)

// PlanAnalysis chooses the methods for an experiment's questions and holds their
// conditions against a look: a full one for all metrics. It is computed when
// somebody asks and not stored. A look of an iteration that the experiment does not
// have gives no plan.
func PlanAnalysis(e *experiment.Experiment, d *Document) []Plan {
	it := findIteration(e, d.Iteration)
	if it == nil {
		return nil
	}
	c := readBack(e, it, d)
	var out []Plan
	for i := range it.Metrics {
		for arm, v := range c.e.Variants {
			if v.Key != c.e.Control {
				out = append(out, c.plans(&it.Metrics[i], arm)...)
			}
		}
	}
	for i := range d.Phases {
		out = append(out, planSplit(&d.Phases[i]))
	}
	slices.SortStableFunc(out, func(a, b Plan) int { return cmp.Compare(planOrder(a), planOrder(b)) })
	return out
}

// readBack makes of a document again what it was computed from, without dimensions.
func readBack(e *experiment.Experiment, it *experiment.Iteration, d *Document) *computation {
	c := &computation{e: e.AsOf(it), it: it, doc: d, main: map[string][]Cell{}}
	for _, s := range d.Cells {
		if s.Dimension == "" {
			c.main[s.Metric] = append(c.main[s.Metric], Cell{Experiment: e.Key, Iteration: it.Number, Phase: s.Phase, Settling: s.Settling,
				Variant: s.Variant, Metric: s.Metric, Open: s.Open.Sums(), Matured: s.Matured.Sums()})
		}
	}
	return c
}

func planOrder(p Plan) int {
	return slices.Index([]string{PlanInterval, PlanGuardrail, PlanSplit}, p.For)
}

// plans are those of one metric of one arm.
func (c *computation) plans(m *experiment.Metric, arm int) []Plan {
	q := c.question(m, arm)
	var out []Plan
	if m.Kind.Fast() {
		p := Plan{For: PlanInterval, Metric: m.Name, Arm: q.arm, Method: MethodWelch, Why: whyWelch(m) + q.together(), Gates: q.intervalGates()}
		if m.Kind == experiment.Ratio {
			p.Method, p.Why = MethodDelta, whyDelta+q.together()
		}
		out = append(out, p)
	}
	if p, ok := q.datedPlan(); ok {
		out = append(out, p)
	}
	if p, ok := q.slowPlan(); ok {
		out = append(out, p)
	}
	for i := range c.e.Guardrails {
		if g := &c.e.Guardrails[i]; g.Metric == m.Name {
			out = append(out, q.guardrailPlan(g))
		}
	}
	return out
}

// question is one metric of one arm with what is known of it.
type question struct {
	c    *computation
	m    *experiment.Metric
	arm  string
	goal bool
	// open and matured are the pairs; pair is the one that the interval is read from.
	open, matured, pair stats.Pair
	share, openShare    float64 // smaller arm's intended part of the events of pair and of open
	unequal             bool
}

func (c *computation) question(m *experiment.Metric, arm int) question {
	q := question{c: c, m: m, arm: c.e.Variants[arm].Key, goal: slices.Contains(c.e.Goals, m.Name), unequal: unequal(c.e, c.it, arm)}
	if m.Kind.Fast() {
		q.open = stats.Combine(c.strata(m, q.arm, openSums))
		if !c.doc.Freshness.IsZero() {
			q.matured = stats.Combine(c.strata(m, q.arm, maturedSums))
		}
	}
	q.pair, q.share = q.open, c.smallerShare(m, arm, openSums)
	q.openShare = q.share
	if q.goal {
		q.pair, q.share = q.matured, c.smallerShare(m, arm, maturedSums)
	}
	return q
}

// smallerShare is the smaller arm's intended part of the non-zero units, each phase
// with its own share; without any unit that of the last phase.
func (c *computation) smallerShare(m *experiment.Metric, arm int, pick which) float64 {
	control := c.e.VariantIndex(c.e.Control)
	var nonZero, expected, last float64
	for _, p := range c.it.Phases {
		s := PairShare(p.Shares, arm, control)
		if s = min(s, 1-s); s <= 0 {
			continue
		}
		last = s
		n := float64(c.sums(m.Name, p.Number, false, c.e.Variants[arm].Key, pick).NonZero +
			c.sums(m.Name, p.Number, false, c.e.Control, pick).NonZero)
		nonZero, expected = nonZero+n, expected+n*s
	}
	if nonZero == 0 {
		return last
	}
	return expected / nonZero
}

func whyWelch(m *experiment.Metric) string {
	const how = ": Welch's t for one look, Fieller for the lift, the normal mixture for every look"
	switch {
	case m.Kind.Binary():
		return fmt.Sprintf("%s is a share of units, which is a mean of zeros and ones%s", m.Name, how)
	case m.Cap != nil && !m.CapOpen():
		return fmt.Sprintf("%s is a mean over all exposed units of totals cut at %s, and an effect is one on the cut totals%s", m.Name, m.Cap.At, how)
	}
	return fmt.Sprintf("%s is a mean over all exposed units%s", m.Name, how)
}

const whyDelta = "a ratio's events are not independent, so units are the clusters (delta method), and from there it goes like a mean: Welch, Fieller, the normal mixture"

// together says in which family the comparison is judged.
func (q question) together() string {
	if f := goalsOf(q.c.e); f != nil && q.goal {
		return fmt.Sprintf("; it is one of %d goals × arms, judged together (%s)", f.Size, f.Correction)
	}
	return ""
}

// guardrailPlan is that of a rule.
func (q question) guardrailPlan(g *experiment.Guardrail) Plan {
	margin, form := "any harm", ""
	switch {
	case g.Relative:
		margin, form = fmt.Sprintf("harm beyond %v %% of the control's mean", 100*g.Margin), " of the linear form (no division by an uncertain mean)"
	case g.Margin > 0:
		margin = fmt.Sprintf("harm beyond %v", g.Margin)
	}
	if g.MethodOf() == experiment.ByCount {
		return Plan{For: PlanGuardrail, Metric: q.m.Name, Arm: q.arm, Method: MethodCount, Gates: q.guardrailGates(g),
			Why: fmt.Sprintf("%s of the rate of units with an event, asked of rare events as the file says: in which arm they are, at every look, without an approximation", margin)}
	}
	return Plan{
		For: PlanGuardrail, Metric: q.m.Name, Arm: q.arm, Method: MethodMargin,
		Why:   fmt.Sprintf("%s is a question of one direction: the one-sided mixture%s at every look, with the larger of the unpooled and the pooled error, so that an arm that lost everything is judged too", margin, form),
		Gates: q.guardrailGates(g),
	}
}

// datedPlan is that of a goal with dated looks.
func (q question) datedPlan() (Plan, bool) {
	dates := q.c.e.DatesOf(q.c.it)
	if !q.goal || !q.m.Kind.Fast() || len(dates) == 0 {
		return Plan{}, false
	}
	return Plan{
		For: PlanInterval, Metric: q.m.Name, Arm: q.arm, Method: MethodGroup, Gates: q.intervalGates(),
		Why: fmt.Sprintf("the file dates %d looks, so the goal is decided at them and at no other time: z against the boundary that %s spending leaves by the units of the look over the %d planned ones, p and interval in stage-wise order", len(dates), q.c.e.Looks.Design, q.c.e.PlannedUnits),
	}, true
}

// slowPlan is that of what stored events give: a quantile, or a covariate's part.
func (q question) slowPlan() (Plan, bool) {
	covariate := cmp.Or(q.m.Covariate, q.c.e.Covariate)
	p := Plan{For: PlanInterval, Metric: q.m.Name, Arm: q.arm}
	switch {
	case q.m.Kind == experiment.Quantile:
		p.Method = MethodQuantile
		p.Why = "a quantile of events has no sums to add up: order statistics of the stored events give its error, widened by the design effect, since units are what was randomised" + q.together()
	case covariate == "":
		return Plan{}, false
	default:
		p.Method = MethodCUPED
		p.Why = whyCovariate(SlowMetric{Metric: q.m, Covariate: covariate})
	}
	p.Gates = q.slowGates(p.Method)
	return p, true
}

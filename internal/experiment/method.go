package experiment

import "fmt"

// Countable tells whether a unit's y is other than zero exactly when it had an
// event, so that units with an event can be counted in place of averaging.
func (k Kind) Countable() bool { return k.Binary() || k == Count }

// checkMethod refuses a count test where there is nothing for it to count. It
// knows rates only up to the traffic, so it has no absolute margin.
func (set *Set) checkMethod(e *experimentFile, i int) {
	g := &e.Guardrails[i]
	m := set.metric(g.Metric)
	if g.Method != ByCount || m == nil || m.Kind == "" {
		return
	}
	method, margin := fmt.Sprintf("guardrails[%d].method", i), fmt.Sprintf("guardrails[%d].margin", i)
	switch {
	case !m.Kind.Countable():
		e.refuse(method, RuleCountMethod, fmt.Sprintf("%s is a %s: method count compares how many units have an event", g.Metric, m.Kind),
			"use it for a proportion, a retention or a count, or leave method: out")
	case !g.Relative && g.Margin != 0:
		e.refuse(margin, RuleCountMethod, fmt.Sprintf("method count compares rates, and %s is a number of units", number(g.Margin)),
			"write the margin as a part of the control's rate, such as 20%, or 0 for any harm")
	case g.DirectionOf(&m.Metric) == Increase && g.Margin >= 1:
		e.refuse(margin, RuleCountMethod, fmt.Sprintf("no rate falls by more than all of it, so a margin of %s is never exceeded", percent(g.Margin)), "")
	}
}

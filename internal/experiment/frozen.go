package experiment

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// difference is a change of the design: of what is fixed while an iteration runs.
type difference struct {
	path string // in the file
	what string
	was  string
	is   string // "" when it is taken out
}

// designChanges lists what differs in the design of an experiment and its file.
// Not in the list, because free at any time: owner, texts, links, modes, new
// goals and guardrails, the switch's name.
func (e *experimentFile) designChanges(before *Experiment) []difference {
	was, is := designFacts(before), designFacts(&e.Experiment)
	var out []difference
	for i := range was {
		if was[i].is != is[i].is {
			out = append(out, difference{is[i].path, is[i].what, was[i].is, is[i].is})
		}
	}
	for _, g := range before.Goals {
		if !slices.Contains(e.Goals, g) {
			out = append(out, difference{"goals", "goal", g, ""})
		}
	}
	return append(out, e.guardrailChanges(before)...)
}

// designFacts lists the design of an experiment as texts, always in one order.
func designFacts(e *Experiment) []difference {
	fact := func(what, is string) difference { return difference{path: what, what: what, is: is} }
	return []difference{
		fact("unit_kind", e.UnitKind),
		fact("variants", variantList(e.Variants)),
		fact("control", e.Control),
		fact("window", e.Window.String()),
		fact("grace", e.Grace.String()),
		fact("crossovers", string(e.Crossovers)),
		fact("exclude", conditionList(e.Exclude)),
		fact("dimensions", dimensionList(e.Dimensions)),
		fact("consent", e.Consent.String()),
		fact("attributes", e.Attributes.String()),
		fact("covariate", cmp.Or(e.Covariate, "none")),
		fact("planned_units", planned(e.PlannedUnits)),
		fact("alpha", percent(e.Alpha)),
		fact("alpha_kill", percent(e.AlphaKill)),
		fact("families", e.Families.String()),
		fact("looks", e.Looks.String()),
		fact("stall", e.Stall.String()),
		fact("silence", e.Silence.String()),
		fact("checks.crossovers.limit", e.Checks.limitText()),
		fact("assignment", e.Assignment.fact()),
		fact("checks.assignment", e.Checks.assignmentText()),
	}
}

// guardrailChanges lists guardrails that are gone and facts of one that are not
// its mode.
func (e *experimentFile) guardrailChanges(before *Experiment) []difference {
	var out []difference
	for _, was := range before.Guardrails {
		i := slices.IndexFunc(e.Guardrails, func(g Guardrail) bool { return g.Metric == was.Metric })
		if i < 0 {
			out = append(out, difference{"guardrails", "guardrail", was.Metric, ""})
			continue
		}
		a, b := guardrailFacts(was), guardrailFacts(e.Guardrails[i])
		for k := range a {
			if a[k].is != b[k].is {
				out = append(out, difference{fmt.Sprintf("guardrails[%d].%s", i, b[k].what), was.Metric + "'s " + b[k].what, a[k].is, b[k].is})
			}
		}
	}
	return out
}

func guardrailFacts(g Guardrail) []difference {
	fact := func(what, is string) difference { return difference{what: what, is: is} }
	tolerated := number(g.Margin)
	if g.Relative {
		tolerated = percent(g.Margin)
	}
	return []difference{
		fact("direction", cmp.Or(string(g.Direction), "the metric's")),
		fact("margin", tolerated),
		fact("method", string(g.MethodOf())),
		fact("hold", g.Hold.String()),
		fact("min_units", strconv.FormatInt(g.MinUnits, 10)),
		fact("min_events", strconv.FormatInt(g.MinEvents, 10)),
		fact("warm_up", g.WarmUp.String()),
		fact("on_no_data", string(g.OnNoData)),
		fact("action", string(actionOf(g))),
	}
}

func actionOf(g Guardrail) action {
	if g.NeverKill {
		return alertOnly
	}
	return turnOff
}

// refuseFrozen refuses changes of the design while an iteration runs.
func (e *experimentFile) refuseFrozen(changes []difference, running *Iteration) {
	for _, d := range changes {
		text := fmt.Sprintf("%s cannot change from %s to %s", d.what, d.was, d.is)
		if d.is == "" {
			text = fmt.Sprintf("%s %s cannot be taken out", d.what, d.was)
		}
		e.refuse(d.path, RuleFrozen, fmt.Sprintf("%s while iteration %d runs (until %s)", text, running.Number, stamp(running.End)), frozenHint(d.what))
	}
}

func frozenHint(what string) string {
	if what == "variants" {
		return "shares change by a phase: iterations: [{phases: [{}, {shares: {…}}]}]; for other variants " + hintNewIteration
	}
	return hintNewIteration
}

// number writes a float shortly; fifteen digits hide the dust of binary floats.
func number(x float64) string { return strconv.FormatFloat(x, 'g', 15, 64) }

func percent(x float64) string { return number(x*100) + "%" }

func planned(n int64) string {
	if n == 0 {
		return "the default"
	}
	return strconv.FormatInt(n, 10)
}

func variantList(variants []Variant) string {
	shares := make([]float64, len(variants))
	for i, v := range variants {
		shares[i] = v.Share
	}
	return shareList(variants, shares)
}

func shareList(variants []Variant, shares []float64) string {
	parts := make([]string, len(shares))
	for i, s := range shares {
		parts[i] = percent(s)
		if i < len(variants) {
			parts[i] = variants[i].Key + ": " + parts[i]
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func conditionList(conditions []Condition) string {
	parts := make([]string, len(conditions))
	for i, c := range conditions {
		parts[i] = c.String()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func dimensionList(dimensions []Dimension) string {
	parts := make([]string, len(dimensions))
	for i, d := range dimensions {
		parts[i] = fmt.Sprintf("%s: %q", d.Attribute, d.Values)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

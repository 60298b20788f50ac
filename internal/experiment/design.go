package experiment

import "slices"

// AsOf returns the experiment as it was when the iteration ran: the same one,
// unless the file's design was changed after the iteration had ended. Whoever
// counts or judges an iteration reads the window, the variants, the dimensions
// and so on from here. Goals and guardrails that the iteration does not count,
// because they came after its end, are left out.
func (e *Experiment) AsOf(it *Iteration) *Experiment {
	then := e
	if it.Design != nil {
		then = e.under(it.Design)
	}
	uncounted := func(name string) bool { return it.Metric(name) == nil }
	if !slices.ContainsFunc(then.metricNames(), uncounted) {
		return then
	}
	out := *then
	out.Goals = slices.DeleteFunc(slices.Clone(then.Goals), uncounted)
	out.Guardrails = slices.DeleteFunc(slices.Clone(then.Guardrails), func(g Guardrail) bool { return uncounted(g.Metric) })
	return &out
}

// ModeOf tells what a breach of a guardrail may do in this iteration. Mode kill
// is notify where killing was ruled out from the start: in a retrospective
// iteration, in one that was resumed without a new budget, for a guardrail that
// was added after the start, and for a metric whose cap is not a number yet.
func (it *Iteration) ModeOf(g Guardrail) Mode {
	if g.Mode == Kill && it.LimitOf(&g) != "" {
		return Notify
	}
	return g.Mode
}

// under puts a design into a copy of the experiment.
func (e *Experiment) under(d *Design) *Experiment {
	then := *e
	then.UnitKind, then.Variants, then.Control = d.UnitKind, d.Variants, d.Control
	then.Window, then.Grace, then.Crossovers, then.Dimensions = d.Window, d.Grace, d.Crossovers, d.Dimensions
	then.Exclude, then.Covariate = d.Exclude, d.Covariate
	then.Consent, then.Attributes = d.Consent, d.Attributes
	then.PlannedUnits, then.Alpha, then.AlphaKill = d.PlannedUnits, d.Alpha, d.AlphaKill
	then.Stall, then.Silence, then.Families = d.Stall, d.Silence, d.Families
	then.Looks = d.Looks
	then.Goals, then.Guardrails, then.Checks = d.Goals, d.Guardrails, d.Checks
	then.Assignment = d.Assignment
	return &then
}

// design is the part of the experiment that an iteration keeps.
func (e *Experiment) design() *Design {
	return &Design{
		UnitKind: e.UnitKind, Variants: slices.Clone(e.Variants), Control: e.Control,
		Window: e.Window, Grace: e.Grace, Crossovers: e.Crossovers, Dimensions: slices.Clone(e.Dimensions),
		Exclude: slices.Clone(e.Exclude), Covariate: e.Covariate, Consent: e.Consent, Attributes: e.Attributes,
		PlannedUnits: e.PlannedUnits, Alpha: e.Alpha, AlphaKill: e.AlphaKill,
		Stall: e.Stall, Silence: e.Silence, Families: e.Families, Looks: e.Looks.clone(),
		Goals: slices.Clone(e.Goals), Guardrails: slices.Clone(e.Guardrails), Checks: e.Checks,
		Assignment: e.Assignment,
	}
}

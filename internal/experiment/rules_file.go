package experiment

// GuardrailRules are guardrails on their own, as somebody tries them out on what
// happened: they belong to no experiment and are never applied.
type GuardrailRules struct {
	AlphaKill  float64 // 0: the experiment's
	Guardrails []Guardrail
}

type rulesText struct {
	alphaKill  float64
	guardrails []guardrailText
}

func rulesFields() []field[rulesText] {
	return []field[rulesText]{
		as("alpha_kill", level(), func(r *rulesText) *float64 { return &r.alphaKill }, "Budget of false kills; default: the experiment's."),
		must(as("guardrails", listOf(object(guardrailText{Guardrail: Guardrail{OnNoData: HoldOnNoData}}, guardrailFields()), 0),
			func(r *rulesText) *[]guardrailText { return &r.guardrails }, "As in an experiment file.")),
	}
}

// ParseRules reads guardrails as an experiment file has them.
func ParseRules(f File) (GuardrailRules, Problems) {
	s := newSource(f)
	root, ok := document(s, f.Data)
	if !ok {
		return GuardrailRules{}, s.problems.sorted()
	}
	text, _ := object(rulesText{}, rulesFields()).read(s, "", root)
	out := GuardrailRules{AlphaKill: text.alphaKill}
	for _, g := range text.guardrails {
		out.Guardrails = append(out.Guardrails, g.guardrail())
	}
	return out, s.problems.sorted()
}

// With is the experiment and one of its iterations as they would have been with the
// rules, declared in time.
func (r GuardrailRules) With(e *Experiment, it *Iteration) (Experiment, Iteration) {
	then, run := *e.AsOf(it), *it
	then.Guardrails, run.Design = r.Guardrails, nil
	if r.AlphaKill > 0 {
		run.AlphaKill = r.AlphaKill
	}
	run.Retrospective, run.NotifyOnly = false, false
	run.KillGuardrails = killGuardrails(r.Guardrails)
	run.KillRules = len(run.KillGuardrails) * (len(then.Variants) - 1)
	return then, run
}

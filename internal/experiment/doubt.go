package experiment

import (
	"fmt"
	"strings"
)

// doubt warns of what is allowed and seldom wise.
func (set *Set) doubt(e *experimentFile) {
	if len(e.Guardrails) == 0 {
		e.warn("", WarnNoGuardrails, e.Key+" has no guardrails", "nothing would stop it; add guardrails:")
	}
	e.doubtStory()
	for i, g := range e.Guardrails {
		mode := fmt.Sprintf("guardrails[%d].mode", i)
		switch m := set.metric(g.Metric); {
		case g.Mode != Kill:
		case m != nil && m.CapOpen():
			e.warn(mode, WarnOpenCap, g.Metric+" only notifies until its cap is a number", "")
		case e.beginsAtApply():
			e.warn(mode, WarnNewKill, g.Metric+" may kill from the first look on, and nobody has seen it at work",
				"start a new guardrail with mode: observe; to move it to kill later costs nothing")
		}
	}
	for i, it := range e.text.iterations {
		set.doubtRamp(e, i)
		for j := range it.phases {
			e.doubtSplit(i, j)
		}
	}
}

// beginsAtApply tells whether the file is of an experiment that has not begun: its
// first iteration begins whenever it is applied.
func (e *experimentFile) beginsAtApply() bool {
	its := e.text.iterations
	return len(its) == 0 || len(its) == 1 && its[0].start.IsZero() && (its[0].number == nil || *its[0].number == 1)
}

// doubtStory misses what a reader of the result will ask for.
func (e *experimentFile) doubtStory() {
	var missing []string
	for _, f := range []string{"objective", "hypothesis", "success_criteria", "rollback_plan"} {
		if !e.written(f) {
			missing = append(missing, f)
		}
	}
	if len(missing) > 0 {
		e.warn("", WarnNoStory, fmt.Sprintf("%s does not say its %s", e.Key, strings.Join(missing, ", ")), "")
	}
}

// doubtSplit warns when a phase moves units between variants: those who return
// then see another variant, and only the traffic needed changing.
func (e *experimentFile) doubtSplit(i, j int) {
	phases := e.text.iterations[i].phases
	if j == 0 || len(phases[j].shares) == 0 {
		return
	}
	shares := e.sharesOf(phases)
	for k := range e.Variants {
		if shares[j-1][k] != shares[j][k] {
			e.warn(fmt.Sprintf("iterations[%d].phases[%d].shares", i, j), WarnSplitChanges,
				fmt.Sprintf("phase %d changes the split", j+1), "units that return may see another variant; ramp up with traffic: instead")
			return
		}
	}
}

// sharesOf gives the shares of each phase by index of the variants: what a phase
// does not say stays as it was.
func (e *experimentFile) sharesOf(phases []phaseText) [][]float64 {
	current := make([]float64, len(e.Variants))
	for i, v := range e.Variants {
		current[i] = v.Share
	}
	out := make([][]float64, len(phases))
	for j, p := range phases {
		if len(p.shares) > 0 {
			current = make([]float64, len(e.Variants))
			for _, sh := range p.shares {
				if k := e.VariantIndex(sh.key); k >= 0 {
					current[k] = float(sh.value)
				}
			}
		}
		out[j] = current
	}
	return out
}

package experiment

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// readExperiment reads an experiment file by its table and turns what needs no
// other file into the words of the domain.
func readExperiment(s *source, root ast.Node) *experimentFile {
	text, _ := object(defaultExperiment(), experimentFields()).read(s, "", root)
	e := &experimentFile{source: s, Experiment: text.Experiment, text: text}
	for _, v := range text.variants {
		e.Variants = append(e.Variants, Variant{Key: v.key, Share: float(v.value)})
	}
	for _, c := range text.exclude {
		e.Exclude = append(e.Exclude, condition(c))
	}
	for _, g := range text.guardrails {
		e.Guardrails = append(e.Guardrails, g.guardrail())
	}
	if e.Assignment = e.assignment(); e.Assignment.Ours() && !e.written("kill_switch") {
		e.KillSwitch = OwnSwitch
	}
	return e
}

func float(r *big.Rat) float64 {
	if r == nil {
		return 0
	}
	f, _ := r.Float64()
	return f
}

// check holds an experiment against the rules of meaning. What could not be read
// was refused already and is left out here.
func (set *Set) check(e *experimentFile) {
	e.checkVariants()
	e.checkDimensions()
	set.checkReferences(e)
	e.checkFamilies()
	e.checkLooks()
	e.checkReminders()
	set.checkGuardrails(e)
	e.checkChecks()
	e.checkSignals()
	e.checkPhases()
	e.checkRamps()
	e.checkAssignment()
	e.checkAssignmentLimit()
	if len(e.problems) == 0 {
		set.timeline(e, nil, time.Time{})
	}
	set.doubt(e)
}

func (e *experimentFile) checkVariants() {
	variants := e.text.variants
	if len(variants) == 0 {
		return
	}
	if len(variants) == 1 {
		e.refuse("variants", RuleVariants, "an experiment has at least two variants", "")
	}
	for _, v := range variants {
		if v.value.Sign() == 0 {
			e.refuse(join("variants", v.key), RuleVariants, v.key+" has no share", "leave it out, or switch it off by a phase with share 0%")
		}
	}
	e.checkSum("variants", variants)
	if e.Control != "" && e.VariantIndex(e.Control) < 0 {
		e.refuse("control", RuleControl, fmt.Sprintf("control %s is not one of the variants", e.Control), suggest(e.Control, e.variantKeys()))
	}
}

func (e *experimentFile) variantKeys() []string {
	keys := make([]string, len(e.Variants))
	for i, v := range e.Variants {
		keys[i] = v.Key
	}
	return keys
}

// checkSum adds the shares up as they were written, so that 33.3 % three times
// is told from 100 %.
func (e *experimentFile) checkSum(path string, shares []entry[*big.Rat]) {
	sum := new(big.Rat)
	for _, v := range shares {
		sum.Add(sum, v.value)
	}
	if sum.Cmp(big.NewRat(1, 1)) != 0 {
		e.refuse(path, RuleShares, fmt.Sprintf("the shares sum to %s, not 100%%", exactPercent(sum)), "they must add up exactly, as 33.4%, 33.3% and 33.3% do")
	}
}

func exactPercent(r *big.Rat) string {
	text := new(big.Rat).Mul(r, big.NewRat(100, 1)).FloatString(12)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

func (e *experimentFile) checkDimensions() {
	for i, d := range e.Dimensions {
		at := fmt.Sprintf("dimensions[%d]", i)
		if slices.ContainsFunc(e.Dimensions[:i], func(o Dimension) bool { return o.Attribute == d.Attribute }) {
			e.refuse(at, RuleDimension, d.Attribute+" is a dimension twice", "")
		}
		for j, v := range d.Values {
			place := fmt.Sprintf("%s.values[%d]", at, j)
			switch {
			case v == "(other)" || v == "(none)":
				e.refuse(place, RuleDimension, v+" is the engine's own value", "leave it out: it is always there")
			case slices.Contains(d.Values[:j], v):
				e.refuse(place, RuleDimension, v+" is listed twice", "")
			}
		}
	}
}

// checkReferences wants a file for every metric that is named, once each.
func (set *Set) checkReferences(e *experimentFile) {
	guarded := make([]string, len(e.Guardrails))
	for i, g := range e.Guardrails {
		guarded[i] = g.Metric
	}
	set.checkNames(e, e.Goals, "goal", "goals[%d]")
	set.checkNames(e, guarded, "guardrail", "guardrails[%d].metric")
	if len(e.Goals)+len(e.Guardrails) == 0 && !e.written("goals") && !e.written("guardrails") {
		e.refuse("", RuleNothingMeasured, "this experiment measures nothing", "name a metric under goals: or guardrails:")
	}
}

func (set *Set) checkNames(e *experimentFile, list []string, what, place string) {
	known := make([]string, len(set.metrics))
	for i, m := range set.metrics {
		known[i] = m.Name
	}
	for i, name := range list {
		at := fmt.Sprintf(place, i)
		switch {
		case name == "":
		case set.metric(name) == nil:
			e.refuse(at, RuleMetricUnknown, fmt.Sprintf("there is no metric %s", name), suggest(name, known))
		case slices.Contains(list[:i], name):
			e.refuse(at, RuleRepeated, fmt.Sprintf("%s is a %s twice", name, what), "")
		}
	}
}

func (set *Set) checkGuardrails(e *experimentFile) {
	for i, g := range e.Guardrails {
		if m := set.metric(g.Metric); m != nil && m.Kind != "" && !m.Kind.Fast() {
			e.refuse(fmt.Sprintf("guardrails[%d].metric", i), RuleSlowGuardrail, fmt.Sprintf("%s is a %s, which is computed too seldom to guard anything", g.Metric, m.Kind),
				"make it a goal, and guard a proportion: the share of units with an event beyond a limit")
		}
		mode := fmt.Sprintf("guardrails[%d].mode", i)
		set.checkMethod(e, i)
		if g.Mode == Kill && g.NeverKill {
			e.refuse(mode, RuleAlertOnly, g.Metric+" has mode kill and action alert", "write mode: notify, or action: turn_off")
		}
		if g.Mode == Kill && e.KillSwitch == "" && !e.written("kill_switch") {
			e.refuse(mode, RuleKillSwitch, g.Metric+" may kill, but the experiment names no kill_switch", "add kill_switch: NAME, or use mode: notify")
		}
	}
}

// checkPhases holds the shares of the phases against the variants.
func (e *experimentFile) checkPhases() {
	for i, it := range e.text.iterations {
		for j, p := range it.phases {
			at := fmt.Sprintf("iterations[%d].phases[%d]", i, j)
			e.checkPhaseShares(at+".shares", p.shares)
			if j > 0 {
				continue
			}
			if !p.from.IsZero() && !p.from.Equal(it.start) {
				e.refuse(at+".from", RuleFirstPhase, "the first phase begins with its iteration", "take the line out and write start: for the iteration")
			}
			if p.settle != nil && *p.settle != 0 {
				e.refuse(at+".settle", RuleFirstPhase, "the first phase has nothing to settle from", "take the line out")
			}
		}
	}
}

func (e *experimentFile) checkPhaseShares(path string, shares []entry[*big.Rat]) {
	if len(shares) == 0 || len(e.Variants) == 0 {
		return
	}
	missing := e.variantKeys()
	for _, sh := range shares {
		if e.VariantIndex(sh.key) < 0 {
			e.refuse(join(path, sh.key), RulePhaseShares, sh.key+" is not one of the variants", suggest(sh.key, e.variantKeys()))
		}
		missing = slices.DeleteFunc(missing, func(k string) bool { return k == sh.key })
	}
	if len(missing) > 0 {
		e.refuse(path, RulePhaseShares, "these shares leave out "+strings.Join(missing, ", "), "name every variant; 0% switches one off")
	}
	e.checkSum(path, shares)
}

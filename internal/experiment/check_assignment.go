package experiment

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// checkAssignment holds the assignment against the rest of the file.
func (e *experimentFile) checkAssignment() {
	switch {
	case e.Assignment.Ours():
		e.checkOurs()
		return
	case e.KillSwitch == OwnSwitch:
		e.refuse("kill_switch", RuleAssignment, "the switch assay turns off what assay assigns, and it does not assign this", "add assignment: {system: assay}, or name a switch of your flag system")
	}
	if e.Assignment != nil {
		e.checkOthers()
	}
}

// checkOurs is about what assay assigns.
func (e *experimentFile) checkOurs() {
	if e.KillSwitch != OwnSwitch {
		e.refuse("kill_switch", RuleAssignment, fmt.Sprintf("%s cannot turn off what assay assigns", e.KillSwitch), "leave kill_switch out: such an experiment has a switch of its own")
	}
	for _, field := range []string{"seed", "dialect", "forced"} {
		if at := "assignment." + field; e.written(at) {
			e.refuse(at, RuleAssignment, field+" is of other systems' assignments", "take it out; the iteration's salt is what assay draws with")
		}
	}
	e.checkValues()
	e.checkFineness()
	e.checkFixedSplit()
	if g := e.Assignment.Group; g != nil && g.From >= g.To {
		e.refuse("assignment.group.to", RuleAssignment, "the range of the group is empty", "from is below to, as in {from: 0%, to: 50%}")
	}
}

// checkOthers is about what another system assigns and is computed anew.
func (e *experimentFile) checkOthers() {
	a := e.Assignment
	if a.Seed == "" {
		e.refuse("assignment", RuleAssignment, fmt.Sprintf("what %s assigns cannot be computed without its seed", a.System), "add seed: and what the system draws with (docs/assignment.md)")
	}
	for _, field := range []string{"values", "eligible", "holdouts", "group"} {
		if at := "assignment." + field; e.written(at) {
			e.refuse(at, RuleAssignment, fmt.Sprintf("%s is of what assay assigns itself, and %s assigns this", field, a.System), "take it out: the flag system decides it")
		}
	}
	known := map[System][]string{GrowthBook: {DialectUTF8, DialectUTF16}, Unleash: {DialectUTF8, DialectLowByte}}[a.System]
	if a.Dialect != "" && !slices.Contains(known, a.Dialect) {
		e.refuse("assignment.dialect", RuleAssignment, fmt.Sprintf("no SDK of %s hashes so", a.System), suggest(a.Dialect, known))
	}
	for i, it := range e.text.iterations {
		for j, p := range it.phases {
			if hint := trafficHint(a.System, p.traffic); hint != "" {
				e.refuse(fmt.Sprintf("iterations[%d].phases[%d].traffic", i, j), RuleAssignment, fmt.Sprintf("who takes part at this traffic cannot be computed of %s", a.System), hint)
			}
		}
	}
}

// trafficHint says what traffic a system's draws are known of; "" when this is.
func trafficHint(system System, traffic *big.Rat) string {
	switch {
	case traffic == nil || system == GrowthBook:
		return ""
	case system == Unleash:
		if new(big.Rat).Mul(traffic, big.NewRat(100, 1)).IsInt() {
			return ""
		}
		return "a gradual rollout has whole percents"
	case traffic.Cmp(big.NewRat(1, 1)) == 0:
		return ""
	}
	return "leave assignment out while the traffic is below 100%"
}

// checkValues wants a value for every variant, all of one type: a client asks for a
// boolean, a number or a text, whatever the variant.
func (e *experimentFile) checkValues() {
	values := e.text.assignment.values
	if len(values) == 0 {
		return
	}
	missing := e.variantKeys()
	for _, v := range values {
		at := "assignment.values." + v.key
		if e.VariantIndex(v.key) < 0 {
			e.refuse(at, RuleAssignment, v.key+" is not one of the variants", suggest(v.key, e.variantKeys()))
		}
		if typeOf(v.value) != typeOf(values[0].value) {
			e.refuse(at, RuleAssignment, fmt.Sprintf("%s is a %s, %s a %s", v.key, typeOf(v.value), values[0].key, typeOf(values[0].value)), "clients ask for one type, whatever the variant")
		}
		missing = slices.DeleteFunc(missing, func(k string) bool { return k == v.key })
	}
	if len(missing) > 0 {
		e.refuse("assignment.values", RuleAssignment, "there is no value for "+strings.Join(missing, ", "), "")
	}
}

func typeOf(value []byte) string {
	switch {
	case bytes.HasPrefix(value, []byte(`"`)):
		return "text"
	case bytes.Equal(value, []byte("true")), bytes.Equal(value, []byte("false")):
		return "boolean"
	default:
		return "number"
	}
}

// checkFineness refuses shares that no draw can tell apart.
func (e *experimentFile) checkFineness() {
	for _, v := range e.text.variants {
		e.parts(join("variants", v.key), v.value)
	}
	for i, it := range e.text.iterations {
		for j, p := range it.phases {
			e.parts(fmt.Sprintf("iterations[%d].phases[%d].traffic", i, j), p.traffic)
			e.parts(fmt.Sprintf("iterations[%d].phases[%d].sample", i, j), p.sample)
		}
	}
}

// checkFixedSplit refuses a phase that would move units between variants.
func (e *experimentFile) checkFixedSplit() {
	for i, it := range e.text.iterations {
		shares := e.sharesOf(it.phases)
		for j := range it.phases {
			if !slices.Equal(shares[j], shares[0]) {
				e.refuse(fmt.Sprintf("iterations[%d].phases[%d].shares", i, j), RuleAssignment, "this phase would move units between variants",
					"ramp up with traffic:, which moves nobody; for another split start a new iteration")
			}
		}
	}
}

// checkTogether holds assignments of experiments that run at the same time against one
// another: parts of a group do not overlap, and a holdout is the same everywhere.
func (set *Set) checkTogether(next *Version, at time.Time) Problems {
	var out Problems
	for _, f := range set.experiments {
		e := next.Find(f.Key)
		if e == nil || !e.Assignment.Ours() {
			continue
		}
		for i := range next.Experiments {
			other := &next.Experiments[i]
			if other.Key >= e.Key || !other.Assignment.Ours() || !together(e, other, at) {
				continue
			}
			if field, text, hint := e.conflict(other); text != "" {
				out = append(out, f.problemAt(f.place("assignment."+field), RuleAssignment, text, hint))
			}
		}
	}
	return out
}

// together tells whether two experiments run at the same time, from now on.
func together(a, b *Experiment, at time.Time) bool {
	for i := range a.Iterations {
		for j := range b.Iterations {
			x, y := &a.Iterations[i], &b.Iterations[j]
			if !x.over(at) && !y.over(at) && x.Start.Before(y.End) && y.Start.Before(x.End) {
				return true
			}
		}
	}
	return false
}

// conflict is what keeps an assignment from standing beside another; "" when nothing
// does.
func (e *Experiment) conflict(other *Experiment) (field, text, hint string) {
	if a, b := e.Assignment.Group, other.Assignment.Group; a != nil && b != nil && a.Name == b.Name {
		switch {
		case e.UnitKind != other.UnitKind:
			return "group", fmt.Sprintf("group %s has units of kind %s in %s", a.Name, other.UnitKind, other.Key), "units of two kinds cannot exclude one another"
		case a.From < b.To && b.From < a.To:
			return "group", fmt.Sprintf("group %s overlaps with that of %s, which has %s", a, other.Key, b), "give each experiment of a group a part of its own"
		}
	}
	for _, h := range e.Assignment.Holdouts {
		for _, o := range other.Assignment.Holdouts {
			if h.Name == o.Name && h.Parts != o.Parts {
				return "holdouts", fmt.Sprintf("holdout %s is %s here and %s in %s", h.Name, percent(float64(h.Parts)/Million), percent(float64(o.Parts)/Million), other.Key), "a holdout is the same in every file"
			}
		}
	}
	return "", "", ""
}

package experiment

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/big"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// assignmentText is an assignment as it was written.
type assignmentText struct {
	Assignment
	values   []entry[json.RawMessage]
	eligible [][]entry[[]string]
	holdouts []entry[*big.Rat]
	group    *groupText
	forced   [][]entry[string]
}

type groupText struct {
	name     string
	from, to *big.Rat
}

func assignmentFields() []field[assignmentText] {
	type t = assignmentText
	return []field[t]{
		must(as("system", choice(Assay, GrowthBook, Unleash, FlagdV2, LaunchDarkly, Eppo), func(a *t) *System { return &a.System }, "Who puts units into variants: assay, asked by OFREP, or a system whose draws are computed anew to check them.")),
		as("values", entries(name(), literal()), func(a *t) *[]entry[json.RawMessage] { return &a.values }, "What clients get in each variant: all true or false, all numbers or all texts; default: the variant's key."),
		as("eligible", listOf(entries(attribute(), oneOrMore()), maxExclusions), func(a *t) *[][]entry[[]string] { return &a.eligible }, "Who may take part: a unit must have all attributes of one line; default: everybody."),
		as("holdouts", entries(name(), share()), func(a *t) *[]entry[*big.Rat] { return &a.holdouts }, "Shares of all units that are kept out of every experiment that names the holdout."),
		as("group", pointer(object(groupText{}, groupFields())), func(a *t) **groupText { return &a.group }, "A group of experiments that exclude one another, and this one's part of it."),
		as("seed", text(), func(a *t) *string { return &a.Seed }, "Of another system: what it draws with, such as GrowthBook's seed or Unleash's group id."),
		as("dialect", choice(DialectUTF8, DialectUTF16, DialectLowByte), func(a *t) *string { return &a.Dialect }, "Of growthbook and unleash: how the SDK hashes what is not ASCII; default utf-16 and utf-8."),
		as("forced", listOf(entries(attribute(), text()), maxExclusions), func(a *t) *[][]entry[string] { return &a.forced }, "Of another system: exposures of units that were not drawn, such as sticky ones, by their attributes."),
	}
}

func groupFields() []field[groupText] {
	return []field[groupText]{
		must(as("name", name(), func(g *groupText) *string { return &g.name }, "The group's name.")),
		must(as("from", share(), func(g *groupText) **big.Rat { return &g.from }, "Where this experiment's part of the group's units begins.")),
		must(as("to", share(), func(g *groupText) **big.Rat { return &g.to }, "Where it ends.")),
	}
}

// literal is a value that clients get, as JSON: true, 3.5 or "a text".
func literal() shape[json.RawMessage] {
	sc := schema{"type": []string{"string", "number", "boolean"}}
	return shape[json.RawMessage]{schema: sc, read: func(s *source, path string, n ast.Node) (json.RawMessage, bool) {
		text, ok := scalar(s, path, n)
		if !ok {
			return nil, false
		}
		switch n.(type) {
		case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
			if json.Valid([]byte(text)) {
				return json.RawMessage(text), true
			}
		case *ast.StringNode, *ast.LiteralNode:
			return quoted(text), true
		}
		s.refuseAt(nodePosition(n), RuleAssignment, path+" cannot be sent as it is written", "write true, false, a plain number such as 12.5, or a text")
		return nil, false
	}}
}

// fractional writes whole numbers among others with a decimal, as 1.0: clients in typed
// languages ask for whole numbers or for others, and make an error of what they get else.
func fractional(values []json.RawMessage) {
	fraction := func(v json.RawMessage) bool { return typeOf(v) == "number" && bytes.ContainsAny(v, ".eE") }
	if !slices.ContainsFunc(values, fraction) {
		return
	}
	for i, v := range values {
		if typeOf(v) == "number" && !fraction(v) {
			values[i] = append(slices.Clone(v), ".0"...)
		}
	}
}

// oneOrMore is a text or a list of texts.
func oneOrMore() shape[[]string] {
	one, more := text(), listOf(text(), maxDimensionValues)
	sc := schema{"anyOf": []schema{one.schema, more.schema}}
	return shape[[]string]{schema: sc, read: func(s *source, path string, n ast.Node) ([]string, bool) {
		if _, ok := n.(*ast.SequenceNode); ok {
			return more.read(s, path, n)
		}
		v, ok := one.read(s, path, n)
		return []string{v}, ok
	}}
}

// parts is a share in parts of a million; a finer one is refused.
func (e *experimentFile) parts(path string, r *big.Rat) uint32 {
	if r == nil {
		return 0
	}
	p := new(big.Rat).Mul(r, big.NewRat(Million, 1))
	if !p.IsInt() {
		e.refuse(path, RuleAssignment, path+" is finer than a unit can be drawn", "assignments know whole parts of a million: at most four decimals of a percent")
		return 0
	}
	return uint32(p.Num().Uint64())
}

// assignment is what the text means. Without kill_switch the experiment has ours.
func (e *experimentFile) assignment() *Assignment {
	if e.text.assignment == nil {
		return nil
	}
	a, text := e.text.assignment.Assignment, e.text.assignment
	if len(text.values) > 0 {
		a.Values = make([]json.RawMessage, len(e.Variants))
		for _, v := range text.values {
			if i := e.VariantIndex(v.key); i >= 0 {
				a.Values[i] = v.value
			}
		}
		fractional(a.Values)
	}
	for _, line := range text.eligible {
		audience := Audience{}
		for _, c := range line {
			audience[c.key] = c.value
		}
		a.Eligible = append(a.Eligible, audience)
	}
	for _, line := range text.forced {
		a.Forced = append(a.Forced, condition(line))
	}
	for _, h := range text.holdouts {
		a.Holdouts = append(a.Holdouts, Holdout{h.key, e.parts("assignment.holdouts."+h.key, h.value)})
	}
	slices.SortFunc(a.Holdouts, func(x, y Holdout) int { return cmp.Compare(x.Name, y.Name) })
	if g := text.group; g != nil {
		a.Group = &GroupRange{g.name, e.parts("assignment.group.from", g.from), e.parts("assignment.group.to", g.to)}
	}
	return &a
}

package guardrails

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/assay-dev/assay/internal/experiment"
)

// readScenario reads a file, and the lines on which its steps begin. What is wrong is
// said with its place.
func readScenario(name string, data []byte) (s scenario, lines []int, err error) {
	source := strings.Split(string(data), "\n")
	refuse := func(at *token.Position, text, hint string) error {
		p := experiment.Problem{File: name, Line: 1, Column: 1, Text: text, Hint: hint}
		if at != nil {
			p.Line, p.Column = at.Line, at.Column
		}
		if p.Line <= len(source) {
			p.Source = source[p.Line-1]
		}
		return experiment.Problems{p}
	}
	file, err := parser.ParseBytes(data, 0)
	if err == nil {
		w := &words{refuse: refuse}
		for _, doc := range file.Docs {
			ast.Walk(w, doc.Body)
		}
		if w.err != nil {
			return s, nil, w.err
		}
		err = yaml.UnmarshalWithOptions(data, &s, yaml.Strict())
		lines = w.steps
	}
	var wrong yaml.Error
	switch {
	case errors.As(err, &wrong):
		return s, nil, refuse(wrong.GetToken().Position, wrong.GetMessage(), "")
	case err != nil:
		return s, nil, refuse(nil, err.Error(), "")
	case len(s.Steps) == 0:
		return s, nil, refuse(nil, fmt.Sprintf("scenario %q has no steps", s.Name), "steps: [{at: 1h, treatment: …, control: …, expect: …}]")
	}
	return s, lines, nil
}

// words holds the words of a scenario against those that there are, which the types
// of the fields do not: a mistyped kind would be judged as a mean.
type words struct {
	refuse func(at *token.Position, text, hint string) error
	steps  []int // lines
	err    error // the first
}

// Visit implements ast.Visitor.
func (w *words) Visit(n ast.Node) ast.Visitor {
	field, ok := n.(*ast.MappingValueNode)
	if !ok || w.err != nil {
		return w
	}
	key, value := field.Key.GetToken().Value, field.Value.GetToken()
	if list, ok := field.Value.(*ast.SequenceNode); ok && key == "steps" {
		for _, step := range list.Values {
			w.steps = append(w.steps, lineOf(step))
		}
	}
	if known := knownWords(key); known != nil && !isNumber(field.Value) && !slices.Contains(known, value.Value) {
		w.err = w.refuse(value.Position, fmt.Sprintf("%s cannot be %q", key, value.Value), "known: "+strings.Join(known, ", "))
	}
	if isDuration(key) {
		if _, err := experiment.ParseDuration(strings.TrimPrefix(value.Value, "-")); err != nil {
			w.err = w.refuse(value.Position, fmt.Sprintf("%s: %v", key, err), "")
		}
	}
	return w
}

// lineOf is where a step begins: at its first field.
func lineOf(n ast.Node) int {
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 {
			return m.Values[0].Key.GetToken().Position.Line
		}
	case *ast.MappingValueNode:
		return m.Key.GetToken().Position.Line
	}
	return n.GetToken().Position.Line
}

// isNumber tells the limit of crossovers, a number, from the limit of a rule, a word.
func isNumber(n ast.Node) bool { return n.Type() == ast.FloatType || n.Type() == ast.IntegerType }

func isDuration(key string) bool {
	return slices.Contains([]string{"at", "fresh", "newest", "hold", "warm_up", "stall", "silence", "duration"}, key)
}

// knownWords are those that a field may have; nil where anything goes.
func knownWords(key string) []string {
	switch key {
	case "kind":
		return text(experiment.Mean, experiment.Sum, experiment.Count, experiment.Proportion, experiment.Retention, experiment.Ratio)
	case "direction":
		return text(experiment.Increase, experiment.Decrease)
	case "method":
		return text(experiment.ByMean, experiment.ByCount)
	case "mode":
		return text(experiment.Observe, experiment.Notify, experiment.Kill)
	case "on_no_data":
		return text(experiment.HoldOnNoData, experiment.WarnOnNoData, experiment.KillOnNoData)
	case "on_alarm":
		return text(experiment.HoldOnAlarm, experiment.WarnOnAlarm)
	case "limit":
		return text(experiment.LimitRetrospective, experiment.LimitNotRearmed, experiment.LimitAddedLater, experiment.LimitNeverKill, experiment.LimitOpenCap)
	case "verdict":
		return kindNames[:]
	case "act":
		return actNames[:]
	case "reason":
		return text(slices.Sorted(maps.Keys(Reasons()))...)
	}
	return nil
}

func text[W ~string](known ...W) []string {
	out := make([]string, len(known))
	for i, w := range known {
		out[i] = string(w)
	}
	return out
}

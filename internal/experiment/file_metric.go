package experiment

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// metricText is a metric file as it was written.
type metricText struct {
	Metric
	decimals *int // nil: the kind's default
	where    []entry[string]
}

// metricFile is a metric file that was read.
type metricFile struct {
	*source
	Metric
}

// metricFields is the table of the metric file: the parser and the schema for
// editors both come from it.
func metricFields() []field[metricText] {
	type t = metricText
	return []field[t]{
		must(as("name", metricName(), func(m *t) *string { return &m.Name }, "How experiments refer to this metric.")),
		must(as("owner", text(), func(m *t) *string { return &m.Owner }, "Who answers for the definition.")),
		as("description", text(), func(m *t) *string { return &m.Describe }, "What it measures, for people."),
		must(as("event", text(), func(m *t) *string { return &m.Event }, "The name of the outcome event that it counts.")),
		as("value", valueSource(), func(m *t) *string { return &m.Value }, "Where a mean or a sum reads its number: value (default) or attrs.NAME."),
		as("where", entries(attribute(), text()), func(m *t) *[]entry[string] { return &m.where }, "Attributes that an event must have to count: all must hold."),
		must(as("kind", choice(Mean, Sum, Count, Proportion), func(m *t) *Kind { return &m.Kind },
			"How a unit's events become its number: mean and sum add up values, count counts events, proportion is 1 with any event.")),
		must(as("direction", choice(Increase, Decrease), func(m *t) *Direction { return &m.Direction }, "Which way is good.")),
		as("unit", text(), func(m *t) *string { return &m.Unit }, "The unit of measure, such as EUR or ms."),
		as("decimals", pointer(whole[int](0, MaxDecimals)), func(m *t) **int { return &m.decimals },
			"Decimals to which values are rounded before they are summed: 0 to 12, default 6; 0 for count and proportion."),
		as("window", span(shortest), func(m *t) *Duration { return &m.Window }, "How long after the first exposure an event counts; default: the experiment's window."),
	}
}

// readMetric reads a metric file.
func readMetric(s *source, root ast.Node) *metricFile {
	text, ok := object(metricText{}, metricFields()).read(s, "", root)
	if !ok || len(s.problems) > 0 {
		return &metricFile{source: s, Metric: text.Metric}
	}
	return &metricFile{source: s, Metric: finishMetric(s, text)}
}

// finishMetric fills in what the kind decides.
func finishMetric(s *source, text metricText) Metric {
	m := text.Metric
	reads := m.Kind == Mean || m.Kind == Sum
	switch {
	case !reads && m.Value != "":
		s.refuse("value", RuleValueUnused, fmt.Sprintf("a %s reads no value", m.Kind), "take the line out, or make it kind: mean or sum")
	case reads && m.Value == "":
		m.Value = "value"
	}
	switch {
	case text.decimals == nil && reads:
		m.Decimals = defaultDecimals
	case text.decimals != nil && !reads && *text.decimals != 0:
		s.refuse("decimals", RuleValueUnused, fmt.Sprintf("a %s is a whole number and has no decimals", m.Kind), "take the line out")
	case text.decimals != nil:
		m.Decimals = *text.decimals
	}
	if len(text.where) > 0 {
		m.Where = make(map[string]string, len(text.where))
		for _, w := range text.where {
			m.Where[w.key] = w.value
		}
	}
	return m
}

// defaultDecimals is the precision of a mean or sum whose file names none.
const defaultDecimals = 6

const attributePattern = `^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`

// attribute is the name of an attribute of an event.
func attribute() shape[string] {
	return pattern(attributePattern, RuleAttribute, "is not the name of an attribute", "attributes have 1 to 64 of A-Z a-z 0-9 _ . - and begin with a letter or _")
}

// valueSource says where a number is read.
func valueSource() shape[string] {
	sh := pattern(`^(value|attrs\.[A-Za-z_][A-Za-z0-9_.-]{0,63})$`, RuleAttribute, "is not a place to read a number", "write value or attrs.NAME")
	return sh
}

// AttributeOf returns NAME when the metric reads attrs.NAME, "" when it reads the
// event's value.
func (m *Metric) AttributeOf() string {
	name, ok := strings.CutPrefix(m.Value, "attrs.")
	if !ok {
		return ""
	}
	return name
}

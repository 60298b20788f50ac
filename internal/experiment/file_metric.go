package experiment

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// metricText is a metric file as it was written.
type metricText struct {
	Metric
	decimals    *int // nil: the kind's default
	where       []entry[string]
	numerator   partText
	denominator partText
}

// partText is a part of a ratio as it was written.
type partText struct {
	Part
	decimals *int
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
	part := object(partText{Part: Part{Aggregation: AggregateCount}}, partFields())
	return []field[t]{
		must(as("name", metricName(), func(m *t) *string { return &m.Name }, "How experiments refer to this metric.")),
		must(as("owner", text(), func(m *t) *string { return &m.Owner }, "Who answers for the definition.")),
		as("description", text(), func(m *t) *string { return &m.Describe }, "What it measures, for people."),
		as("event", text(), func(m *t) *string { return &m.Event }, "The name of the outcome event that it counts; a ratio names one in each part."),
		as("value", valueSource(), func(m *t) *string { return &m.Value }, "Where a mean, a sum or a quantile reads its number: value (default) or attrs.NAME."),
		as("where", entries(attribute(), text()), func(m *t) *[]entry[string] { return &m.where }, "Attributes that an event must have to count: all must hold."),
		must(as("kind", choice(kinds()...), func(m *t) *Kind { return &m.Kind },
			"How a unit's events become its number: mean and sum add up values, count counts events, proportion is 1 with any event, retention is 1 with any event in a stretch of time, ratio divides two such totals; quantile is of all events' values.")),
		must(as("direction", choice(Increase, Decrease), func(m *t) *Direction { return &m.Direction }, "Which way is good.")),
		as("unit", text(), func(m *t) *string { return &m.Unit }, "The unit of measure, such as EUR or ms."),
		as("decimals", pointer(whole[int](0, MaxDecimals)), func(m *t) **int { return &m.decimals },
			"Decimals to which values are rounded before they are summed: 0 to 12, default 6; 0 for what is counted."),
		as("window", span(shortest), func(m *t) *Duration { return &m.Window }, "How long after the first exposure an event counts; default: the experiment's window."),
		as("numerator", part, func(m *t) *partText { return &m.numerator }, "The total above the line of a ratio."),
		as("denominator", part, func(m *t) *partText { return &m.denominator }, "The total below the line of a ratio."),
		as("from", span(0), func(m *t) *Duration { return &m.From }, "A retention counts events from so long after the first exposure on; default 0s."),
		as("to", span(shortest), func(m *t) *Duration { return &m.To }, "A retention counts events before so long after the first exposure."),
		as("quantile", between(1, RuleQuantile), func(m *t) *float64 { return &m.Quantile }, "Which quantile, such as 0.95."),
		as("cap", capText(), func(m *t) **Cap { return &m.Cap },
			"What a unit's total counts for at most: a number, or {percentile: 99}, which does nothing before it has been made a number."),
		as("covariate", covariate(), func(m *t) *string { return &m.Covariate },
			"What is known of a unit beforehand, to narrow the interval: attrs.NAME of the first exposure, pre_period, or several as in pre_period + attrs.age; default: the experiment's."),
	}
}

func partFields() []field[partText] {
	type t = partText
	return []field[t]{
		must(as("event", text(), func(p *t) *string { return &p.Event }, "The name of the outcome event that it counts.")),
		as("value", valueSource(), func(p *t) *string { return &p.Value }, "Where a sum reads its number: value (default) or attrs.NAME."),
		as("where", entries(attribute(), text()), func(p *t) *[]entry[string] { return &p.where }, "Attributes that an event must have to count: all must hold."),
		as("aggregation", choice(AggregateSum, AggregateCount, AggregateAny), func(p *t) *Aggregation { return &p.Aggregation },
			"sum adds up values, count (default) counts events, any is 1 with any event."),
		as("decimals", pointer(whole[int](0, MaxDecimals)), func(p *t) **int { return &p.decimals }, "As for a metric: default 6 for a sum, else 0."),
		as("cap", fixedCap(), func(p *t) **Cap { return &p.Cap }, "What a unit's total counts for at most."),
	}
}

// readMetric reads a metric file.
func readMetric(s *source, root ast.Node) *metricFile {
	text, ok := object(metricText{}, metricFields()).read(s, "", root)
	if ok && text.Kind != "" {
		checkNeeds(s, text.Kind)
	}
	if !ok || len(s.problems) > 0 {
		return &metricFile{source: s, Metric: text.Metric}
	}
	return &metricFile{source: s, Metric: finishMetric(s, text)}
}

// finishMetric fills in what the kind decides.
func finishMetric(s *source, text metricText) Metric {
	m := text.Metric
	checkUses(s, m.Kind)
	if m.Kind == Ratio {
		m.Numerator = finishPart(s, "numerator", text.numerator)
		m.Denominator = finishPart(s, "denominator", text.denominator)
		return m
	}
	m.Value, m.Decimals = reading(s, "", fmt.Sprintf("a %s", m.Kind), m.Kind == Mean || m.Kind == Sum || m.Kind == Quantile, m.Value, text.decimals)
	if len(text.where) > 0 {
		m.Where = condition(text.where)
	}
	if m.Kind == Retention && m.From >= m.To {
		s.refuse("to", RuleRetention, fmt.Sprintf("from %s to %s is no stretch of time", m.From, m.To), "to must be after from")
	}
	checkCap(s, "cap", m.Cap, m.Decimals)
	return m
}

func finishPart(s *source, path string, text partText) *Part {
	p := text.Part
	p.Value, p.Decimals = reading(s, path, fmt.Sprintf("a %s with aggregation %s", path, p.Aggregation), p.Aggregation == AggregateSum, p.Value, text.decimals)
	if len(text.where) > 0 {
		p.Where = condition(text.where)
	}
	if p.Cap != nil && p.Aggregation == AggregateAny {
		s.refuse(join(path, "cap"), RuleValueUnused, "what is 0 or 1 needs no cap", "take the line out")
	}
	checkCap(s, join(path, "cap"), p.Cap, p.Decimals)
	return &p
}

// reading settles where a number is read and how exactly. What is counted has
// neither.
func reading(s *source, path, what string, reads bool, value string, decimals *int) (string, int) {
	switch {
	case reads && value == "":
		value = "value"
	case !reads && value != "":
		s.refuse(join(path, "value"), RuleValueUnused, what+" reads no value", "take the line out, or let it add up values")
	}
	switch {
	case decimals == nil && reads:
		return value, defaultDecimals
	case decimals == nil:
		return value, 0
	case !reads && *decimals != 0:
		s.refuse(join(path, "decimals"), RuleValueUnused, what+" is a whole number and has no decimals", "take the line out")
	}
	return value, *decimals
}

// defaultDecimals is the precision of a total of values whose file names none.
const defaultDecimals = 6

const attributePattern = `^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`

// attribute is the name of an attribute of an event.
func attribute() shape[string] {
	return pattern(attributePattern, RuleAttribute, "is not the name of an attribute", "attributes have 1 to 64 of A-Z a-z 0-9 _ . - and begin with a letter or _")
}

// valueSource says where a number is read.
func valueSource() shape[string] {
	return pattern(`^(value|attrs\.[A-Za-z_][A-Za-z0-9_.-]{0,63})$`, RuleAttribute, "is not a place to read a number", "write value or attrs.NAME")
}

// covariate says what is known of a unit beforehand.
func covariate() shape[string] {
	const term = `(pre_period|attrs\.[A-Za-z_][A-Za-z0-9_.-]{0,63})`
	return pattern(`^`+term+`( \+ `+term+`){0,4}$`, RuleAttribute, "is not a covariate", "write pre_period, attrs.NAME, or up to five of these with \" + \" between them")
}

// AttributeOf returns NAME when the metric reads attrs.NAME, "" when it reads the
// event's value.
func (m *Metric) AttributeOf() string { return attributeOf(m.Value) }

func attributeOf(value string) string {
	name, ok := strings.CutPrefix(value, "attrs.")
	if !ok {
		return ""
	}
	return name
}

// Attribute returns NAME when the part reads attrs.NAME, "" when it reads the
// event's value.
func (p *Part) Attribute() string { return attributeOf(p.Value) }

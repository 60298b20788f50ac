package sources

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// Mapping says how the rows of a source become events.
type Mapping struct {
	Name     string   `yaml:"name"`
	Format   string   `yaml:"format"`
	Unit     unit     `yaml:"unit"`
	UnitKind string   `yaml:"unit_kind"`
	ID       *field   `yaml:"id"`
	Time     times    `yaml:"time"`
	Rows     []yields `yaml:"events"`

	text string // what it was read from
}

// unit is who a row is about.
type unit struct {
	Column string `yaml:"column"`
	Row    bool   `yaml:"row"`
}

// yields is one event that a row may become.
type yields struct {
	Exposure string               `yaml:"exposure"`
	Variant  *field               `yaml:"variant"`
	Outcome  string               `yaml:"outcome"`
	Value    *field               `yaml:"value"`
	After    string               `yaml:"after"`
	When     map[string]condition `yaml:"when"`
	Attrs    map[string]field     `yaml:"attrs"`

	after int64 // milliseconds
}

// The formats.
const (
	csvFormat    = "csv"
	ndjsonFormat = "ndjson"
	nativeFormat = "native" // assay's own events
)

// LoadMapping reads a mapping file. Errors carry line and column.
func LoadMapping(data []byte) (*Mapping, error) {
	m := &Mapping{UnitKind: "user", text: string(data)}
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict(), yaml.DisallowUnknownField())
	if err := dec.Decode(m); err != nil {
		return nil, errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	c := checker{data: data}
	c.mapping(m)
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	return m, nil
}

// checker collects what is wrong with a mapping, each with its place.
type checker struct {
	data     []byte
	problems []error
}

// refuse says what is wrong at a YAML path. When the path itself is missing, the
// place is the nearest thing around it that is there.
func (c *checker) refuse(path, format string, args ...any) {
	line, column := 1, 1
	for at := path; at != ""; at = parent(at) {
		p, err := yaml.PathString("$." + at)
		if err != nil {
			continue
		}
		node, err := p.ReadNode(bytes.NewReader(c.data))
		if err == nil && node != nil {
			pos := node.GetToken().Position
			line, column = pos.Line, pos.Column
			break
		}
	}
	c.problems = append(c.problems, fmt.Errorf("%d:%d: %s: %s", line, column, path, fmt.Sprintf(format, args...)))
}

// parent cuts the last step of a path.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

func (c *checker) mapping(m *Mapping) {
	if !isName(m.Name) {
		c.refuse("name", "%q is not a name: letters, digits, - and _", m.Name)
	}
	if m.Format == nativeFormat {
		return
	}
	if m.Format != csvFormat && m.Format != ndjsonFormat {
		c.refuse("format", "%q is not a format: csv or ndjson", m.Format)
	}
	if (m.Unit.Column == "") == !m.Unit.Row {
		c.refuse("unit", "name a column, or say row: true")
	}
	if m.UnitKind == "" {
		c.refuse("unit_kind", "a kind of unit has a name")
	}
	if m.ID != nil {
		c.field("id", *m.ID)
	}
	c.times(&m.Time)
	if len(m.Rows) == 0 {
		c.refuse("events", "say what a row becomes")
	}
	for i := range m.Rows {
		c.event(fmt.Sprintf("events[%d]", i), &m.Rows[i])
	}
}

func (c *checker) event(path string, y *yields) {
	switch {
	case (y.Exposure == "") == (y.Outcome == ""):
		c.refuse(path, "an event is an exposure or an outcome")
	case y.Exposure != "" && y.Variant == nil:
		c.refuse(path+".variant", "an exposure has a variant")
	case y.Exposure != "" && y.Value != nil:
		c.refuse(path+".value", "an exposure has no value")
	case y.Outcome != "" && y.Variant != nil:
		c.refuse(path+".variant", "an outcome has no variant")
	}
	if y.After != "" {
		d, err := duration(y.After)
		if err != nil || d < 0 {
			c.refuse(path+".after", "%q is not a duration: 500ms, 90s, 1h", y.After)
		}
		y.after = d.Milliseconds()
	}
	if y.Variant != nil {
		c.field(path+".variant", *y.Variant)
	}
	if y.Value != nil {
		c.field(path+".value", *y.Value)
	}
	for name, f := range y.Attrs {
		c.field(path+".attrs."+name, f)
	}
	for column, w := range y.When {
		if w.forms() != 1 {
			c.refuse(path+".when."+column, "a condition is a text, or one of equals, not, in, nonzero")
		}
	}
}

func (c *checker) field(path string, f field) {
	if (f.Column == "") == (f.Constant == nil) {
		c.refuse(path, "a field is a column or a constant")
	}
	if f.Values != nil && f.Column == "" {
		c.refuse(path+".values", "only a column's text can be translated")
	}
}

// isName tells whether s can be part of an id.
func isName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	return s != "" && strings.Trim(s, letters) == ""
}

// columns are all that the mapping reads, each once, in the order of the file.
func (m *Mapping) columns() []string {
	var out []string
	add := func(column string) {
		if column != "" {
			out = append(out, column)
		}
	}
	add(m.Unit.Column)
	add(m.Time.Column)
	if m.ID != nil {
		add(m.ID.Column)
	}
	for _, y := range m.Rows {
		for column := range y.When {
			add(column)
		}
		for _, f := range y.fields() {
			add(f.Column)
		}
	}
	return out
}

func (y *yields) fields() []field {
	var out []field
	for _, f := range []*field{y.Variant, y.Value} {
		if f != nil {
			out = append(out, *f)
		}
	}
	for _, f := range y.Attrs {
		out = append(out, f)
	}
	return out
}

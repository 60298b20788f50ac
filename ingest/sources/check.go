package sources

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// checker collects what is wrong with a mapping, each with its place, and takes
// its paths apart.
type checker struct {
	data     []byte
	csv      bool
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
	for i := range m.Detect {
		c.conditions(fmt.Sprintf("detect[%d]", i), &m.Detect[i])
	}
	switch m.Format {
	case csvFormat, jsonFormat, ndjsonFormat:
	case nativeFormat:
		if len(m.Rows) > 0 {
			c.refuse("events", "native events are not translated")
		}
		return
	default:
		c.refuse("format", "%q is not a format: csv, json or native", m.Format)
	}
	c.each(m)
	c.filters(m)
	c.unit("unit", &m.Unit)
	c.named("unit_kind", m.UnitKind)
	if m.ID != nil {
		c.field("id", m.ID)
	}
	if m.Consent != nil {
		c.field("consent", m.Consent)
	}
	c.times("time", &m.Time)
	if len(m.Rows) == 0 {
		c.refuse("events", "say what a row becomes")
	}
	if len(m.Rows) > maxEvents {
		c.refuse("events", "a row becomes at most %d events", maxEvents)
	}
	for i := range m.Rows {
		c.event(fmt.Sprintf("events[%d]", i), &m.Rows[i])
	}
}

func (c *checker) each(m *Mapping) {
	if c.csv && len(m.Each.Text) > 0 {
		c.refuse("each", "a row of csv holds no list")
		return
	}
	for i, text := range m.Each.Text {
		p := path{text: text}
		var err error
		if text != "." {
			p, err = parsePath(text)
		}
		if err != nil || p.up > 0 {
			c.refuse(fmt.Sprintf("each[%d]", i), "%q does not lead to a list", text)
		}
		m.Each.list = append(m.Each.list, p)
	}
}

func (c *checker) filters(m *Mapping) {
	c.conditions("only", &m.Only)
	for i := range m.Skip {
		at := fmt.Sprintf("skip[%d]", i)
		if len(m.Skip[i].By) == 0 {
			c.refuse(at, "without a condition nothing would be left")
		}
		c.conditions(at, &m.Skip[i])
	}
	for i := range m.Refuse {
		at := fmt.Sprintf("refuse[%d]", i)
		if m.Refuse[i].Because == "" {
			c.refuse(at+".because", "say why: it is what the dead letter will say")
		}
		if len(m.Refuse[i].When.By) == 0 {
			c.refuse(at+".when", "without a condition nothing would be left")
		}
		c.conditions(at+".when", &m.Refuse[i].When)
	}
}

func (c *checker) event(at string, y *yields) {
	switch {
	case (y.Exposure == nil) == (y.Outcome == nil):
		c.refuse(at, "an event is an exposure or an outcome")
	case y.Exposure != nil && y.Variant == nil:
		c.refuse(at+".variant", "an exposure has a variant")
	case y.Exposure != nil && y.Value != nil:
		c.refuse(at+".value", "an exposure has no value")
	case y.Outcome != nil && y.Variant != nil:
		c.refuse(at+".variant", "an outcome has no variant")
	}
	if y.After != "" {
		d, err := time.ParseDuration(y.After)
		if err != nil || d < 0 {
			c.refuse(at+".after", "%q is not a duration: 500ms, 90s, 1h", y.After)
		}
		y.after = d.Milliseconds()
	}
	c.named(at+".exposure", y.Exposure)
	c.named(at+".outcome", y.Outcome)
	if y.Variant != nil {
		c.field(at+".variant", y.Variant)
	}
	if y.Value != nil {
		c.field(at+".value", y.Value)
	}
	c.conditions(at+".when", &y.When)
	c.attributes(at+".attrs", y)
}

func (c *checker) attributes(at string, y *yields) {
	for _, name := range slices.Sorted(maps.Keys(y.Attrs)) {
		f := y.Attrs[name]
		c.field(at+"."+name, &f)
		y.Attrs[name] = f
		switch {
		case name == "":
			c.refuse(at, "an attribute has a name")
		case name != everyMember:
			y.names = append(y.names, name)
		case c.csv || len(f.paths) == 0:
			c.refuse(at, "* stands for all members of the object at a path")
		default:
			y.every = &f
		}
	}
}

// isName tells whether s can be part of an id.
func isName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	return s != "" && strings.Trim(s, letters) == ""
}

package sources

import (
	"bytes"
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
)

// Mapping says how the rows of a file, or the records of a topic, become events.
type Mapping struct {
	Name     string       `yaml:"name"`
	Format   string       `yaml:"format"`
	Detect   []conditions `yaml:"detect"` // what a record of this source looks like; any
	Each     paths        `yaml:"each"`   // where a record's list of elements lies
	Only     conditions   `yaml:"only"`   // what is not filtered out
	Skip     alternatives `yaml:"skip"`   // what is; any
	Refuse   []refusal    `yaml:"refuse"` // what cannot be counted honestly
	Unit     field        `yaml:"unit"`
	UnitKind *named       `yaml:"unit_kind"`
	ID       *field       `yaml:"id"`
	Consent  *field       `yaml:"consent"` // what the unit has consented to
	Time     times        `yaml:"time"`
	Rows     []yields     `yaml:"events"`

	text string // what it was read from
}

// refusal makes dead letters of what looks like an event and must not count as one.
type refusal struct {
	When    conditions `yaml:"when"`
	Because string     `yaml:"because"`
}

// yields is one event that a row may become.
type yields struct {
	Exposure *named           `yaml:"exposure"`
	Variant  *field           `yaml:"variant"`
	Outcome  *named           `yaml:"outcome"`
	Value    *field           `yaml:"value"`
	After    string           `yaml:"after"`
	When     conditions       `yaml:"when"`
	Attrs    map[string]field `yaml:"attrs"`

	after int64    // milliseconds
	names []string // of the attributes, sorted, without the next one
	every *field   // "*": all members of an object
}

// everyMember is the attribute that stands for all members of an object.
const everyMember = "*"

// The formats.
const (
	csvFormat    = "csv"
	jsonFormat   = "json"
	ndjsonFormat = "ndjson" // the same
	nativeFormat = "native" // assay's own events
)

// paths are one path or several.
type paths struct {
	Text []string

	list []path
}

// UnmarshalYAML takes one path alone, too.
func (p *paths) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		p.Text = []string{one}
		return nil
	}
	return unmarshal(&p.Text)
}

// alternatives are conditions of which one set must hold.
type alternatives []conditions

// UnmarshalYAML takes one set alone, too.
func (a *alternatives) UnmarshalYAML(unmarshal func(any) error) error {
	var many []conditions
	if err := unmarshal(&many); err == nil {
		*a = many
		return nil
	}
	var one conditions
	if err := unmarshal(&one); err != nil {
		return err
	}
	*a = alternatives{one}
	return nil
}

// LoadMapping reads a mapping file. Errors carry line and column.
func LoadMapping(data []byte) (*Mapping, error) {
	m := &Mapping{text: string(data)}
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict(), yaml.DisallowUnknownField())
	if err := dec.Decode(m); err != nil {
		return nil, errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if m.UnitKind == nil {
		user := "user"
		m.UnitKind = &named{field{Constant: &user}}
	}
	c := checker{data: data, csv: m.Format == csvFormat}
	c.mapping(m)
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	return m, nil
}

// columns are all that a mapping of csv reads.
func (m *Mapping) columns() []string {
	var out []string
	add := func(list []path) {
		for i := range list {
			out = append(out, list[i].text)
		}
	}
	var walk func(f *field)
	walk = func(f *field) {
		if f == nil {
			return
		}
		add(f.paths)
		for i := range f.First {
			walk(&f.First[i])
		}
		if f.Kind != nil {
			walk(&f.Kind.field)
		}
	}
	var walkTimes func(t *times)
	walkTimes = func(t *times) {
		add(t.paths)
		for i := range t.First {
			walkTimes(&t.First[i])
		}
	}
	walk(&m.Unit)
	walkTimes(&m.Time)
	walk(m.ID)
	walk(m.Consent)
	walk(&m.UnitKind.field)
	m.eachCondition(func(c *condition) { add(c.paths) })
	for i := range m.Rows {
		for _, f := range m.Rows[i].fields() {
			walk(f)
		}
	}
	return out
}

// eachCondition visits all but those of detect.
func (m *Mapping) eachCondition(visit func(*condition)) {
	sets := []*conditions{&m.Only}
	for i := range m.Skip {
		sets = append(sets, &m.Skip[i])
	}
	for i := range m.Refuse {
		sets = append(sets, &m.Refuse[i].When)
	}
	for i := range m.Rows {
		sets = append(sets, &m.Rows[i].When)
	}
	for _, set := range sets {
		for i := range set.list {
			visit(&set.list[i])
		}
	}
}

func (y *yields) fields() []*field {
	out := []*field{y.Variant, y.Value}
	for _, n := range []*named{y.Exposure, y.Outcome} {
		if n != nil {
			out = append(out, &n.field)
		}
	}
	for _, name := range y.names {
		f := y.Attrs[name]
		out = append(out, &f)
	}
	return out
}

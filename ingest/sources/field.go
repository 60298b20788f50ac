package sources

import (
	"github.com/assay-dev/assay/ingest"
)

// field is where a text comes from.
type field struct {
	Path     string            `yaml:"path"`
	Column   string            `yaml:"column"` // the same as path
	First    []field           `yaml:"first"`  // the first of them that is there
	Constant *string           `yaml:"constant"`
	NameOf   string            `yaml:"name_of"` // the key of the only member of the object there
	Row      bool              `yaml:"row"`     // units: the number of the row
	Values   map[string]string `yaml:"values"`
	Unlisted string            `yaml:"unlisted"`
	Kind     *named            `yaml:"kind"` // units: the unit kind that goes with this one

	paths []path
}

// keepUnlisted lets texts pass that a translation does not list.
const keepUnlisted = "keep"

// UnmarshalYAML takes a path alone, too.
func (f *field) UnmarshalYAML(unmarshal func(any) error) error {
	var path string
	if unmarshal(&path) == nil {
		f.Path = path
		return nil
	}
	type plain field
	return unmarshal((*plain)(f))
}

// named is a field of which a text alone is the name itself, not a path.
type named struct{ field }

// UnmarshalYAML takes a name alone, too.
func (f *named) UnmarshalYAML(unmarshal func(any) error) error {
	var name string
	if unmarshal(&name) == nil {
		f.Constant = &name
		return nil
	}
	return f.field.UnmarshalYAML(unmarshal)
}

// shown is how messages call the field.
func (f *field) shown() string {
	switch {
	case f.Path != "":
		return f.Path
	case f.Column != "":
		return f.Column
	case f.NameOf != "":
		return f.NameOf
	case len(f.First) > 0:
		return f.First[0].shown()
	default:
		return ""
	}
}

// read returns what the field holds, and which of the alternatives held it.
func (f *field) read(s *source) (value, *field, *problem) {
	var v value
	var at *path
	var bad *problem
	from := f
	switch {
	case f.Constant != nil:
		v = value{kind: text, text: []byte(*f.Constant), up: 1}
	case f.First != nil:
		v, from, bad = f.readFirst(s)
	case f.NameOf != "":
		v, bad = s.nameOf(&f.paths[0])
	default:
		v, at, bad = s.firstOf(f.paths)
	}
	if bad != nil || f.Values == nil || v.kind <= null {
		return v, from, bad
	}
	return f.translate(v, at, from)
}

// readFirst reads the first alternative that is there, or else the most that was.
func (f *field) readFirst(s *source) (most value, from *field, bad *problem) {
	for i := range f.First {
		v, at, bad := f.First[i].read(s)
		if bad != nil || v.there() {
			return v, at, bad
		}
		if from == nil || v.kind > most.kind {
			most, from = v, at
		}
	}
	return most, from, nil
}

func (f *field) translate(v value, at *path, from *field) (value, *field, *problem) {
	if v.scalar() {
		if translated, ok := f.Values[string(v.text)]; ok {
			v.kind, v.text = text, []byte(translated)
			return v, from, nil
		}
	}
	if f.Unlisted == keepUnlisted {
		return v, from, nil
	}
	where := f.shown()
	if at != nil {
		where = at.text
	}
	return v, from, wrong(ingest.BadField, where, v.text, "is not one of the values")
}

// nameOf reads the key of the only member of an object.
func (s *source) nameOf(p *path) (value, *problem) {
	if s.tree == nil {
		return value{}, nil
	}
	at, bad := s.node(p)
	if at == nowhere || bad != nil {
		return value{}, bad
	}
	if at = s.tree.only(at); at == nowhere {
		return value{}, nil
	}
	n := &s.tree.nodes[at]
	key, ok := s.tree.contents(n.keyFrom, n.keyTo, n.keyEscaped)
	if !ok {
		return value{}, &problem{reason: ingest.BadJSON, where: p.text, says: "half of a surrogate pair"}
	}
	return value{kind: text, text: key, up: p.up}, nil
}

// required reads a text that an event cannot be without.
func (f *field) required(s *source, says string) (string, *field, *problem) {
	v, from, bad := f.read(s)
	switch {
	case bad != nil:
		return "", nil, bad
	case v.kind <= null:
		return "", nil, &problem{reason: ingest.MissingField, where: f.shown(), says: says}
	case !v.scalar():
		return "", nil, &problem{reason: ingest.BadField, where: f.shown(), says: "is an object or a list"}
	case len(v.text) == 0:
		return "", nil, &problem{reason: ingest.BadField, where: f.shown(), says: says}
	}
	return string(v.text), from, nil
}

// optional reads a text that may be missing, and how far outside of the element
// it was found.
func (f *field) optional(s *source) (string, int, *problem) {
	v, _, bad := f.read(s)
	switch {
	case bad != nil || v.kind <= null:
		return "", 0, bad
	case !v.scalar():
		return "", 0, &problem{reason: ingest.BadField, where: f.shown(), says: "is an object or a list"}
	}
	return string(v.text), v.up, nil
}

// number reads a value digit by digit. A null is broken, not missing: it is how
// JavaScript writes NaN.
func (f *field) number(s *source) (string, *problem) {
	if f.First != nil {
		for i := range f.First {
			out, bad := f.First[i].number(s)
			if bad == nil || bad.reason != ingest.MissingField {
				return out, bad
			}
		}
		return "", &problem{reason: ingest.MissingField, where: f.shown(), says: "is missing"}
	}
	if f.Constant != nil || f.Values != nil {
		v, _, bad := f.read(s)
		if bad != nil {
			return "", bad
		}
		return numeral(v, f.shown())
	}
	for i := range f.paths {
		v, bad := s.get(&f.paths[i])
		if bad != nil {
			return "", bad
		}
		if v.kind != absent {
			return numeral(v, f.paths[i].text)
		}
	}
	return "", &problem{reason: ingest.MissingField, where: f.shown(), says: "is missing"}
}

// numeral writes a value as a JSON number.
func numeral(v value, where string) (string, *problem) {
	switch v.kind {
	case number:
		return string(v.text), nil
	case text:
		out, err := decimal(string(v.text))
		if err != nil {
			return "", wrong(ingest.BadValue, where, v.text, "is not a number")
		}
		return out, nil
	case absent:
		return "", &problem{reason: ingest.MissingField, where: where, says: "is missing"}
	default:
		return "", &problem{reason: ingest.BadValue, where: where, says: "is not a number"}
	}
}

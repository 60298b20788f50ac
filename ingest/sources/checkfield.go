package sources

import (
	"fmt"

	"github.com/assay-dev/assay/ingest"
)

// conditions checks and compiles them.
func (c *checker) conditions(at string, set *conditions) {
	for key, one := range set.By {
		if one.empty() {
			c.refuse(at+"."+key, "a condition is a text, or some of equals, not, in, not_in, prefix, not_prefix, present, number, nonzero, above")
		}
		one.paths = c.paths(at+"."+key, key, "")
		if one.Above != "" {
			var err error
			if one.above, err = ingest.ParseValue(one.Above); err != nil {
				c.refuse(at+"."+key+".above", "%q is not a number", one.Above)
			}
		}
		set.By[key] = one
	}
	set.compile()
}

// unit checks the field that says who.
func (c *checker) unit(at string, f *field) {
	if f.Row {
		if f.Path != "" || f.Column != "" || f.First != nil {
			c.refuse(at, "name a column, or say row: true")
		}
		return
	}
	if f.Path == "" && f.Column == "" && f.First == nil && f.Constant == nil && f.NameOf == "" {
		c.refuse(at, "name a column, or say row: true")
		return
	}
	c.fieldOrUnit(at, f, true)
}

// named checks a field that may be a name alone.
func (c *checker) named(at string, f *named) {
	switch {
	case f == nil:
	case f.Constant != nil && *f.Constant == "":
		c.refuse(at, "a name is not empty")
	default:
		c.field(at, &f.field)
	}
}

func (c *checker) field(at string, f *field) { c.fieldOrUnit(at, f, false) }

func (c *checker) fieldOrUnit(at string, f *field, unit bool) {
	n := 0
	for _, set := range []bool{f.Path != "" || f.Column != "", f.First != nil, f.Constant != nil, f.NameOf != ""} {
		if set {
			n++
		}
	}
	switch {
	case n != 1:
		c.refuse(at, "a field is one of a column or path, first, constant, name_of")
	case f.Values != nil && f.Constant != nil:
		c.refuse(at+".values", "only a column's text can be translated")
	case f.Unlisted != "" && (f.Unlisted != keepUnlisted || f.Values == nil):
		c.refuse(at+".unlisted", "unlisted: keep goes with values; without it such a text is an error")
	case f.Kind != nil && !unit:
		c.refuse(at+".kind", "only a unit has a kind")
	case f.Row:
		c.refuse(at+".row", "only the unit can be the number of the row")
	case f.NameOf != "":
		f.paths = c.paths(at+".name_of", f.NameOf, "")
	case f.First == nil && f.Constant == nil:
		f.paths = c.paths(at, f.Path, f.Column)
	}
	c.named(at+".kind", f.Kind)
	for i := range f.First {
		c.fieldOrUnit(fmt.Sprintf("%s.first[%d]", at, i), &f.First[i], unit)
	}
}

// paths takes a path, or a column, apart.
func (c *checker) paths(at, text, column string) []path {
	if text != "" && column != "" {
		c.refuse(at, "column is another word for path: give one")
	}
	if text == "" {
		text = column
	}
	if c.csv {
		return []path{columnPath(text)}
	}
	list, err := parsePaths(text)
	if err != nil {
		c.refuse(at, "%q: %v", text, err)
	}
	return list
}

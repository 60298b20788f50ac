package sources

import (
	"fmt"
	"slices"
)

// row gives the text of a column, and whether it is there.
type row func(column string) (string, bool)

// field is where a text comes from.
type field struct {
	Column   string            `yaml:"column"`
	Constant *string           `yaml:"constant"`
	Values   map[string]string `yaml:"values"`
}

// UnmarshalYAML takes a column's name alone, too.
func (f *field) UnmarshalYAML(unmarshal func(any) error) error {
	var column string
	if unmarshal(&column) == nil {
		f.Column = column
		return nil
	}
	type plain field
	return unmarshal((*plain)(f))
}

func (f *field) read(r row) (string, error) {
	if f.Constant != nil {
		return *f.Constant, nil
	}
	text, ok := r(f.Column)
	if !ok {
		return "", fmt.Errorf("%s is missing", f.Column)
	}
	if f.Values == nil {
		return text, nil
	}
	translated, ok := f.Values[text]
	if !ok {
		return "", fmt.Errorf("%s: %q is not one of the values", f.Column, text)
	}
	return translated, nil
}

// condition is what must hold for a column.
type condition struct {
	Equals  *string  `yaml:"equals"`
	Not     *string  `yaml:"not"`
	In      []string `yaml:"in"`
	NonZero bool     `yaml:"nonzero"`
}

// UnmarshalYAML takes a text alone, too: what the column must equal.
func (c *condition) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if unmarshal(&text) == nil {
		c.Equals = &text
		return nil
	}
	type plain condition
	return unmarshal((*plain)(c))
}

func (c *condition) forms() (n int) {
	for _, set := range []bool{c.Equals != nil, c.Not != nil, c.In != nil, c.NonZero} {
		if set {
			n++
		}
	}
	return n
}

// holds is an error when the column is missing or is no number where one is asked.
func (c *condition) holds(column string, r row) (bool, error) {
	text, ok := r(column)
	if !ok {
		return false, fmt.Errorf("%s is missing", column)
	}
	switch {
	case c.Equals != nil:
		return text == *c.Equals, nil
	case c.Not != nil:
		return text != *c.Not, nil
	case c.In != nil:
		return slices.Contains(c.In, text), nil
	default:
		number, err := decimal(text)
		if err != nil {
			return false, fmt.Errorf("%s: %w", column, err)
		}
		return !isZero(number), nil
	}
}

package sources

import (
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/ingest"
)

// condition is what must hold for what a path leads to.
type condition struct {
	Equals    *string  `yaml:"equals"`
	Not       *string  `yaml:"not"`
	In        []string `yaml:"in"`
	NotIn     []string `yaml:"not_in"`
	Prefix    string   `yaml:"prefix"`
	NotPrefix string   `yaml:"not_prefix"`
	Present   *bool    `yaml:"present"`
	Number    *bool    `yaml:"number"`
	NonZero   bool     `yaml:"nonzero"`
	Above     string   `yaml:"above"`

	paths []path
	above ingest.Value
}

// conditions hold together, by path. The zero value always holds.
type conditions struct {
	By map[string]condition

	list []condition // sorted by path
}

// UnmarshalYAML reads the map.
func (c *conditions) UnmarshalYAML(unmarshal func(any) error) error { return unmarshal(&c.By) }

// UnmarshalYAML takes a text alone, too: what must be there.
func (c *condition) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if unmarshal(&text) == nil {
		c.Equals = &text
		return nil
	}
	type plain condition
	return unmarshal((*plain)(c))
}

// empty tells whether nothing is asked.
func (c *condition) empty() bool {
	return c.Equals == nil && c.Not == nil && c.In == nil && c.NotIn == nil && c.Prefix == "" && c.NotPrefix == "" &&
		c.Present == nil && c.Number == nil && !c.NonZero && c.Above == ""
}

func (c *conditions) hold(s *source) (bool, *problem) {
	for i := range c.list {
		if holds, bad := c.list[i].holds(s); bad != nil || !holds {
			return false, bad
		}
	}
	return true, nil
}

// holds compares texts: all that the condition says must hold. What is not there
// equals nothing. Only a number that is none is a problem, where one is asked for.
func (c *condition) holds(s *source) (bool, *problem) {
	v, at, bad := s.firstOf(c.paths)
	if bad != nil {
		return false, bad
	}
	there := v.scalar()
	switch {
	case c.Equals != nil && !(there && string(v.text) == *c.Equals),
		c.Not != nil && there && string(v.text) == *c.Not,
		c.In != nil && !(there && slices.Contains(c.In, string(v.text))),
		c.NotIn != nil && there && slices.Contains(c.NotIn, string(v.text)),
		c.Prefix != "" && !(there && strings.HasPrefix(string(v.text), c.Prefix)),
		c.NotPrefix != "" && there && strings.HasPrefix(string(v.text), c.NotPrefix),
		c.Present != nil && v.there() != *c.Present:
		return false, nil
	}
	if c.Number != nil {
		if _, none := numeral(v, ""); (none == nil) != *c.Number {
			return false, nil
		}
	}
	if !c.NonZero && c.Above == "" {
		return true, nil
	}
	return c.compare(v, at)
}

// compare reads a number and compares it.
func (c *condition) compare(v value, at *path) (bool, *problem) {
	if v.kind <= null {
		return false, nil
	}
	text, bad := numeral(v, at.text)
	if bad != nil {
		return false, bad
	}
	if c.NonZero && isZero(text) {
		return false, nil
	}
	if c.Above == "" {
		return true, nil
	}
	n, err := ingest.ParseValue(text)
	if err != nil {
		return false, wrong(ingest.BadField, at.text, v.text, "is too large to compare")
	}
	return n.Sub(c.above).Sign() > 0, nil
}

// compile sorts the conditions, so that the first that fails is always the same.
func (c *conditions) compile() {
	for _, at := range slices.Sorted(maps.Keys(c.By)) {
		c.list = append(c.list, c.By[at])
	}
}

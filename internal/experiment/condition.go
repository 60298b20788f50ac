package experiment

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// condition makes a condition of what the file wrote.
func condition(list []entry[string]) Condition {
	c := make(Condition, len(list))
	for _, e := range list {
		c[e.key] = e.value
	}
	return c
}

// Names returns the condition's attributes, sorted.
func (c Condition) Names() []string { return slices.Sorted(maps.Keys(c)) }

// String writes the condition for people, its attributes sorted.
func (c Condition) String() string {
	parts := make([]string, 0, len(c))
	for _, name := range c.Names() {
		parts = append(parts, fmt.Sprintf("%s: %q", name, c[name]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

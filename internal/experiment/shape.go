package experiment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// schema is a piece of JSON Schema.
type schema map[string]any

// shape is a kind of value: how an editor should check it and how the parser
// reads it. Both come from here, so that they cannot drift apart. read notes
// what is wrong in the source and then returns false.
type shape[V any] struct {
	schema schema
	read   func(s *source, path string, n ast.Node) (V, bool)
}

// field is one line of the table of a mapping: its name, what it is for, and
// what may stand there.
type field[T any] struct {
	name     string
	about    string
	required bool
	schema   schema
	read     func(s *source, path string, n ast.Node, to *T)
}

// as makes a field of T whose value has a shape and goes to a place in T.
func as[T, V any](name string, sh shape[V], at func(*T) *V, about string) field[T] {
	return field[T]{name: name, about: about, schema: sh.schema,
		read: func(s *source, path string, n ast.Node, to *T) {
			if v, ok := sh.read(s, path, n); ok {
				*at(to) = v
			}
		}}
}

// must makes a field one that has to be there.
func must[T any](f field[T]) field[T] {
	f.required = true
	return f
}

// object is a mapping with the fields of a table and no others.
func object[T any](zero T, fields []field[T]) shape[T] {
	return shape[T]{schema: objectSchema(fields), read: func(s *source, path string, n ast.Node) (T, bool) {
		to := zero
		pairs, ok := mapping(s, path, n)
		if !ok {
			return to, false
		}
		readFields(s, path, n, pairs, fields, &to)
		return to, true
	}}
}

func objectSchema[T any](fields []field[T]) schema {
	properties, required := schema{}, []string{}
	for _, f := range fields {
		p := schema{"description": f.about}
		for k, v := range f.schema {
			p[k] = v
		}
		properties[f.name] = p
		if f.required {
			required = append(required, f.name)
		}
	}
	out := schema{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func readFields[T any](s *source, path string, n ast.Node, pairs []pair, fields []field[T], to *T) {
	seen := map[string]bool{}
	for _, p := range pairs {
		i := slices.IndexFunc(fields, func(f field[T]) bool { return f.name == p.key })
		if i < 0 {
			s.refuseAt(p.at, RuleUnknownField, fmt.Sprintf("%s is not a field of %s", p.key, naming(path)), suggest(p.key, names(fields)))
			continue
		}
		seen[p.key] = true
		at := join(path, p.key)
		s.mark(at, nodePosition(p.value))
		fields[i].read(s, at, p.value, to)
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			s.refuseAt(nodePosition(n), RuleMissingField, fmt.Sprintf("%s has no %s", naming(path), f.name), fmt.Sprintf("add %s: %s", f.name, f.about))
		}
	}
}

func names[T any](fields []field[T]) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.name
	}
	return out
}

// entry is one line of a mapping whose keys are the owner's own.
type entry[V any] struct {
	key   string
	value V
}

// entries is a mapping from names to values of one shape; it keeps the order.
func entries[V any](key shape[string], sh shape[V]) shape[[]entry[V]] {
	sc := schema{"type": "object", "propertyNames": key.schema, "additionalProperties": sh.schema, "minProperties": 1}
	return shape[[]entry[V]]{schema: sc, read: func(s *source, path string, n ast.Node) ([]entry[V], bool) {
		pairs, ok := mapping(s, path, n)
		if !ok {
			return nil, false
		}
		if len(pairs) == 0 {
			s.refuse(path, RuleEmpty, path+" is empty", "leave it out or name something in it")
			return nil, false
		}
		out := make([]entry[V], 0, len(pairs))
		for _, p := range pairs {
			at := join(path, p.key)
			s.mark(at, nodePosition(p.value))
			k, keyOK := key.read(s, at, p.node)
			v, valueOK := sh.read(s, at, p.value)
			ok = ok && keyOK && valueOK
			out = append(out, entry[V]{k, v})
		}
		return out, ok
	}}
}

// listOf is a sequence of one shape with at least one and at most so many items
// (0: as many as you like).
func listOf[V any](sh shape[V], atMost int) shape[[]V] {
	sc := schema{"type": "array", "items": sh.schema, "minItems": 1}
	if atMost > 0 {
		sc["maxItems"] = atMost
	}
	return shape[[]V]{schema: sc, read: func(s *source, path string, n ast.Node) ([]V, bool) {
		items, ok := sequence(s, path, n)
		if !ok {
			return nil, false
		}
		switch {
		case len(items) == 0:
			s.refuse(path, RuleEmpty, path+" is empty", "leave it out or put something into it")
			return nil, false
		case atMost > 0 && len(items) > atMost:
			s.refuse(path, RuleTooMany, fmt.Sprintf("%s lists %d; at most %d are kept", path, len(items), atMost), "")
			return nil, false
		}
		out := make([]V, 0, len(items))
		for i, item := range items {
			at := fmt.Sprintf("%s[%d]", path, i)
			s.mark(at, nodePosition(item))
			v, itemOK := sh.read(s, at, item)
			ok = ok && itemOK
			out = append(out, v)
		}
		return out, ok
	}}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// naming says which mapping a message speaks of.
func naming(path string) string {
	if path == "" {
		return "this file"
	}
	return path
}

// suggest names the nearest known word, or all of them when none is near.
func suggest(word string, known []string) string {
	best, least := "", min(3, len(word)/2+1)
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	if len(known) == 0 {
		return ""
	}
	return "known: " + strings.Join(known, ", ")
}

// distance is Levenshtein's: the fewest single letters to add, drop or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package sources

import (
	"slices"
	"strings"

	"github.com/assay-dev/assay/ingest"
)

// attributes reads those that are kept. What is missing or null is left out.
func (y *yields) attributes(s *source) ([]ingest.Attr, *problem) {
	var out []ingest.Attr
	for _, name := range y.names {
		if !s.keeps(name) {
			continue
		}
		f := y.Attrs[name]
		v, _, bad := f.read(s)
		switch {
		case bad != nil:
			return nil, bad
		case v.kind <= null:
			continue
		case !v.scalar():
			return nil, &problem{reason: ingest.BadField, where: f.shown(), says: "is an object or a list"}
		}
		out = append(out, ingest.Attr{Name: name, Value: string(v.text)})
	}
	if y.every == nil {
		return out, nil
	}
	return y.members(s, out)
}

// members adds the scalar members of an object, and sorts. What was named already
// stays.
func (y *yields) members(s *source, out []ingest.Attr) ([]ingest.Attr, *problem) {
	at, bad := s.node(&y.every.paths[0])
	if at != nowhere {
		at = s.tree.open(at)
	}
	if bad != nil || at == nowhere || s.tree.nodes[at].kind < object {
		return out, bad
	}
	around := s.tree.nodes[at].kind
	for child := at + 1; child < s.tree.nodes[at].next; child = s.tree.nodes[child].next {
		key, value := s.tree.member(child, around)
		name := string(key)
		if _, named := y.Attrs[name]; named || name == "" || !s.keeps(name) {
			continue
		}
		v, bad := s.tree.scalar(value)
		if bad != nil {
			return nil, bad
		}
		if v.scalar() {
			out = append(out, ingest.Attr{Name: name, Value: string(v.text)})
		}
	}
	slices.SortStableFunc(out, func(a, b ingest.Attr) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(out); i++ {
		if out[i].Name == out[i-1].Name {
			return nil, &problem{reason: ingest.BadJSON, where: y.every.shown(), says: "a key is given twice"}
		}
	}
	return out, nil
}

// keeps tells whether an attribute is on the allow-list.
func (s *source) keeps(name string) bool {
	if s.keep == nil {
		return true
	}
	_, ok := slices.BinarySearch(s.keep, name)
	return ok
}

package sources

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/ingest"
)

// element is one of the things that a record holds: the record itself, or a
// member of its list.
type element struct {
	at     int32
	around []int32
}

// elements goes down to the lists of a record, one path after the other. Where a
// path leads to an object, that is the element; where it leads to nothing, the
// element is what it was.
func (m *Mapping) elements(t *tree, root element) ([]element, *problem) {
	out := []element{root}
	for i := range m.Each.list {
		var next []element
		for _, e := range out {
			inner, bad := e.inner(t, &m.Each.list[i])
			if bad != nil {
				return nil, bad
			}
			next = append(next, inner...)
		}
		out = next
	}
	return out, nil
}

func (e element) inner(t *tree, p *path) ([]element, *problem) {
	at, bad := t.find(e.at, p.steps)
	if bad != nil {
		bad.where = p.text
		return nil, bad
	}
	if at != nowhere {
		at = t.open(at)
	}
	if at == nowhere {
		return []element{e}, nil
	}
	around := slices.Concat(e.around, []int32{e.at})
	switch {
	case t.nodes[at].kind == object && at != e.at:
		return []element{{at, around}}, nil
	case t.nodes[at].kind != list:
		return []element{e}, nil
	}
	var out []element
	for child := at + 1; child < t.nodes[at].next; child = t.nodes[child].next {
		out = append(out, element{child, around})
	}
	return out, nil
}

// result is what a record became.
type result struct {
	events []Event
	broken int      // elements that are neither events nor filtered
	first  *problem // the first of those, or else why something was filtered
	total  int      // elements

	json       []byte // of a record that is native already; then nothing else is set
	translated bool   // the json isn't the record's own
}

// record makes events of all elements of a record. s stands at its root.
func (m *Mapping) record(s *source) (r result) {
	elements, bad := m.elements(s.tree, element{s.at, s.around})
	if bad != nil {
		return result{broken: 1, first: bad}
	}
	r.total = len(elements)
	if r.total == 0 {
		r.first = filtered(nil, "an empty list")
	}
	for k, e := range elements {
		s.at, s.around = e.at, e.around
		events, bad := m.events(s)
		switch {
		case bad == nil:
			m.distinguish(s, k, r.total, events)
			r.events = append(r.events, events...)
		case bad.reason == ingest.Filtered:
			if r.first == nil {
				r.first = bad
			}
		default:
			if r.broken++; r.broken == 1 {
				r.first = bad
			}
		}
	}
	return r
}

// distinguish gives the events of one place ids of their own. An event alone
// needs none: its place is its identity. A member of a list has the id that it
// holds itself, or else that of the record with its number. In files every id
// names the mapping, too, and the event.
func (m *Mapping) distinguish(s *source, k, elements int, events []Event) {
	if s.record != nil && elements == 1 && len(events) == 1 {
		return
	}
	place := s.line
	if s.record != nil {
		place = fmt.Sprintf("%d/%d", s.record.partition, s.record.offset)
	}
	for i := range events {
		e := &events[i]
		id := e.ID
		switch {
		case id == "":
			id = place
		case s.record == nil:
			id = m.Name + ":" + id
		}
		if elements > 1 && (e.ID == "" || e.outer) {
			id = fmt.Sprintf("%s/%d", id, k)
		}
		if i > 0 || s.record == nil {
			id = fmt.Sprintf("%s:%d", id, e.entry)
		} else if elements == 1 {
			id = e.ID
		}
		e.ID = id
	}
}

package sources

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/assay-dev/assay/ingest"
)

// native is one record to be sent.
type native struct {
	kind  ingest.Type
	unit  string
	value []byte
}

// natives is what a line becomes. What a topic's reader would refuse is refused
// here.
func (r *replay) natives(line []byte, wrong error) ([]native, error) {
	if wrong != nil {
		return nil, wrong
	}
	if !utf8.Valid(line) {
		return nil, errors.New("the line is not UTF-8")
	}
	s := source{number: r.lines.number, line: fmt.Sprintf("%s:%d", r.id, r.lines.number)}
	var err error
	switch {
	case r.table != nil:
		s.number-- // the header is no row
		s.cells, err = r.cells(line)
	case r.mapping.Format == nativeFormat:
		n, err := r.native(line, s.line)
		return []native{n}, err
	default:
		err = r.json(line, &s)
	}
	if err != nil {
		return nil, err
	}
	events, bad := r.events(&s)
	if bad != nil {
		return nil, bad
	}
	out := make([]native, 0, len(events))
	for i := range events {
		value := events[i].JSON()
		if _, dead, ok := r.judge.Decode(ingest.Record{Value: value, KafkaT: -1}); !ok {
			return nil, errors.New(dead.Detail)
		}
		out = append(out, native{events[i].Type, events[i].Unit, value})
	}
	return out, nil
}

// cells reads a row, which goes on in the next lines while a quote is open.
func (r *replay) cells(line []byte) (func(string) (string, bool), error) {
	cells, err := r.table.row(line)
	if !errors.Is(err, errOpen) {
		return cells, err
	}
	cells, more, err := r.table.joined(line, r.lines)
	r.lines.skip(more)
	return cells, err
}

func (r *replay) json(line []byte, s *source) error {
	root, ce, bad := r.tree.unwrap(line, nil)
	if bad != nil {
		return bad
	}
	s.tree, s.at, s.around, s.ce = &r.tree, root.at, root.around, ce
	return nil
}

// events maps a row. Of a list with a broken element nothing is sent.
func (r *replay) events(s *source) ([]Event, error) {
	if s.cells == nil {
		became := r.mapping.record(s)
		if became.broken > 0 {
			return nil, became.first
		}
		return became.events, nil
	}
	events, bad := r.mapping.events(s)
	switch {
	case bad == nil:
		r.mapping.distinguish(s, 0, 1, events)
		return events, nil
	case bad.reason == ingest.Filtered:
		return nil, nil
	default:
		return nil, bad
	}
}

// native passes a native event on, with an id if it has none.
func (r *replay) native(line []byte, id string) (native, error) {
	e, dead, ok := r.judge.Decode(ingest.Record{Value: line, KafkaT: -1})
	if !ok {
		return native{}, errors.New(dead.Detail)
	}
	if !r.tree.parse(line) {
		return native{}, errors.New("not JSON")
	}
	n := native{e.Type, r.tree.plain(0, "unit"), bytes.Clone(line)}
	if e.ID == "" {
		n.value = r.tree.identified(0, cloudEvent{id: id})
	}
	return n, nil
}

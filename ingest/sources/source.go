package sources

import (
	"fmt"

	"github.com/assay-dev/assay/ingest"
)

// value is what a field holds. Its text is good until the next read.
type value struct {
	kind kind
	text []byte
	up   int // how far outside of the element it was found
}

// there tells whether a value can stand for something: it is present, not null
// and not an empty text.
func (v *value) there() bool { return v.kind > null && (v.kind != text || len(v.text) > 0) }

// scalar tells whether a value has a text of its own.
func (v *value) scalar() bool { return v.kind == text || v.kind == number || v.kind == boolean }

// problem is why something is no event.
type problem struct {
	reason ingest.Reason
	where  string  // path or column
	value  *string // what stands there: for people who hold the file, never for a dead letter
	says   string
}

// detail holds nothing of the payload.
func (p *problem) detail() string {
	if p.where == "" {
		return p.says
	}
	return p.where + " " + p.says
}

// Error shows the value, too.
func (p *problem) Error() string {
	if p.value == nil {
		return p.detail()
	}
	return fmt.Sprintf("%s: %q %s", p.where, *p.value, p.says)
}

func wrong(reason ingest.Reason, where string, v []byte, says string) *problem {
	shown := string(v)
	return &problem{reason: reason, where: where, value: &shown, says: says}
}

// source is a row of a file, a record, or one element of a record's list.
type source struct {
	cells  func(column string) (string, bool) // of csv; nil for JSON
	tree   *tree
	at     int32
	around []int32 // what the element lies in, the innermost last

	number int        // of the row, for files
	line   string     // an id made of the file and the line
	record *record    // of a topic; nil for files
	keep   []string   // the attributes to keep, sorted; nil keeps all
	ce     cloudEvent // around the record
}

// record is what a topic knows about a record beside its value.
type record struct {
	kafkaT    int64
	partition int32
	offset    int64
}

// get reads what a path leads to; absent when that is nothing.
func (s *source) get(p *path) (value, *problem) {
	if s.cells != nil {
		cell, ok := s.cells(p.text)
		if !ok {
			return value{}, nil
		}
		return value{kind: text, text: []byte(cell)}, nil
	}
	at, bad := s.node(p)
	if at == nowhere || bad != nil {
		return value{}, bad
	}
	v, bad := s.tree.scalar(at)
	if bad != nil {
		bad.where = p.text
	}
	v.up = p.up
	return v, bad
}

// node finds what a path leads to.
func (s *source) node(p *path) (int32, *problem) {
	at := s.at
	if p.up > 0 {
		if p.up > len(s.around) {
			return nowhere, nil
		}
		at = s.around[len(s.around)-p.up]
	}
	at, bad := s.tree.find(at, p.steps)
	if bad != nil {
		bad.where = p.text
	}
	return at, bad
}

// firstOf reads the first path that leads to something. With none it returns the
// most that was there: an empty text, null or nothing.
func (s *source) firstOf(paths []path) (most value, at *path, bad *problem) {
	for i := range paths {
		v, bad := s.get(&paths[i])
		if bad != nil || v.there() {
			return v, &paths[i], bad
		}
		if at == nil || v.kind > most.kind {
			most, at = v, &paths[i]
		}
	}
	return most, at, nil
}

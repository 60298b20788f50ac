package ingest

import (
	"encoding/binary"
	"unsafe"
)

// tuple is what the rows of many events have in common: everything but unit,
// identity, time, place and value.
type tuple struct {
	name, variant uint32 // words
	unitKind      uint32 // word
	partition     int32  // of the origin, plus one; 0: no copy
	attrs         uint32 // where the attributes begin in the tuple's text
	kind          Type
	topic         uint8
}

// tuples numbers them from 1 on. Attributes of few values make few tuples; one
// with a value of its own in each event costs its text for each.
type tuples struct {
	texts symbols
	list  []tuple
}

// tuple returns the number of the event's.
func (j *Joiner) tuple(e *Event) uint32 {
	origin := uint64(0)
	if e.Origin.Copied {
		origin = uint64(e.Origin.Partition) + 1
	}
	b := binary.AppendUvarint(append(j.text[:0], byte(e.Type), e.Place.Topic), origin)
	b = appendText(b, e.UnitKind)
	if e.Type == Exposure {
		b = appendText(appendText(b, e.Experiment), e.Variant)
	} else {
		b = appendText(b, e.Name)
	}
	attrs := len(b)
	b = appendAttrs(b, e.Attrs)
	j.text = b
	n, fresh := j.tuples.texts.intern(b)
	if !fresh {
		return n
	}
	t := tuple{unitKind: j.symbol(e.UnitKind), kind: e.Type, topic: e.Place.Topic, partition: int32(origin), attrs: uint32(attrs)}
	if e.Type == Exposure {
		t.name, t.variant = j.symbol(e.Experiment), j.symbol(e.Variant)
	} else {
		t.name = j.symbol(e.Name)
	}
	if int(n) > len(j.tuples.list) {
		j.tuples.list = append(j.tuples.list, t)
	} else {
		j.tuples.list[n-1] = t
	}
	return n
}

// kindOf is the kind of a row's unit. It is part of the unit's hash: all rows of a
// unit agree.
func (j *Joiner) kindOf(tuple uint32) uint32 { return j.tuples.list[tuple-1].unitKind }

func (t *tuples) attrs(n uint32) []byte { return t.texts.bytes(n)[t.list[n-1].attrs:] }

func (t *tuples) size() int64 {
	return t.texts.size() + int64(cap(t.list))*int64(unsafe.Sizeof(tuple{}))
}

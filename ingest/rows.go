package ingest

import (
	"cmp"
	"math/bits"
)

// packed is an accepted record as the state keeps it: 32 bytes without a pointer.
// What it has in common with other records is in its tuple.
type packed struct {
	when   uint64 // time in the upper 48 bits, bits 32 to 47 of the offset below
	value  int64  // see packValue; outcomes
	offset uint32 // the lower bits
	next   uint32 // the unit's next row
	tuple  uint32
	hash   uint32 // half of its identity, see identities
}

func (p *packed) time() int64 { return int64(p.when >> 16) }

// row is a packed one laid out for reading.
type row struct {
	at        uint32 // its index
	next      uint32
	kind      Type
	topic     uint8
	partition int32  // of its origin, plus one; 0: it is no copy
	name      uint32 // word: experiment of an exposure, event of an outcome
	variant   uint32 // word; 0: an outcome
	tuple     uint32
	t         int64
	offset    int64 // of its origin if it is a copy
	value     Value // outcomes
}

func (r *row) exposure() bool { return r.kind == Exposure }

// before compares places in the log: by topic, then offset. Copies of records
// that were keyed anew stand where they were first written.
func (r *row) before(o *row) bool {
	return cmp.Or(cmp.Compare(r.topic, o.topic), cmp.Compare(r.partition, o.partition), cmp.Compare(r.offset, o.offset)) < 0
}

// view lays out a row of the segment at hand.
func (j *Joiner) view(i uint32) row {
	p := j.rows.at(i)
	t := &j.tuples.list[p.tuple-1]
	r := row{
		at: i, next: p.next, kind: t.kind, topic: t.topic, partition: t.partition, name: t.name, variant: t.variant,
		tuple: p.tuple, t: int64(p.when >> 16), offset: int64(p.when&0xffff)<<32 | int64(p.offset),
	}
	if p.value != 0 {
		r.value = j.value(i, p.value)
	}
	return r
}

func (j *Joiner) value(i uint32, v int64) Value {
	if v == isHuge {
		return j.huge[i]
	}
	return unpackValue(v)
}

// attrs are the row's attributes, see attr.
func (j *Joiner) attrs(r *row) []byte { return j.tuples.attrs(r.tuple) }

// store takes an event into the segment at hand, not yet linked to its unit.
func (j *Joiner) store(e *Event, id identity) uint32 {
	i := j.rows.alloc(1)
	offset := e.Place.Offset
	if e.Origin.Copied {
		offset = e.Origin.Offset
	}
	p := j.rows.at(i)
	*p = packed{when: uint64(e.T)<<16 | uint64(offset)>>32&0xffff, offset: uint32(offset), tuple: j.tuple(e), hash: uint32(id)}
	if e.Type != Exposure {
		v, fits := packValue(e.Value)
		if p.value = v; !fits {
			j.keepHuge(i, e.Value)
		}
	}
	if id != 0 {
		j.identities.add(id, i)
	}
	return i
}

func (s *segment) keepHuge(i uint32, v Value) {
	if s.huge == nil {
		s.huge = map[uint32]Value{}
	}
	s.huge[i] = v
}

const (
	valueBits = 60 // of a packed value's integer
	mostZeros = 12
	// isHuge stands for a value of more than 17 digits that are not zeros at the
	// end: such values are in a table of their own.
	isHuge = int64(-1<<63 | 15)
)

// packValue writes a value as an integer of 60 bits and a number of zeros behind
// it: 19.99, a count of bytes and a time in milliseconds all fit.
func packValue(v Value) (packed int64, fits bool) {
	negative := v.Sign() < 0
	if negative {
		v = v.Neg()
	}
	zeros := int64(0)
	for v.Hi != 0 || v.Lo >= 1<<(valueBits-1) {
		hi, lo, rest := divide(v, 10)
		if zeros++; rest != 0 || zeros > mostZeros {
			return isHuge, false
		}
		v = Value{Hi: hi, Lo: lo}
	}
	m := int64(v.Lo)
	if negative {
		m = -m
	}
	return m<<(64-valueBits) | zeros, true
}

func divide(v Value, by uint64) (hi int64, lo, rest uint64) {
	hi = v.Hi / int64(by)
	lo, rest = bits.Div64(uint64(v.Hi%int64(by)), v.Lo, by)
	return hi, lo, rest
}

func unpackValue(packed int64) Value {
	m, zeros := packed>>(64-valueBits), int(packed&15)
	if zeros == 0 {
		return Int64(m)
	}
	negative := m < 0
	if negative {
		m = -m
	}
	hi, lo := bits.Mul64(uint64(m), pow10(zeros))
	v := Value{Hi: int64(hi), Lo: lo}
	if negative {
		return v.Neg()
	}
	return v
}

package ingest

import (
	"math/bits"
	"unsafe"
)

// unit is an entry of the unit index.
type unit struct {
	id        Unit
	rows      uint32 // newest of its rows; 0: the entry is free
	standings uint32
	seen      uint32 // experimentBit of each experiment that it has exposures of
	state     uint32 // when it was touched last, and flags
}

const (
	cold      = 1 << iota // its rows are here, its standings are not yet
	unsettled             // its deltas are taken back and wait for its last event, see many.go
	strayed               // it may have exposures of experiments that its standings don't name
	stateBits = iota
)

func (u *unit) is(flags uint32) bool { return u.state&flags != 0 }
func (u *unit) set(flag uint32)      { u.state |= flag }
func (u *unit) clear(flag uint32)    { u.state &^= flag }
func (u *unit) touched() uint32      { return u.state >> stateBits }
func (u *unit) touch(moment uint32)  { u.state = moment<<stateBits | u.state&(1<<stateBits-1) }
func (u *unit) since(moment uint32)  { u.touch(max(u.touched(), moment)) }
func (u *unit) before(m uint32) bool { return u.touched() < m }

// sees notes an exposure of an experiment.
func (u *unit) sees(experiment uint32) { u.seen |= experimentBit(experiment) }

// experimentBit is one of 32 that an experiment shares with others: a unit without
// it has no exposure of the experiment, one with it may have.
func experimentBit(symbol uint32) uint32 { return 1 << (symbol * 0x9e3779b1 >> 27) }

// units is the flat index of a segment's units: open addressing, no pointers.
//
// A table's places are in the order of the hashes. So it can have any size, and
// grow by a quarter: on average it is nearly three quarters full, and growing
// reads and writes memory from one end to the other.
type units struct {
	part  [parts][]unit
	count [parts]int
}

// full tells whether a table with n of size places taken has to grow.
func full(n, size int) bool { return 5*n >= 4*size }

// larger is the next size of a table. Small ones double: there are hundreds, and what
// they leave free is little.
func larger(size int) int {
	if size < 256 {
		return max(8, 2*size)
	}
	return size + size/4
}

// spot is where a hash belongs in a table.
func spot(hash uint64, size int) int {
	i, _ := bits.Mul64(hash, uint64(size))
	return int(i)
}

// at returns the unit's entry, a new one if need be. It is valid until the next
// call.
func (u *units) at(id Unit) *unit {
	p := partOf(id.Hi)
	if full(u.count[p], len(u.part[p])) {
		u.resize(p, larger(len(u.part[p])))
	}
	e := probe(u.part[p], id)
	if e.rows == 0 {
		*e = unit{id: id}
		u.count[p]++
	}
	return e
}

func probe(part []unit, id Unit) *unit {
	for i := spot(id.Lo, len(part)); ; {
		if e := &part[i]; e.rows == 0 || e.id == id {
			return e
		}
		if i++; i == len(part) {
			i = 0
		}
	}
}

// find returns the unit's entry, nil without one.
func (u *units) find(id Unit) *unit {
	part := u.part[partOf(id.Hi)]
	if len(part) == 0 {
		return nil
	}
	if e := probe(part, id); e.rows != 0 {
		return e
	}
	return nil
}

func (u *units) resize(p, size int) {
	old := u.part[p]
	u.part[p] = make([]unit, size)
	for i := range old {
		if old[i].rows != 0 {
			*probe(u.part[p], old[i].id) = old[i]
		}
	}
}

// each visits every unit.
func (u *units) each(visit func(*unit)) {
	for p := range u.part {
		for i := range u.part[p] {
			if e := &u.part[p][i]; e.rows != 0 {
				visit(e)
			}
		}
	}
}

func (u *units) len() int {
	n := 0
	for _, c := range u.count {
		n += c
	}
	return n
}

func (u *units) size() int64 {
	n := int64(0)
	for p := range u.part {
		n += int64(len(u.part[p]))
	}
	return n * int64(unsafe.Sizeof(unit{}))
}

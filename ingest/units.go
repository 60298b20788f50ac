package ingest

import (
	"encoding/binary"
	"unsafe"

	"github.com/dchest/siphash"
)

// The tables below are divided by the top byte of the hash. Each part grows by
// itself, so that no event waits for a copy of everything.
const parts = 256

// unit is an entry of the unit index.
type unit struct {
	id        Unit
	rows      uint32 // newest of its rows; 0: the entry is free
	standings uint32
	kind      uint32 // symbol
	cold      bool   // its rows are here, its standings are not yet
}

// units is the flat index of a shard's units: open addressing, no pointers.
type units struct {
	part  [parts][]unit
	count [parts]int
}

// at returns the unit's entry, a new one if need be. It is valid until the next
// call.
func (u *units) at(id Unit) *unit {
	p := id.Hi >> 56
	if 4*u.count[p] >= 3*len(u.part[p]) {
		u.grow(p)
	}
	e := probe(u.part[p], id)
	if e.rows == 0 {
		e.id = id
		u.count[p]++
	}
	return e
}

func probe(part []unit, id Unit) *unit {
	mask := uint64(len(part) - 1)
	for i := id.Lo & mask; ; i = (i + 1) & mask {
		if e := &part[i]; e.rows == 0 || e.id == id {
			return e
		}
	}
}

// find returns the unit's entry, nil without one.
func (u *units) find(id Unit) *unit {
	part := u.part[id.Hi>>56]
	if len(part) == 0 {
		return nil
	}
	if e := probe(part, id); e.rows != 0 {
		return e
	}
	return nil
}

func (u *units) grow(p uint64) {
	old := u.part[p]
	u.part[p] = make([]unit, max(16, 2*len(old)))
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

// identities is the set of the identities that have been accepted.
type identities struct {
	part  [parts][]identity
	count [parts]int
	text  []byte
}

// identity is the 128-bit hash of (topic, type, unit, id, t); zero is free.
type identity struct{ hi, lo uint64 }

// of returns the identity of an event that has an id. The unit, which is itself a
// keyed hash, is the hash's key: who doesn't know the deployment's key can't look
// for collisions.
func (s *identities) of(e *Event) identity {
	s.text = append(s.text[:0], e.Place.Topic, byte(e.Type))
	s.text = binary.LittleEndian.AppendUint64(s.text, uint64(e.T))
	s.text = append(s.text, e.ID...)
	hi, lo := siphash.Hash128(e.Unit.Hi, e.Unit.Lo, s.text)
	return identity{hi, lo | 1}
}

// has tells whether an identity is in the set.
func (s *identities) has(id identity) bool {
	part := s.part[id.hi>>56]
	return len(part) > 0 && *findIdentity(part, id) == id
}

// add takes an identity in; false when it was there.
func (s *identities) add(id identity) bool {
	p := id.hi >> 56
	if 4*s.count[p] >= 3*len(s.part[p]) {
		s.grow(p)
	}
	at := findIdentity(s.part[p], id)
	if *at == id {
		return false
	}
	*at = id
	s.count[p]++
	return true
}

func findIdentity(part []identity, id identity) *identity {
	mask := uint64(len(part) - 1)
	for i := id.hi & mask; ; i = (i + 1) & mask {
		if e := &part[i]; *e == id || *e == (identity{}) {
			return e
		}
	}
}

func (s *identities) grow(p uint64) {
	old := s.part[p]
	s.part[p] = make([]identity, max(16, 2*len(old)))
	for _, id := range old {
		if id != (identity{}) {
			*findIdentity(s.part[p], id) = id
		}
	}
}

func (s *identities) size() int64 {
	n := int64(0)
	for p := range s.part {
		n += int64(len(s.part[p]))
	}
	return n * int64(unsafe.Sizeof(identity{}))
}

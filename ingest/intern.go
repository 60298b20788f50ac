package ingest

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

const (
	internBits      = 11
	longestInterned = 256
	slabBytes       = 16 << 10
	slabAttrs       = 256
)

// interner gives the strings that come again and again one copy each. It is a
// cache of two places per hash, not a table that grows: a field with millions of
// values costs an allocation per event and nothing else.
type interner struct{ sets [1 << internBits][2]string }

func (n *interner) string(b []byte) string {
	if len(b) > longestInterned {
		return string(b)
	}
	set := &n.sets[spread(b)>>(64-internBits)]
	if set[0] == string(b) {
		return set[0]
	}
	if set[1] == string(b) {
		return set[1]
	}
	set[1] = set[0]
	set[0] = string(b)
	return set[0]
}

// spread is a cheap hash. It need not withstand an attacker: the worst that
// collisions do is allocate.
func spread(b []byte) uint64 {
	const k = 0x9e3779b97f4a7c15
	h := uint64(len(b)) * k
	for len(b) >= 8 {
		h = bits.RotateLeft64((h^binary.LittleEndian.Uint64(b))*k, 29)
		b = b[8:]
	}
	tail := uint64(0)
	for _, c := range b {
		tail = tail<<8 | uint64(c)
	}
	return (h ^ tail) * k
}

// slab cuts short-lived strings and attribute lists from larger pieces, so that
// an event costs a fraction of an allocation. A piece is free when the last event
// that uses it is.
type slab struct {
	text  *strings.Builder
	attrs []Attr
}

func (s *slab) string(b []byte) string {
	if s.text == nil || s.text.Cap()-s.text.Len() < len(b) {
		s.text = new(strings.Builder)
		s.text.Grow(max(slabBytes, len(b)))
	}
	from := s.text.Len()
	s.text.Write(b)
	return s.text.String()[from:]
}

// list returns an empty list with room for n attributes.
func (s *slab) list(n int) []Attr {
	if cap(s.attrs)-len(s.attrs) < n {
		s.attrs = make([]Attr, 0, max(slabAttrs, n))
	}
	from := len(s.attrs)
	s.attrs = s.attrs[:from+n]
	return s.attrs[from : from : from+n]
}

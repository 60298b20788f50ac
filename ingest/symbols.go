package ingest

import (
	"encoding/binary"
	"hash/maphash"
	"unsafe"
)

// symbols numbers texts from 1 on. It holds no pointers, so that the garbage
// collector never walks it; 0 is the empty text.
type symbols struct {
	seed  maphash.Seed
	text  []byte
	spans []span   // of number i+1
	index []uint32 // open addressing, 0 is free
	free  []uint32 // numbers whose texts were swept
}

type span struct {
	from uint64
	size uint32 // 0: the number is free
}

func newSymbols() symbols {
	return symbols{seed: maphash.MakeSeed(), index: make([]uint32, 64)}
}

// id returns the number of b, a new one if need be.
func (s *symbols) id(b []byte) uint32 {
	n, _ := s.intern(b)
	return n
}

// intern does the same and tells whether the text is new.
func (s *symbols) intern(b []byte) (n uint32, fresh bool) {
	if len(b) == 0 {
		return 0, false
	}
	if 2*len(s.spans) >= len(s.index) {
		s.reindex(2 * len(s.index))
	}
	slot := s.slot(b)
	if n = s.index[slot]; n != 0 {
		return n, false
	}
	at := span{uint64(len(s.text)), uint32(len(b))}
	s.text = append(s.text, b...)
	if last := len(s.free) - 1; last >= 0 {
		n, s.free = s.free[last], s.free[:last]
		s.spans[n-1] = at
	} else {
		s.spans = append(s.spans, at)
		n = uint32(len(s.spans))
	}
	s.index[slot] = n
	return n, true
}

// slot finds where b is, or where it would go.
func (s *symbols) slot(b []byte) uint64 {
	mask := uint64(len(s.index) - 1)
	i := maphash.Bytes(s.seed, b) & mask
	for s.index[i] != 0 && string(s.bytes(s.index[i])) != string(b) {
		i = (i + 1) & mask
	}
	return i
}

func (s *symbols) reindex(size int) {
	s.index = make([]uint32, size)
	for i, at := range s.spans {
		if at.size > 0 {
			s.index[s.slot(s.bytes(uint32(i+1)))] = uint32(i + 1)
		}
	}
}

// bytes returns the text of a number; it must not be changed.
func (s *symbols) bytes(id uint32) []byte {
	if id == 0 {
		return nil
	}
	at := s.spans[id-1]
	return s.text[at.from : at.from+uint64(at.size)]
}

// sweep forgets the texts that are not to be kept. The others keep their numbers.
func (s *symbols) sweep(keep bitmap) {
	size := uint64(0)
	for i := range s.spans {
		if !keep.has(uint32(i + 1)) {
			s.spans[i].size = 0
		}
		size += uint64(s.spans[i].size)
	}
	old := s.text
	s.text, s.free = make([]byte, 0, size), nil
	for i := range s.spans {
		at := &s.spans[i]
		from := at.from
		at.from = uint64(len(s.text))
		s.text = append(s.text, old[from:from+uint64(at.size)]...)
		if at.size == 0 {
			s.free = append(s.free, uint32(i+1))
		}
	}
	slots := 64
	for slots <= 2*len(s.spans) {
		slots *= 2
	}
	s.reindex(slots)
}

func (s *symbols) size() int64 {
	return int64(cap(s.text)) + int64(cap(s.spans))*int64(unsafe.Sizeof(span{})) + 4*int64(cap(s.index)+cap(s.free))
}

// bitmap is a set of symbols.
type bitmap []uint64

func newBitmap(most int) bitmap    { return make(bitmap, most/64+1) }
func (m bitmap) add(n uint32)      { m[n/64] |= 1 << (n % 64) }
func (m bitmap) has(n uint32) bool { return m[n/64]>>(n%64)&1 != 0 }

// appendAttrs writes a list of attributes as one text: lengths before contents.
func appendAttrs(b []byte, attrs []Attr) []byte {
	for i := range attrs {
		b = appendText(appendText(b, attrs[i].Name), attrs[i].Value)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// attr finds an attribute in such a text.
func attr(list []byte, name string) (value []byte, ok bool) {
	for len(list) > 0 {
		var n, v []byte
		n, list = cut(list)
		v, list = cut(list)
		if string(n) == name {
			return v, true
		}
	}
	return nil, false
}

func cut(list []byte) (head, rest []byte) {
	n, width := binary.Uvarint(list)
	return list[width : width+int(n)], list[width+int(n):]
}

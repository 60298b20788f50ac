package ingest

import (
	"encoding/binary"
	"hash/maphash"
)

// symbols numbers texts from 1 on. It holds no pointers, so that the garbage
// collector never walks it; 0 is the empty text.
type symbols struct {
	seed  maphash.Seed
	text  []byte
	ends  []uint64 // end of text i+1
	index []uint32 // open addressing, 0 is free
}

func newSymbols() symbols {
	return symbols{seed: maphash.MakeSeed(), index: make([]uint32, 64)}
}

// id returns the number of b, a new one if need be.
func (s *symbols) id(b []byte) uint32 {
	if len(b) == 0 {
		return 0
	}
	if 2*len(s.ends) >= len(s.index) {
		s.grow()
	}
	slot := s.slot(b)
	if s.index[slot] == 0 {
		s.text = append(s.text, b...)
		s.ends = append(s.ends, uint64(len(s.text)))
		s.index[slot] = uint32(len(s.ends))
	}
	return s.index[slot]
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

func (s *symbols) grow() {
	s.index = make([]uint32, 2*len(s.index))
	for id := range s.ends {
		s.index[s.slot(s.bytes(uint32(id+1)))] = uint32(id + 1)
	}
}

// bytes returns the text of a number; it must not be changed.
func (s *symbols) bytes(id uint32) []byte {
	if id == 0 {
		return nil
	}
	from := uint64(0)
	if id > 1 {
		from = s.ends[id-2]
	}
	return s.text[from:s.ends[id-1]]
}

func (s *symbols) size() int64 {
	return int64(cap(s.text) + 8*cap(s.ends) + 4*cap(s.index))
}

// appendAttrs writes a list of attributes as one text: lengths before contents.
func appendAttrs(b []byte, attrs []Attr) []byte {
	for i := range attrs {
		b = binary.AppendUvarint(b, uint64(len(attrs[i].Name)))
		b = append(b, attrs[i].Name...)
		b = binary.AppendUvarint(b, uint64(len(attrs[i].Value)))
		b = append(b, attrs[i].Value...)
	}
	return b
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

package ingest

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// scanner is the fast way through the native shape. It accepts only what it is
// sure of: a record with an escape, a repeated field, a nested value or anything
// odd goes to the fallback, which alone may call a record dead.
type scanner struct {
	b     []byte
	i     int
	shape *skeleton // takes down what is read, if there is one
}

// object takes the whole record apart; false means "ask the fallback".
func (s *scanner) object(d *Decoder, f *fields) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return s.end()
	}
	for {
		key, ok := s.key()
		if !ok {
			return false
		}
		name := fieldNamed(key)
		switch {
		case name == fieldCount:
			ok = s.field(&token{}, name)
		case f.tokens[name].kind != absent:
			ok = false
		case name == fieldAttrs:
			ok = s.attributes(d, f)
		default:
			ok = s.field(&f.tokens[name], name)
		}
		if !ok {
			return false
		}
		if s.take(',') {
			continue
		}
		return s.take('}') && s.end()
	}
}

// field reads the value of a field.
func (s *scanner) field(t *token, name fieldName) (ok bool) {
	if *t, ok = s.value(); ok {
		s.shape.add(s.b, *t, name, -1)
	}
	return ok
}

// attributes reads the attrs object or null.
func (s *scanner) attributes(d *Decoder, f *fields) bool {
	s.space()
	f.tokens[fieldAttrs] = token{kind: object, at: uint32(s.i)}
	if !s.take('{') {
		return s.field(&f.tokens[fieldAttrs], fieldAttrs) && f.tokens[fieldAttrs].kind == null
	}
	if s.take('}') {
		return true
	}
	for {
		key, ok := s.key()
		if !ok {
			return false
		}
		t, ok := s.value()
		if !ok {
			return false
		}
		index := d.listed(key)
		if index >= 0 && !f.insert(attribute{index, t}) {
			return false
		}
		s.shape.add(s.b, t, fieldCount, index)
		if s.take(',') {
			continue
		}
		return s.take('}')
	}
}

// key reads `"name" :`.
func (s *scanner) key() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	from := s.i
	if !s.string() {
		return nil, false
	}
	key := s.b[from : s.i-1]
	return key, s.take(':')
}

// value reads a string, number, boolean or null.
func (s *scanner) value() (token, bool) {
	s.space()
	at := s.i
	if at >= len(s.b) {
		return token{}, false
	}
	switch c := s.b[at]; {
	case c == '"':
		s.i++
		ok := s.string()
		return token{text, uint32(at), uint32(at + 1), uint32(s.i - 1)}, ok
	case c == '-' || c-'0' <= 9:
		ok := s.number()
		return token{numeral, uint32(at), uint32(at), uint32(s.i)}, ok
	case c == 't':
		return s.literal("true", boolean)
	case c == 'f':
		return s.literal("false", boolean)
	case c == 'n':
		return s.literal("null", null)
	default:
		return token{}, false
	}
}

func (s *scanner) literal(word string, kind tokenKind) (token, bool) {
	at := s.i
	if len(s.b)-at < len(word) || string(s.b[at:at+len(word)]) != word {
		return token{}, false
	}
	s.i += len(word)
	return token{kind, uint32(at), uint32(at), uint32(s.i)}, true
}

// number moves over a number that obeys JSON's grammar.
func (s *scanner) number() bool {
	end := numberEnd(s.b, s.i)
	if end < 0 {
		return false
	}
	s.i = end
	return true
}

// numberEnd returns the end of the number that begins at i, -1 without one.
func numberEnd(b []byte, i int) int {
	end := i
	for end < len(b) && (b[end]-'0' <= 9 || b[end] == '.' || b[end]|0x20 == 'e' || b[end] == '+' || b[end] == '-') {
		end++
	}
	if _, ok := splitNumber(b[i:end]); !ok {
		return -1
	}
	return end
}

// string moves behind the closing quote of a string whose opening quote has been
// read.
func (s *scanner) string() bool {
	end := stringEnd(s.b, s.i)
	if end < 0 {
		return false
	}
	s.i = end + 1
	return true
}

// stringEnd returns the offset of the closing quote of the string whose content
// begins at i, -1 when the fallback has to look. It takes eight bytes at a time
// while they are plain ASCII.
func stringEnd(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if special := unusual(binary.LittleEndian.Uint64(b[i:])); special != 0 {
			i += bits.TrailingZeros64(special) / 8
			if b[i] == '"' {
				return i
			}
			return richEnd(b, i)
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' {
			return i
		} else if c == '\\' || c < 0x20 || c >= utf8.RuneSelf {
			return richEnd(b, i)
		}
	}
	return -1
}

// richEnd goes on from the first byte that is not plain ASCII: text beyond ASCII
// is fine while it is UTF-8.
func richEnd(b []byte, i int) int {
	n := bytes.IndexByte(b[i:], '"')
	if n < 0 || !utf8.Valid(b[i:i+n]) {
		return -1
	}
	for _, c := range b[i : i+n] {
		if c == '\\' || c < 0x20 {
			return -1
		}
	}
	return i + n
}

// unusual marks (in the top bit of each byte) quotes, backslashes, control
// characters and bytes beyond ASCII. The lowest mark is exact; those above it may
// come from a borrow.
func unusual(v uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote, slash := v^(ones*'"'), v^(ones*'\\')
	return ((quote-ones)&^quote | (slash-ones)&^slash | (v-ones*0x20)&^v | v) & tops
}

func (s *scanner) space() {
	for s.i < len(s.b) && s.b[s.i] <= ' ' {
		if c := s.b[s.i]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return
		}
		s.i++
	}
}

// take moves over the byte c, after white space, if it is next.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) end() bool {
	s.space()
	return s.i == len(s.b)
}

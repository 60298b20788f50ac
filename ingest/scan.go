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
	b []byte
	i int
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
			_, ok = s.value()
		case f.tokens[name].kind != absent:
			ok = false
		case name == fieldAttrs:
			ok = s.attributes(d, f)
		default:
			f.tokens[name], ok = s.value()
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

// attributes reads the attrs object or null.
func (s *scanner) attributes(d *Decoder, f *fields) bool {
	s.space()
	f.tokens[fieldAttrs] = token{kind: object, at: uint32(s.i)}
	if !s.take('{') {
		var ok bool
		f.tokens[fieldAttrs], ok = s.literal("null", null)
		return ok
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
		if index := d.listed(key); index >= 0 && !f.insert(attribute{index, t}) {
			return false
		}
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
	end := s.i + 1
	for end < len(s.b) && (s.b[end]-'0' <= 9 || s.b[end] == '.' || s.b[end]|0x20 == 'e' || s.b[end] == '+' || s.b[end] == '-') {
		end++
	}
	_, ok := splitNumber(s.b[s.i:end])
	s.i = end
	return ok
}

// string moves behind the closing quote of a string whose opening quote has been
// read. It looks at eight bytes at a time for anything but plain ASCII.
func (s *scanner) string() bool {
	i := s.i
	for ; i+8 <= len(s.b); i += 8 {
		if special := unusual(binary.LittleEndian.Uint64(s.b[i:])); special != 0 {
			i += bits.TrailingZeros64(special) / 8
			return s.finish(i)
		}
	}
	for ; i < len(s.b); i++ {
		if c := s.b[i]; c == '"' || c == '\\' || c < 0x20 || c >= utf8.RuneSelf {
			return s.finish(i)
		}
	}
	return false
}

// finish ends a string at its first unusual byte: the quote, or text beyond
// ASCII, which is fine while it is UTF-8.
func (s *scanner) finish(i int) bool {
	if s.b[i] == '"' {
		s.i = i + 1
		return true
	}
	if s.b[i] < utf8.RuneSelf {
		return false
	}
	n := bytes.IndexByte(s.b[i:], '"')
	if n < 0 || !utf8.Valid(s.b[i:i+n]) {
		return false
	}
	for _, c := range s.b[i : i+n] {
		if c == '\\' || c < 0x20 {
			return false
		}
	}
	s.i = i + n + 1
	return true
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

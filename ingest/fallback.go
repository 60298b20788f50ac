package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// fault is why a record is dead; the zero value says that it is not. Its detail
// never holds anything of the payload.
type fault struct {
	reason Reason
	at     int // byte offset, -1 without one
	detail string
}

// takeApart is the slow and complete way through a record, on encoding/json. It
// is stricter where that package guesses: text that is not UTF-8, half of a
// surrogate pair and a known field given twice make a dead letter, because two
// units, or two readers, could take them for the same or for different things.
func (d *Decoder) takeApart(b []byte, f *fields) fault {
	if at := invalidUTF8(b); at >= 0 {
		return fault{BadJSON, at, "not UTF-8"}
	}
	var whole json.RawMessage
	if err := json.Unmarshal(b, &whole); err != nil {
		return fault{BadJSON, syntaxOffset(err, len(b)), "not JSON"}
	}
	return members(whole, bytes.Index(b, whole), func(key []byte, raw json.RawMessage, at int) fault {
		name := fieldNamed(key)
		if name == fieldCount {
			return fault{}
		}
		if f.tokens[name].kind != absent {
			return fault{BadJSON, at, "a field is given twice"}
		}
		t, bad := f.tokenOf(raw, at)
		f.tokens[name] = t
		if bad.reason != "" || name != fieldAttrs || t.kind != object {
			return bad
		}
		return members(raw, at, func(key []byte, raw json.RawMessage, at int) fault {
			return d.attribute(f, key, raw, at)
		})
	})
}

func (d *Decoder) attribute(f *fields, key []byte, raw json.RawMessage, at int) fault {
	index := d.listed(key)
	if index < 0 {
		return fault{}
	}
	t, bad := f.tokenOf(raw, at)
	if bad.reason == "" && !f.insert(attribute{index, t}) {
		return fault{BadJSON, at, "an attribute is given twice"}
	}
	return bad
}

// members calls visit for each member of the object raw, which begins at offset
// base of the record, until one returns a fault.
func members(raw json.RawMessage, base int, visit func(key []byte, raw json.RawMessage, at int) fault) fault {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return fault{BadJSON, base, "not a JSON object"}
	}
	for dec.More() {
		key, err := dec.Token()
		name, ok := key.(string)
		var value json.RawMessage
		if err == nil {
			err = dec.Decode(&value)
		}
		if err != nil || !ok {
			return fault{BadJSON, base, "not JSON"}
		}
		if bad := visit([]byte(name), value, base+int(dec.InputOffset())-len(value)); bad.reason != "" {
			return bad
		}
	}
	return fault{}
}

// tokenOf appends the text of a value to the source.
func (f *fields) tokenOf(raw json.RawMessage, at int) (token, fault) {
	t := token{kind: numeral, at: uint32(at), from: uint32(len(f.source))}
	switch raw[0] {
	case 'n':
		t.kind = null
	case 't', 'f':
		t.kind = boolean
	case '{':
		t.kind = object
	case '[':
		t.kind = array
	case '"':
		t.kind = text
		var s string
		if err := json.Unmarshal(raw, &s); err != nil || halfSurrogate(raw) {
			return token{}, fault{BadJSON, at, "half of a surrogate pair"}
		}
		raw = []byte(s)
	}
	f.source = append(f.source, raw...)
	t.to = uint32(len(f.source))
	return t, fault{}
}

// halfSurrogate finds a \uD800–\uDFFF that is not a pair of a high and a low one.
func halfSurrogate(raw []byte) bool {
	for i := 0; i+1 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		switch half := surrogate(raw[i+1:]); {
		case half == 'd':
			return true
		case half == 'h':
			if len(raw) < i+11 || raw[i+5] != '\\' || raw[i+6] != 'u' || surrogate(raw[i+7:]) != 'd' {
				return true
			}
			i += 6
		}
	}
	return false
}

// surrogate tells of four hexadecimal digits whether they are the high ('h') or
// the low ('d') half of a pair.
func surrogate(hex []byte) byte {
	if len(hex) < 4 || hex[0]|0x20 != 'd' {
		return 0
	}
	switch hex[1] | 0x20 {
	case '8' | 0x20, '9' | 0x20, 'a', 'b':
		return 'h'
	case 'c', 'd', 'e', 'f':
		return 'd'
	default:
		return 0
	}
}

func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func syntaxOffset(err error, size int) int {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return -1
	}
	return min(max(int(syntax.Offset)-1, 0), size)
}

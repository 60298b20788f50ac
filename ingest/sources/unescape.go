package sources

import (
	"unicode/utf16"
	"unicode/utf8"
)

// contents returns a text between quotes without its escapes. It is false for half
// of a surrogate pair, of which every reader makes something else. The result may
// lie in scratch, and is good until the next call.
func (t *tree) contents(from, to uint32, escaped bool) ([]byte, bool) {
	raw := t.buf[from:to]
	if !escaped {
		return raw, true
	}
	var ok bool
	t.scratch, ok = appendUnescaped(t.scratch[:0], raw)
	return t.scratch, ok
}

// appendUnescaped expects escapes that have been checked.
func appendUnescaped(out, raw []byte) ([]byte, bool) {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		if raw[i] != 'u' {
			out = append(out, unescape(raw[i]))
			continue
		}
		r, _ := hex4(raw[i+1:])
		i += 4
		if utf16.IsSurrogate(r) {
			if len(raw) < i+7 || raw[i+1] != '\\' || raw[i+2] != 'u' {
				return out, false
			}
			low, _ := hex4(raw[i+3:])
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return out, false
			}
			i += 6
		}
		out = utf8.AppendRune(out, r)
	}
	return out, true
}

// unescape returns the character that a letter after a backslash stands for.
func unescape(letter byte) byte {
	switch letter {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default: // a quote, a slash, a backslash
		return letter
	}
}

// hex4 reads four hexadecimal digits.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// appendQuoted writes a text that is UTF-8 as JSON.
func appendQuoted(out []byte, s string) []byte {
	const digits = "0123456789abcdef"
	out = append(out, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(out, s[from:i]...)
		if from = i + 1; c >= ' ' {
			out = append(out, '\\', c)
		} else {
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(append(out, s[from:]...), '"')
}

package bucketing

import "unicode/utf16"

// Dialect is how an SDK turns a text into what it hashes. Within ASCII all are the same;
// beyond, SDKs of one vendor disagree.
type Dialect string

// The dialects.
const (
	UTF8    Dialect = "utf-8"    // the bytes of UTF-8: Go, Python, Rust …
	UTF16   Dialect = "utf-16"   // the units of UTF-16, whole: GrowthBook's public cases
	LowByte Dialect = "low-byte" // the lower byte of each unit of UTF-16: Unleash's for Node.js
)

// units are what is hashed, one after the other.
func (d Dialect) units(text string) []uint16 {
	if d == UTF8 {
		out := make([]uint16, len(text))
		for i := range len(text) {
			out[i] = uint16(text[i])
		}
		return out
	}
	out := utf16.Encode([]rune(text))
	if d == LowByte {
		for i := range out {
			out[i] &= 0xff
		}
	}
	return out
}

// bytes are what is hashed where bytes are.
func (d Dialect) bytes(text string) []byte {
	if d == UTF8 {
		return []byte(text)
	}
	units := d.units(text)
	out := make([]byte, len(units))
	for i, u := range units {
		out[i] = byte(u)
	}
	return out
}

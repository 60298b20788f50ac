package results

import (
	"math"
	"strconv"
)

// Number is a float64 that JSON can hold: NaN (not known) and the infinities
// (not bounded) are written as null, and null is read as NaN.
type Number float64

// Known tells whether the number is finite.
func (n Number) Known() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// Float returns the plain value.
func (n Number) Float() float64 { return float64(n) }

// Equal compares, with NaN equal to itself.
func (n Number) Equal(o Number) bool {
	return n == o || math.IsNaN(float64(n)) && math.IsNaN(float64(o))
}

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Known() {
		return []byte("null"), nil
	}
	return n.append(nil), nil
}

// append writes a known number as encoding/json writes a float64. A look has hundreds,
// and an encoder for each took a third of the time to store it.
func (n Number) append(b []byte) []byte {
	format := byte('f')
	if size := math.Abs(float64(n)); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, float64(n), format, -1, 64)
	if end := len(b) - 1; format == 'e' && b[end-3] == 'e' && b[end-2] == '-' && b[end-1] == '0' { // e-09 is e-9
		b[end-1] = b[end]
		b = b[:end]
	}
	return b
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return err
	}
	*n = Number(v)
	return nil
}

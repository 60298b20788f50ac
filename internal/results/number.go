package results

import (
	"encoding/json"
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
	return json.Marshal(float64(n))
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

package ingest

import (
	"math/big"
	"math/bits"
)

// Int128 is a signed 128-bit integer in two's complement. Sums of squares need it:
// a unit's y stays below 2^47, so 2^34 units fit without overflow.
type Int128 struct {
	Hi int64
	Lo uint64
}

// Int64 converts.
func Int64(v int64) Int128 { return Int128{Hi: v >> 63, Lo: uint64(v)} }

// Add returns a + b, wrapping.
func (a Int128) Add(b Int128) Int128 {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(uint64(a.Hi), uint64(b.Hi), carry)
	return Int128{int64(hi), lo}
}

// Sub returns a − b, wrapping.
func (a Int128) Sub(b Int128) Int128 {
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(uint64(a.Hi), uint64(b.Hi), borrow)
	return Int128{int64(hi), lo}
}

// Neg returns −a.
func (a Int128) Neg() Int128 { return Int128{}.Sub(a) }

// Sign returns −1, 0 or 1.
func (a Int128) Sign() int {
	switch {
	case a.Hi < 0:
		return -1
	case a.Hi == 0 && a.Lo == 0:
		return 0
	default:
		return 1
	}
}

// IsZero tells whether a is 0.
func (a Int128) IsZero() bool { return a.Hi == 0 && a.Lo == 0 }

// Square returns v² exactly, for |v| < 2^63.
func Square(v int64) Int128 {
	u := uint64(v)
	if v < 0 {
		u = -u
	}
	hi, lo := bits.Mul64(u, u)
	return Int128{int64(hi), lo}
}

// Product returns a·b exactly, for |a|, |b| < 2^63.
func Product(a, b int64) Int128 {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	p := Int128{int64(hi), lo}
	if (a < 0) != (b < 0) {
		return p.Neg()
	}
	return p
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return uint64(-v)
	}
	return uint64(v)
}

// Big returns a as a big integer.
func (a Int128) Big() *big.Int {
	if Int64(int64(a.Lo)) == a { // nearly always
		return big.NewInt(int64(a.Lo))
	}
	v := big.NewInt(a.Hi)
	v.Lsh(v, 64)
	return v.Add(v, new(big.Int).SetUint64(a.Lo))
}

// FromBig converts, wrapping beyond 128 bits.
func FromBig(v *big.Int) Int128 {
	mask := new(big.Int).SetUint64(^uint64(0))
	lo := new(big.Int).And(v, mask).Uint64()
	hi := new(big.Int).Rsh(v, 64)
	return Int128{Hi: int64(new(big.Int).And(hi, mask).Uint64()), Lo: lo}
}

// String is the decimal form.
func (a Int128) String() string { return a.Big().String() }

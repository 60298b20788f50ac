package ingest

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestInt128 compares with big integers wrapped to 128 bits.
func TestInt128(t *testing.T) {
	edge := rapid.SampledFrom([]uint64{0, 1, 2, 1<<63 - 1, 1 << 63, 1<<64 - 1})
	word := rapid.OneOf(edge, rapid.Uint64())
	rapid.Check(t, func(t *rapid.T) {
		a := Int128{int64(word.Draw(t, "ah")), word.Draw(t, "al")}
		b := Int128{int64(word.Draw(t, "bh")), word.Draw(t, "bl")}
		check := func(what string, got Int128, want *big.Int) {
			t.Helper()
			if got.Big().Cmp(wrap(want)) != 0 {
				t.Fatalf("%s of %s and %s: %s, want %s", what, a, b, got, want)
			}
		}
		check("sum", a.Add(b), new(big.Int).Add(a.Big(), b.Big()))
		check("difference", a.Sub(b), new(big.Int).Sub(a.Big(), b.Big()))
		check("negative", a.Neg(), new(big.Int).Neg(a.Big()))
		if v := int64(a.Lo); v != -1<<63 {
			check("square", Square(v), new(big.Int).Mul(big.NewInt(v), big.NewInt(v)))
			check("conversion", Int64(v), big.NewInt(v))
		}
		if FromBig(a.Big()) != a || a.Sign() != a.Big().Sign() || a.IsZero() != (a.Big().Sign() == 0) {
			t.Fatalf("%s: back %s, sign %d, zero %v", a, FromBig(a.Big()), a.Sign(), a.IsZero())
		}
		if got, want := tooLarge(a), new(big.Int).Abs(a.Big()).BitLen() > 47; got != want {
			t.Fatalf("tooLarge(%s) = %v", a, got)
		}
	})
}

func wrap(v *big.Int) *big.Int {
	modulus := new(big.Int).Lsh(big.NewInt(1), 128)
	v = new(big.Int).Mod(v, modulus)
	if v.Bit(127) == 1 {
		v.Sub(v, modulus)
	}
	return v
}

func TestTooLargeBorders(t *testing.T) {
	for v, want := range map[int64]bool{1<<47 - 1: false, 1 << 47: true, -1<<47 + 1: false, -1 << 47: true, 0: false} {
		if tooLarge(Int64(v)) != want {
			t.Errorf("%d: %v", v, !want)
		}
	}
}

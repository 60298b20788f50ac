package stats

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// integers are of any length up to so many bits, and of either sign.
func integers(t *rapid.T, bits int, label string) *big.Int {
	length := rapid.IntRange(0, bits).Draw(t, label+" bits")
	b := rapid.SliceOfN(rapid.Byte(), (length+7)/8, (length+7)/8).Draw(t, label)
	x := new(big.Int).SetBytes(b)
	x.Rsh(x, uint(x.BitLen()-min(length, x.BitLen())))
	if rapid.Bool().Draw(t, label+" negative") {
		x.Neg(x)
	}
	return x
}

// TestWide: what is computed in words is what math/big computes, for every size of the
// sums up to the last bit that is taken, whether or not data can have them.
func TestWide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 1<<62).Draw(t, "n")
		product := integers(t, wideSumBits, "product")
		x, y := integers(t, wideSumBits, "x"), integers(t, wideSumBits, "y")
		dx, dy := rapid.IntRange(0, wideDecimals).Draw(t, "dx"), rapid.IntRange(0, wideDecimals).Draw(t, "dy")

		count, tens := big.NewInt(n), func(d int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d)), nil) }
		mean, _ := new(big.Rat).SetFrac(x, new(big.Int).Mul(count, tens(dx))).Float64()
		top := new(big.Int).Mul(count, product)
		top.Sub(top, new(big.Int).Mul(x, y))
		centred, _ := new(big.Rat).SetFrac(top, new(big.Int).Mul(count, tens(dx+dy))).Float64()

		const lastBit = 0x1p-52
		if got := exactMean(n, x, dx); !nearly(got, mean, lastBit) {
			t.Errorf("mean %v, want %v", got, mean)
		}
		if got := exactCentred(n, product, x, y, dx, dy); !nearly(got, centred, lastBit) {
			t.Errorf("centred %v, want %v", got, centred)
		}
	})
}

// TestWideLimit: beyond the words' limits math/big goes on, with the same answer.
func TestWideLimit(t *testing.T) {
	most := new(big.Int).Lsh(big.NewInt(1), wideSumBits)
	most.Sub(most, big.NewInt(1))
	if _, fits := wideOf(most); !fits {
		t.Errorf("%d bits do not fit", most.BitLen())
	}
	over := new(big.Int).Add(most, big.NewInt(1))
	if _, fits := wideOf(over); fits {
		t.Errorf("%d bits fit", over.BitLen())
	}
	if a, b := exactMean(7, most, wideDecimals), exactMean(7, over, wideDecimals); !nearly(a, b, 1e-15) {
		t.Errorf("one more gives %v after %v", b, a)
	}
	if a, b := exactMean(7, most, wideDecimals), exactMean(7, most, wideDecimals+1); !nearly(a, 10*b, 1e-15) {
		t.Errorf("one more decimal gives %v after %v", b, a)
	}
	if a, b := exactCentred(7, most, most, most, 9, wideDecimals), exactCentred(7, over, over, over, 9, wideDecimals); !nearly(a, b, 1e-15) {
		t.Errorf("one more gives %v after %v", b, a)
	}
}

func BenchmarkFromSums(b *testing.B) {
	sum, squares := big.NewInt(123_456_789_012), new(big.Int).Exp(big.NewInt(10), big.NewInt(20), nil)
	b.ReportAllocs()
	for b.Loop() {
		FromSums(50_000, 5_000, sum, squares, 6)
	}
}

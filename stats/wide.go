package stats

import (
	"math"
	"math/big"
	"math/bits"
)

// wide is a signed integer of up to 256 bits that allocates nothing. Every look makes
// moments of the sums of every arm, and math/big took most of its time.
type wide struct {
	negative bool
	words    [4]uint64 // of the absolute value, least first
}

// The most that sums may have to be computed with as wide: a sum's product with another,
// and with a count, then have room to be subtracted.
const (
	wideSumBits  = 127
	wideDecimals = 19 // 10^19 is the greatest power of ten in a word
)

// wideOf converts a sum, unless it is too large.
func wideOf(x *big.Int) (w wide, fits bool) {
	if x.BitLen() > wideSumBits {
		return wide{}, false
	}
	w.negative = x.Sign() < 0
	for i, b := range x.Bits() {
		at := i * bits.UintSize
		w.words[at/64] |= uint64(b) << (at % 64)
	}
	return w, true
}

func wideCount(n int64) wide { return wide{words: [4]uint64{uint64(n)}} }

// timesTens is a·10^decimals, of an a of at most 128 bits.
func (a wide) timesTens(decimals int) wide {
	power := uint64(1)
	for range decimals {
		power *= 10
	}
	return a.times(wide{words: [4]uint64{power}})
}

// times multiplies two integers of at most 128 bits.
func (a wide) times(b wide) wide {
	out := wide{negative: a.negative != b.negative}
	for i := range 2 {
		var carry uint64
		for k := range 2 {
			high, low := bits.Mul64(a.words[i], b.words[k])
			var over uint64
			low, over = bits.Add64(low, out.words[i+k], 0)
			high += over
			low, over = bits.Add64(low, carry, 0)
			out.words[i+k], carry = low, high+over
		}
		out.words[i+2] = carry
	}
	return out
}

// minus subtracts where neither uses the last bit.
func (a wide) minus(b wide) wide {
	out := wide{negative: a.negative}
	var over uint64
	if a.negative != b.negative {
		for i := range out.words {
			out.words[i], over = bits.Add64(a.words[i], b.words[i], over)
		}
		return out
	}
	for i := range out.words {
		out.words[i], over = bits.Sub64(a.words[i], b.words[i], over)
	}
	if over == 0 {
		return out
	}
	out.negative, over = !a.negative, 0
	for i := range out.words {
		out.words[i], over = bits.Sub64(0, out.words[i], over)
	}
	return out
}

// over divides and rounds once, up to a last-bit double rounding.
func (a wide) over(b wide) float64 {
	high, low := a.parts()
	by, rest := b.parts()
	q := high / by
	return q + (math.FMA(-q, by, high)+low-q*rest)/by
}

// parts are two floats whose sum has the leading 106 bits and more.
func (a wide) parts() (high, low float64) {
	top := len(a.words) - 1
	for top > 0 && a.words[top] == 0 {
		top--
	}
	shift := bits.LeadingZeros64(a.words[top])
	below := func(i int) uint64 {
		if top < i {
			return 0
		}
		return a.words[top-i]
	}
	first := below(0)<<shift | below(1)>>(64-shift)
	second := below(1)<<shift | below(2)>>(64-shift)
	const kept = 53 // bits of a float
	mask := uint64(1)<<(64-kept) - 1
	exponent := 64*top - shift
	high = math.Ldexp(float64(first&^mask), exponent)
	low = math.Ldexp(float64(first&mask<<kept|second>>(64-kept)), exponent-kept)
	if a.negative {
		return -high, -low
	}
	return high, low
}

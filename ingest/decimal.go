package ingest

import (
	"errors"
	"math/bits"

	"github.com/assay-dev/assay/internal/experiment"
)

// ErrNotNumber says that a text is not a number in JSON's grammar.
var ErrNotNumber = errors.New("not a number")

// ErrTooLarge says that a number's magnitude is 10^15 or more.
var ErrTooLarge = errors.New("magnitude of 10^15 or more")

const (
	wholeDigits = 15             // |x| < 10^15
	limitYBits  = 47             // |y| < 2^47
	maxExponent = int64(1) << 40 // exponents saturate here, far beyond MaxSize digits
)

// ParseValue reads a number in JSON's grammar and rounds it once, half-even, to
// twelve decimals. No step goes through a float.
func ParseValue(text string) (Value, error) { return parseValue(text) }

func parseValue[T string | []byte](s T) (Value, error) {
	n, ok := splitNumber(s)
	if !ok {
		return Value{}, ErrNotNumber
	}
	whole, frac := s[n.from:n.point], s[n.frac:n.to]
	var hi, lo uint64
	if n.exponent == 0 && len(whole) <= wholeDigits && len(frac) <= experiment.MaxDecimals && len(whole)+len(frac) <= 18 {
		hi, lo = plainDigits(whole, frac)
	} else if hi, lo, ok = roundDigits(whole, frac, n.exponent); !ok {
		return Value{}, ErrTooLarge
	}
	v := Value{Hi: int64(hi), Lo: lo}
	if n.negative {
		v = v.Neg()
	}
	return v, nil
}

// number says where the parts of a number's text are: digits [from, point) before
// the point and [frac, to) after it.
type number struct {
	negative              bool
	from, point, frac, to int
	exponent              int64
}

// splitNumber checks the grammar: -? (0 | [1-9] digit*) (. digit+)? ([eE] [+-]? digit+)?
func splitNumber[T string | []byte](s T) (n number, ok bool) {
	i := 0
	if i < len(s) && s[i] == '-' {
		n.negative = true
		i++
	}
	n.from = i
	i = digits(s, i)
	n.point, n.frac, n.to = i, i, i
	if i == n.from || s[n.from] == '0' && i > n.from+1 {
		return n, false
	}
	if i < len(s) && s[i] == '.' {
		n.frac = i + 1
		i = digits(s, n.frac)
		if n.to = i; i == n.frac {
			return n, false
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		if n.exponent, i = exponent(s, i+1); i < 0 {
			return n, false
		}
	}
	return n, i == len(s)
}

// digits returns the end of the digits that begin at i.
func digits[T string | []byte](s T, i int) int {
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i
}

// exponent reads [+-]? digit+ from i and returns the end, -1 when there is none.
func exponent[T string | []byte](s T, i int) (e int64, end int) {
	negative := false
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		negative = s[i] == '-'
		i++
	}
	from := i
	for i = digits(s, i); from < i; from++ {
		e = min(e*10+int64(s[from]-'0'), maxExponent)
		end = i
	}
	if end == 0 {
		return 0, -1
	}
	if negative {
		e = -e
	}
	return e, end
}

// plainDigits is the usual case: digits that fit into 64 bits and need no rounding.
func plainDigits[T string | []byte](whole, frac T) (hi, lo uint64) {
	m := uint64(0)
	for i := range len(whole) {
		m = m*10 + uint64(whole[i]-'0')
	}
	for i := range len(frac) {
		m = m*10 + uint64(frac[i]-'0')
	}
	return bits.Mul64(m, pow10(experiment.MaxDecimals-len(frac)))
}

// roundDigits returns (whole.frac × 10^exponent) × 10^12 rounded half-even, false
// from 10^27 on.
func roundDigits[T string | []byte](whole, frac T, exponent int64) (hi, lo uint64, ok bool) {
	var half byte
	var sticky bool
	power := int64(len(whole)) + exponent
	last := int64(0)
	for i := range len(whole) + len(frac) {
		d := digitAt(whole, frac, i)
		switch power--; {
		case power >= wholeDigits:
			if d != 0 {
				return 0, 0, false
			}
		case power >= -experiment.MaxDecimals:
			hi, lo = timesTen(hi, lo, uint64(d))
			last = power
		case power == -experiment.MaxDecimals-1:
			half = d
		default:
			sticky = sticky || d != 0
		}
	}
	if hi|lo != 0 {
		for ; last > -experiment.MaxDecimals; last-- {
			hi, lo = timesTen(hi, lo, 0)
		}
	}
	if half > 5 || half == 5 && (sticky || lo&1 == 1) {
		var carry uint64
		lo, carry = bits.Add64(lo, 1, 0)
		hi += carry
	}
	limitHi, limitLo := bits.Mul64(1e15, 1e12)
	return hi, lo, hi < limitHi || hi == limitHi && lo < limitLo
}

func digitAt[T string | []byte](whole, frac T, i int) byte {
	if i < len(whole) {
		return whole[i] - '0'
	}
	return frac[i-len(whole)] - '0'
}

func timesTen(hi, lo, add uint64) (uint64, uint64) {
	over, lo := bits.Mul64(lo, 10)
	lo, carry := bits.Add64(lo, add, 0)
	return hi*10 + over + carry, lo
}

// scaled rounds a value half-even to whole units of 10^-decimals. It is false
// when the result's magnitude is 2^47 or more.
func scaled(v Value, decimals int) (int64, bool) {
	u := v
	if v.Sign() < 0 {
		u = v.Neg()
	}
	divisor := pow10(experiment.MaxDecimals - decimals)
	over, rem := bits.Div64(0, uint64(u.Hi), divisor)
	q, rem := bits.Div64(rem, u.Lo, divisor)
	if over != 0 || q >= 1<<limitYBits {
		return 0, false
	}
	if half := divisor / 2; divisor > 1 && (rem > half || rem == half && q&1 == 1) {
		q++
	}
	if v.Sign() < 0 {
		return -int64(q), q < 1<<limitYBits
	}
	return int64(q), q < 1<<limitYBits
}

// pow10 returns 10^n for 0 ≤ n ≤ 19.
func pow10(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}

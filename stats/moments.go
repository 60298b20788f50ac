package stats

import (
	"math"
	"math/big"
)

// Moments is the state of one arm: the number of units, how many of them have
// a value other than zero, their mean, and the centred second moment
// M2 = Σ(y−mean)². Raw sums of squares are never subtracted in floating point:
// that loses every digit once mean²/variance passes 10¹².
//
// The zero value is an arm without units.
type Moments struct {
	N       int64
	NonZero int64
	Mean    float64
	M2      float64
}

// FromSums converts exact integer sums into Moments without losing digits:
// the values are y·10^decimals, sum is Σy and sumSquares is Σy² of those
// integers. The centring n·Σy² − (Σy)² is done in integers and only its result
// is rounded: the formula of the textbooks is right where nothing is lost (Chan, Golub &
// LeVeque 1983). n ≤ 0 gives the zero Moments; sums that no data can have
// (n·Σy² < (Σy)²) give a negative M2, and missing sums and decimals outside 0 to 400 a
// NaN mean as well: Combine refuses both by name.
func FromSums(n, nonZero int64, sum, sumSquares *big.Int, decimals int) Moments {
	if n <= 0 {
		return Moments{}
	}
	if sum == nil || sumSquares == nil || decimals < 0 || decimals > maxDecimals {
		return impossible(n, nonZero)
	}
	return Moments{
		N:       n,
		NonZero: nonZero,
		Mean:    exactMean(n, sum, decimals),
		M2:      exactCentred(n, sumSquares, sum, sum, decimals, decimals),
	}
}

// exactMean is Σx/n of x·10^decimals.
func exactMean(n int64, sum *big.Int, decimals int) float64 {
	if x, fits := wideOf(sum); fits && decimals <= wideDecimals {
		return x.over(wideCount(n).timesTens(decimals))
	}
	return quotient(sum, new(big.Int).Mul(big.NewInt(n), power10(decimals)))
}

// exactCentred is Σxy − ΣxΣy/n of x·10^dx and y·10^dy.
func exactCentred(n int64, product, x, y *big.Int, dx, dy int) float64 {
	p, fitsP := wideOf(product)
	a, fitsX := wideOf(x)
	b, fitsY := wideOf(y)
	if fitsP && fitsX && fitsY && dx <= wideDecimals && dy <= wideDecimals {
		count := wideCount(n)
		return count.times(p).minus(a.times(b)).over(count.timesTens(dx).timesTens(dy))
	}
	count := big.NewInt(n)
	centred := new(big.Int).Mul(count, product)
	centred.Sub(centred, new(big.Int).Mul(x, y))
	return quotient(centred, count.Mul(count, power10(dx+dy)))
}

// maxDecimals is more than a float64 has; it bounds the work.
const maxDecimals = 400

// impossible are moments that no data have: Combine refuses them by name.
func impossible(n, nonZero int64) Moments {
	return Moments{N: n, NonZero: nonZero, Mean: math.NaN(), M2: -1}
}

// quotient divides exactly and rounds once to float64 (up to a last-bit double
// rounding).
func quotient(a, b *big.Int) float64 {
	x, y := new(big.Float).SetInt(a), new(big.Float).SetInt(b)
	q, _ := new(big.Float).SetPrec(128).Quo(x, y).Float64()
	return q
}

// Merge joins the moments of two disjoint sets of units (Chan, Golub, LeVeque
// 1979). It is commutative and associative up to rounding, and the zero
// Moments is its identity. Moments that no data have (NaN, numbers of units below 0 or
// too large to add) give some again: a NaN mean, which Combine refuses by name.
func (m Moments) Merge(o Moments) Moments {
	if m.N == 0 {
		return o
	}
	if o.N == 0 {
		return m
	}
	n := m.N + o.N
	if m.N < 0 || o.N < 0 || n < 0 {
		return impossible(max(m.N, o.N), m.NonZero)
	}
	delta := o.Mean - m.Mean
	share := float64(o.N) / float64(n)
	return Moments{
		N:       n,
		NonZero: m.NonZero + o.NonZero,
		Mean:    m.Mean + delta*share,
		M2:      m.M2 + o.M2 + delta*delta*float64(m.N)*share,
	}
}

// Variance is the unbiased variance M2/(n−1) (Gauss 1823); NaN below two units.
func (m Moments) Variance() float64 {
	if m.N < 2 {
		return math.NaN()
	}
	return m.M2 / float64(m.N-1)
}

// squaredError is the squared standard error of the mean.
func (m Moments) squaredError() float64 { return m.Variance() / float64(m.N) }

// plausible reports whether real data can have these moments.
func (m Moments) plausible() bool {
	finite := !math.IsNaN(m.Mean) && !math.IsInf(m.Mean, 0) && !math.IsNaN(m.M2) && !math.IsInf(m.M2, 0)
	return finite && m.M2 >= 0 && m.N <= 1<<53 // more units than there will ever be
}

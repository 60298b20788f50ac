package results

import (
	"math/big"
	"strconv"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// Scale says how the integers of a metric's sums are read.
type Scale struct {
	Decimals    int
	Denominator *int // decimals of a ratio's z; nil: no ratio
}

// ScaleOf is a metric's scale.
func ScaleOf(m *experiment.Metric) Scale {
	if m.Kind == experiment.Ratio {
		return Scale{m.Numerator.Decimals, &m.Denominator.Decimals}
	}
	return Scale{Decimals: m.Decimals}
}

// Moments makes one arm's moments of its sums, which may be nil where they are 0. A
// ratio goes by the delta method, with units as clusters: its mean is Σy/Σz and its
// variance that of a unit's linearised (y − R·z)/z̄. With nothing below the line there
// is no ratio; its moments are then impossible ones, which stats.Combine refuses by
// name.
func (s Scale) Moments(sums Sums) stats.Moments {
	if s.Denominator == nil {
		return stats.FromSums(sums.N, sums.NonZero, orZero(sums.Sum), orZero(sums.SumSquares), s.Decimals)
	}
	y, z := orZero(sums.Sum), orZero(sums.SumDenominator)
	if sums.N <= 0 || z.Sign() == 0 {
		return stats.Moments{N: max(sums.N, 0), NonZero: sums.NonZero, M2: -1}
	}
	yz := orZero(sums.SumProduct)
	return stats.JointFromSums(sums.N, sums.NonZero, []*big.Int{y, z},
		[][]*big.Int{{orZero(sums.SumSquares), yz}, {yz, orZero(sums.SumSquaresDenominator)}},
		[]int{s.Decimals, *s.Denominator}).Ratio()
}

func orZero(v *big.Int) *big.Int {
	if v == nil {
		return new(big.Int)
	}
	return v
}

// exact writes sums down; a ratio's have all five.
func (s Scale) exact(sums Sums) Exact {
	out := Exact{N: sums.N, NonZero: sums.NonZero, Over: sums.Over, Sum: decimal(sums.Sum), SumSquares: decimal(sums.SumSquares)}
	if s.Denominator != nil {
		out.SumDenominator, out.SumSquaresDenominator = decimal(sums.SumDenominator), decimal(sums.SumSquaresDenominator)
		out.SumProduct = decimal(sums.SumProduct)
	}
	return out
}

// Sums reads sums that were written down. What is no number is 0.
func (e Exact) Sums() Sums {
	return Sums{
		N: e.N, NonZero: e.NonZero, Over: e.Over, Sum: integer(e.Sum), SumSquares: integer(e.SumSquares),
		SumDenominator: integer(e.SumDenominator), SumSquaresDenominator: integer(e.SumSquaresDenominator), SumProduct: integer(e.SumProduct),
	}
}

func integer(text string) *big.Int {
	if text == "" {
		return new(big.Int)
	}
	if v, err := strconv.ParseInt(text, 10, 64); err == nil { // most often, and several times as fast
		return big.NewInt(v)
	}
	v, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return new(big.Int)
	}
	return v
}

func decimal(v *big.Int) string {
	if v == nil {
		return "0"
	}
	if v.IsInt64() {
		return strconv.FormatInt(v.Int64(), 10)
	}
	return v.String()
}

package results

import (
	"math/big"

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
	all := NewSums()
	all.Add(sums)
	if s.Denominator == nil {
		return stats.FromSums(all.N, all.NonZero, all.Sum, all.SumSquares, s.Decimals)
	}
	if all.N <= 0 || all.SumDenominator.Sign() == 0 {
		return stats.Moments{N: max(all.N, 0), NonZero: all.NonZero, M2: -1}
	}
	return stats.JointFromSums(all.N, all.NonZero,
		[]*big.Int{all.Sum, all.SumDenominator},
		[][]*big.Int{{all.SumSquares, all.SumProduct}, {all.SumProduct, all.SumSquaresDenominator}},
		[]int{s.Decimals, *s.Denominator}).Ratio()
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
	return v.String()
}

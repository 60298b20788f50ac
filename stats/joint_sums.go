package stats

import "math/big"

// JointFromSums is FromSums for several integers of each unit: sums[i] is Σx_i and
// products[i][k] is Σx_i·x_k of x_i·10^decimals[i]. Like there, the centring is
// done in integers. nonZero counts the units that the caller takes for non-zero.
func JointFromSums(n, nonZero int64, sums []*big.Int, products [][]*big.Int, decimals []int) Joint {
	j := Joint{N: max(n, 0), NonZero: nonZero, Mean: make([]float64, len(sums)), Product: make([][]float64, len(sums))}
	count := big.NewInt(n)
	for i := range sums {
		j.Product[i] = make([]float64, len(sums))
		if n <= 0 {
			continue
		}
		j.Mean[i] = quotient(sums[i], new(big.Int).Mul(count, power10(decimals[i])))
		for k := range sums {
			centred := new(big.Int).Mul(count, products[i][k])
			centred.Sub(centred, new(big.Int).Mul(sums[i], sums[k]))
			unit := new(big.Int).Mul(count, power10(decimals[i]+decimals[k]))
			j.Product[i][k] = quotient(centred, unit)
		}
	}
	return j
}

func power10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

package stats

import "math/big"

// JointFromSums is FromSums for several integers of each unit: sums[i] is Σx_i and
// products[i][k] is Σx_i·x_k of x_i·10^decimals[i]. Like there, the centring is
// done in integers. nonZero counts the units that the caller takes for non-zero.
//
// n ≤ 0 gives zeros. Lists that do not fit together, sums that are missing and decimals
// outside 0 to 400 give NaN in every number, which Combine refuses by name.
func JointFromSums(n, nonZero int64, sums []*big.Int, products [][]*big.Int, decimals []int) Joint {
	switch {
	case n <= 0:
		return flat(0, nonZero, len(sums), 0)
	case !complete(sums, products, decimals):
		return unknownJoint(n, nonZero, len(sums))
	}
	j := flat(n, nonZero, len(sums), 0)
	for i := range sums {
		j.Mean[i] = exactMean(n, sums[i], decimals[i])
		for k := range sums {
			j.Product[i][k] = exactCentred(n, products[i][k], sums[i], sums[k], decimals[i], decimals[k])
		}
	}
	return j
}

// complete reports whether the lists fit together and nothing is missing.
func complete(sums []*big.Int, products [][]*big.Int, decimals []int) bool {
	if len(products) != len(sums) || len(decimals) != len(sums) {
		return false
	}
	for i, row := range products {
		if sums[i] == nil || len(row) != len(sums) || decimals[i] < 0 || decimals[i] > maxDecimals {
			return false
		}
		for _, p := range row {
			if p == nil {
				return false
			}
		}
	}
	return true
}

func power10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

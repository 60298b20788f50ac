package stats

import "gonum.org/v1/gonum/mathext"

// BinomialAbove is the probability of at least k successes in n trials of probability p,
// I_p(k, n−k+1) (Clopper & Pearson 1934 invert it; DLMF 8.17.5). It is 1 for k ≤ 0 and
// 0 for k > n; a p outside 0..1 or NaN says nothing and gives 1.
func BinomialAbove(k, n int64, p float64) float64 {
	switch {
	case k <= 0 || !(p >= 0 && p <= 1):
		return 1
	case k > n:
		return 0
	}
	return mathext.RegIncBeta(float64(k), float64(n-k+1), p)
}

package yardstick

import "math"

// SafeTest is the e-test of two proportions in blocks of NA + NB units (Turner,
// Ly & Grünwald 2024): before each block the proportions are predicted by their
// posterior means, and the block's likelihood under both is divided by the one
// under their common mean (NA·θ_a + NB·θ_b)/(NA+NB). The product over blocks is an
// e-value at any time. Prior holds Beta(a, b) of the first arm, then of the
// second; 0.18 each is the authors' choice.
type SafeTest struct {
	NA, NB int64
	Prior  [4]float64
}

// LogE is the log e-value after blocks with a[i] and b[i] successes. Blocks
// beyond the shorter list are ignored. A block that cannot be (more successes
// than units), or a prior that is none, leaves no evidence: −Inf. 0 without blocks.
func (s SafeTest) LogE(a, b []int64) float64 {
	for _, p := range s.Prior {
		if !(p > 0) || math.IsInf(p, 1) {
			return math.Inf(-1)
		}
	}
	nA, nB := float64(s.NA), float64(s.NB)
	if s.NA < 0 || s.NB < 0 || nA+nB == 0 {
		return math.Inf(-1)
	}
	var sum, seen, sumA, sumB float64
	for i := range min(len(a), len(b)) {
		yA, yB := float64(a[i]), float64(b[i])
		if yA < 0 || yB < 0 || yA > nA || yB > nB {
			return math.Inf(-1)
		}
		pA := (sumA + s.Prior[0]) / (seen*nA + s.Prior[0] + s.Prior[1])
		pB := (sumB + s.Prior[2]) / (seen*nB + s.Prior[2] + s.Prior[3])
		both := (nA*pA + nB*pB) / (nA + nB)
		sum += logTosses(yA, nA, pA) + logTosses(yB, nB, pB) - logTosses(yA+yB, nA+nB, both)
		seen, sumA, sumB = seen+1, sumA+yA, sumB+yB
	}
	return evidence(sum)
}

// logTosses is the log likelihood of y successes in n tosses.
func logTosses(y, n, p float64) float64 {
	var sum float64
	if y > 0 {
		sum += y * math.Log(p)
	}
	if y < n {
		sum += (n - y) * math.Log1p(-p)
	}
	return sum
}

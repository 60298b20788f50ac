package stats

import "math"

// growth is the logarithm of how much information may grow between the first
// look that counts and the last: e¹⁰ is 22,000-fold, from the gate's hundred
// events to two millions.
const growth = 10

// The mixture's clock is the number of units. That is right for units whose
// outcome is complete when they are counted. Units that entered together and
// get their outcomes over weeks stand still on that clock while information
// grows a thousandfold, and every doubling is another chance to err. Standardised,
// an estimate whose increments do not depend on its past is a stationary
// Gaussian process in the logarithm of its information, with correlation
// e^(−|u|/2), and exceeds a high level z within a stretch L with probability
//
//	1 − Φ(z) + ½·L·z·φ(z)
//
// (Leadbetter, Lindgren & Rootzén 1983, chapter 12), whatever the clock is.
// Outcomes of one unit that attract one another correlate it more and lower the
// probability (Slepian).

// GrowthP is that probability for z > 0, at most 1, and 1 for z ≤ 0: a one-sided
// p-value that is valid at every look while information grows up to e¹⁰-fold
// (Leadbetter, Lindgren & Rootzén 1983). A NaN is no evidence: 1.
func GrowthP(z float64) float64 {
	switch {
	case !(z > 0): // NaN too
		return 1
	case z > 40: // below the least float64; z·φ(z) would be ∞·0
		return 0
	}
	density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	return math.Min(1, math.Erfc(z/math.Sqrt2)/2+growth/2*z*density)
}

// GrowthRadius is the z at which GrowthP is alpha; +Inf for an alpha outside (0, 1).
func GrowthRadius(alpha float64) float64 {
	if !(alpha > 0 && alpha < 1) {
		return math.Inf(1)
	}
	return root(0, 40, func(z float64) bool { return GrowthP(z) <= alpha })
}

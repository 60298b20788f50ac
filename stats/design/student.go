package design

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// studentTails is P(T > c) + (two-sided) P(T < −c) for the noncentral t with dof
// degrees of freedom and this noncentrality: E Φ(nc − c·S) over S = √(χ²/dof), by
// Gauss-Legendre over eight panels of 24 nodes. The density of S is normalised by
// the same nodes, so that no gamma function loses digits. NaN below one degree.
func studentTails(c, nc, dof float64, sides Sides) float64 {
	if !(dof >= 1) || math.IsNaN(c) || math.IsNaN(nc) {
		return math.NaN()
	}
	if dof > 1e9 { // T is normal to the digits of a float
		return sides.power(nc, c)
	}
	const panels, nodes = 8, 24
	spread := 9 / math.Sqrt(2*dof)
	low, high := math.Max(0, 1-spread), 1+spread
	peak := math.Sqrt((dof - 1) / dof)
	var x, w [nodes]float64
	total, tails := 0.0, 0.0
	for p := range panels {
		step := (high - low) / panels
		quad.Legendre{}.FixedLocations(x[:], w[:], low+float64(p)*step, low+float64(p+1)*step)
		for i, s := range x {
			weight := w[i] * math.Exp(logChi(s, peak, dof))
			total += weight
			tails += weight * (upper(c*s - nc))
			if sides == TwoSided {
				tails += weight * upper(c*s+nc)
			}
		}
	}
	return tails / total
}

// logChi is the log density of √(χ²/dof), relative to its peak.
func logChi(s, peak, dof float64) float64 {
	if peak == 0 {
		return -dof * s * s / 2
	}
	return (dof-1)*math.Log(s/peak) - dof*(s*s-peak*peak)/2
}

// studentCritical is the t of a test at one look.
func studentCritical(alpha, dof float64, sides Sides) float64 {
	if !sides.valid() || !probability(alpha) || !(dof >= 1) {
		return math.NaN()
	}
	if dof > 1e9 {
		return sides.critical(alpha)
	}
	return -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: dof}.Quantile(alpha / float64(sides))
}

package stats

import "math"

// Estimate is the arm's own mean, to be shown beside the effect: Σw·mean/Σw with the
// squared error Σw²·s²/n/(Σw)² and the degrees of freedom of Satterthwaite (1946); of one
// phase the mean with s²/n and n − 1. It describes an arm and compares nothing: arms
// whose intervals overlap may well differ, since the error of their difference is less
// than the sum of both. Without units the value is NaN; zero variance gives the error 0,
// of which Student makes no interval.
func (a Arm) Estimate() Estimate {
	if a.N == 0 {
		return Estimate{math.NaN(), math.NaN(), math.NaN()}
	}
	return Estimate{Value: a.Mean, StdError: math.Sqrt(a.Error2), DoF: welchDoF(a.Error2, a.spread)}
}

package stats

// Joint is the state of an arm whose metric is made of several sums per unit:
// numerator and denominator of a ratio, outcome and covariate of an adjusted
// mean. The unit is what was randomised; taking events for units understates
// the error several times over.
type Joint struct {
	N       int64
	NonZero int64       // units with a value other than zero
	Mean    []float64   // per unit
	Product [][]float64 // centred Σ(x_i−mean_i)(x_j−mean_j)
}

// Linearise is the delta method: the moments of a smooth function of the means
// with the given value and gradient. A unit's variance is gᵀ·Σ·g, so from here
// on the metric goes the way of every other.
func (j Joint) Linearise(value float64, gradient []float64) Moments {
	m2 := 0.0
	for i, gi := range gradient {
		for k, gk := range gradient {
			m2 += gi * gk * j.Product[i][k]
		}
	}
	return Moments{N: j.N, NonZero: j.NonZero, Mean: value, M2: max(m2, 0)}
}

// Ratio is mean 0 over mean 1, with variance (s_m² − 2R·s_md + R²·s_d²)/d̄² of a
// unit (Deng, Knoblich & Lu 2018). A denominator of zero gives NaN moments,
// which Combine refuses by name.
func (j Joint) Ratio() Moments {
	ratio := j.Mean[0] / j.Mean[1]
	return j.Linearise(ratio, []float64{1 / j.Mean[1], -ratio / j.Mean[1]})
}

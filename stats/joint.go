package stats

import "math"

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

// regular reports whether there is a product of each two means, and so no index is
// out of range.
func (j Joint) regular() bool {
	for _, row := range j.Product {
		if len(row) != len(j.Mean) {
			return false
		}
	}
	return len(j.Product) == len(j.Mean)
}

// flat is a state with the same number everywhere.
func flat(n, nonZero int64, sums int, value float64) Joint {
	j := Joint{N: n, NonZero: nonZero, Mean: make([]float64, sums), Product: make([][]float64, sums)}
	for i := range sums {
		j.Mean[i], j.Product[i] = value, make([]float64, sums)
		for k := range sums {
			j.Product[i][k] = value
		}
	}
	return j
}

// unknownJoint is a state that no data have: whatever is made of it is NaN.
func unknownJoint(n, nonZero int64, sums int) Joint { return flat(n, nonZero, sums, math.NaN()) }

// Linearise is the delta method (Deng, Knoblich & Lu 2018): the moments of a smooth
// function of the means with the given value and gradient. A unit's variance is gᵀ·Σ·g,
// so from here on the metric goes the way of every other. It is asymptotic: the means
// must be known so well that the function is straight within their errors.
//
// A gradient that is longer than the list of means, or a state whose lists do not fit
// together, gives a NaN mean, as NaN or infinite numbers do: Combine refuses these
// moments by name. A shorter gradient is zero in the rest.
func (j Joint) Linearise(value float64, gradient []float64) Moments {
	if len(gradient) > len(j.Mean) || !j.regular() {
		return impossible(j.N, j.NonZero)
	}
	m2 := 0.0
	for i, gi := range gradient {
		for k, gk := range gradient {
			m2 += gi * gk * j.Product[i][k]
		}
	}
	return Moments{N: j.N, NonZero: j.NonZero, Mean: value, M2: max(m2, 0)}
}

// Ratio is mean 0 over mean 1, with variance (s_m² − 2R·s_md + R²·s_d²)/d̄² of a
// unit (Deng, Knoblich & Lu 2018). A denominator of zero, or fewer than two means,
// gives NaN moments, which Combine refuses by name.
func (j Joint) Ratio() Moments {
	if len(j.Mean) < 2 {
		return impossible(j.N, j.NonZero)
	}
	ratio := j.Mean[0] / j.Mean[1]
	return j.Linearise(ratio, []float64{1 / j.Mean[1], -ratio / j.Mean[1]})
}

// Ratios makes of each pair (i, k) the ratio of means i and k, with their joint second
// moments by the delta method (Deng, Knoblich & Lu 2018); a pair (i, −1) is mean i
// itself. A mean k of zero, or a pair that is not there, gives NaN; so does everything
// where the state's lists do not fit together.
func (j Joint) Ratios(pairs [][2]int) Joint {
	if !j.regular() {
		return unknownJoint(j.N, j.NonZero, len(pairs))
	}
	out := Joint{N: j.N, NonZero: j.NonZero}
	gradients := make([][]float64, len(pairs))
	for p, pair := range pairs {
		var value float64
		value, gradients[p] = j.ratio(pair[0], pair[1])
		out.Mean = append(out.Mean, value)
	}
	for _, a := range gradients {
		var row []float64
		for _, b := range gradients {
			row = append(row, dot(a, times(j.Product, b)))
		}
		out.Product = append(out.Product, row)
	}
	return out
}

// ratio is mean i over mean k with its gradient.
func (j Joint) ratio(i, k int) (value float64, gradient []float64) {
	gradient = make([]float64, len(j.Mean))
	switch {
	case i < 0 || i >= len(j.Mean) || k >= len(j.Mean):
		for p := range gradient {
			gradient[p] = math.NaN()
		}
		return math.NaN(), gradient
	case k < 0:
		gradient[i] = 1
		return j.Mean[i], gradient
	}
	value = j.Mean[i] / j.Mean[k]
	gradient[i] += 1 / j.Mean[k]
	gradient[k] -= value / j.Mean[k]
	return value, gradient
}

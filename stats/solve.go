package stats

// dependent is the share of its own square that a column must keep after the
// columns before it were taken off, to count as one of its own.
const dependent = 1e-10

// invert turns a symmetric positive semidefinite matrix into its inverse in place
// (Gauss–Jordan) and returns its rank. Columns that depend on those before them
// get rows and columns of zeros: their coefficient is zero and nothing else
// changes. A NaN makes its column such a one.
func invert(a [][]float64) (rank int) {
	own := make([]float64, len(a))
	for i := range a {
		own[i] = a[i][i]
	}
	swept := make([]bool, len(a))
	for k := range a {
		if swept[k] = a[k][k] > dependent*own[k]; swept[k] {
			sweep(a, k)
			rank++
		}
	}
	for i := range a {
		for k := range a {
			if !swept[i] || !swept[k] {
				a[i][k] = 0
			}
		}
	}
	return rank
}

func sweep(a [][]float64, k int) {
	pivot := a[k][k]
	a[k][k] = 1
	for j := range a {
		a[k][j] /= pivot
	}
	for i := range a {
		if i == k {
			continue
		}
		factor := a[i][k]
		a[i][k] = 0
		for j := range a {
			a[i][j] -= factor * a[k][j]
		}
	}
}

func times(a [][]float64, v []float64) []float64 {
	out := make([]float64, len(a))
	for i, row := range a {
		out[i] = dot(row, v)
	}
	return out
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// quadratic is vᵀ·a·v.
func quadratic(a [][]float64, v []float64) float64 { return dot(v, times(a, v)) }

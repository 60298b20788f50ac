package yardstick

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Sums are the raw sums of one arm: of the outcome y and of covariates x.
type Sums struct {
	N, Y, YY float64
	X        []float64   // Σx_i
	XX       [][]float64 // Σx_i·x_k
	XY       []float64   // Σx_i·y
}

// Test is a difference with its two-sided interval and p-value.
type Test struct {
	Difference, Low, High, P float64
}

// PooledSlope is the regression-adjusted z-test of Spotify's Confidence: the slope
// is that of the pooled rows of both arms, each arm's mean is ȳ − βx̄ and its
// squared error (s_y² + βᵀS_xβ − 2βᵀs_xy)/n, with only the outcome's variance
// divided by n−1 and all else by n. At unequal shares the pooled slope can lose
// most of what a covariate gives; assay uses another one (Adjust of package stats).
//
// It assumes many units (Deng, Xu, Kohavi & Walker 2013). Covariates that determine one
// another, lists that do not fit together, an arm with fewer than two units, an alpha
// outside (0, 1) or numbers that overflow give NaN everywhere. Without variance the interval
// is a point and p is 0, or NaN where there is no difference.
func PooledSlope(treatment, control Sums, alpha float64) Test {
	nan := math.NaN()
	slope, ok := pooledSlope(treatment, control)
	if !ok || !(alpha > 0 && alpha < 1) {
		return Test{nan, nan, nan, nan}
	}
	mT, vT := treatment.without(slope)
	mC, vC := control.without(slope)
	d, se := mT-mC, math.Sqrt(vT+vC)
	half := distuv.UnitNormal.Quantile(1-alpha/2) * se
	if !(d-half <= d+half) {
		return Test{nan, nan, nan, nan}
	}
	return Test{Difference: d, Low: d - half, High: d + half, P: math.Erfc(math.Abs(d) / se / math.Sqrt2)}
}

// regular reports whether there are products of all covariates.
func (s Sums) regular() bool {
	for _, row := range s.XX {
		if len(row) != len(s.X) {
			return false
		}
	}
	return len(s.XX) == len(s.X) && len(s.XY) == len(s.X)
}

func pooledSlope(a, b Sums) ([]float64, bool) {
	k := len(a.X)
	switch {
	case !(a.N >= 2) || !(b.N >= 2) || len(b.X) != k || !a.regular() || !b.regular():
		return nil, false
	case k == 0: // nothing to adjust by
		return nil, true
	}
	n, y := a.N+b.N, a.Y+b.Y
	left, right := mat.NewSymDense(k, nil), mat.NewVecDense(k, nil)
	for i := range k {
		x := a.X[i] + b.X[i]
		right.SetVec(i, a.XY[i]+b.XY[i]-x*y/n)
		for j := i; j < k; j++ {
			left.SetSym(i, j, a.XX[i][j]+b.XX[i][j]-x*(a.X[j]+b.X[j])/n)
		}
	}
	var factor mat.Cholesky
	var slope mat.VecDense
	if !factor.Factorize(left) || factor.SolveVecTo(&slope, right) != nil {
		return nil, false
	}
	return slope.RawVector().Data, true
}

// without is the mean of y − βx and its squared error.
func (s Sums) without(slope []float64) (mean, errorSquared float64) {
	mean = s.Y / s.N
	variance := (s.YY - s.Y*mean) / (s.N - 1)
	adjusted := mean
	for i, b := range slope {
		x := s.X[i] / s.N
		adjusted -= b * x
		variance -= 2 * b * (s.XY[i]/s.N - x*mean)
		for k, bk := range slope {
			variance += b * bk * (s.XX[i][k]/s.N - x*s.X[k]/s.N)
		}
	}
	return adjusted, math.Max(variance, 0) / s.N
}

package stats

import "math"

// Adjusted is a pair of arms whose means were adjusted by covariates that were
// measured before the first exposure (CUPED). From here on they go the way of
// every other pair.
type Adjusted struct {
	Treatment, Control Moments
	Slopes             []float64 // that were taken off, one a covariate; nil: nothing was
	Reduction          float64   // 1 − adjusted variance / plain variance of the difference, in [0, 1]
}

// Adjust takes the covariates' part off the outcome. Each arm's Joint holds the
// outcome at 0 and covariates from 1 on; both have the same.
//
// One set of slopes serves both arms: with A the squared error of the difference
// of the covariates' means and c its covariance with that of the outcome's,
//
//	θ* = A⁻¹c     for one covariate (cov_T/n_T + cov_C/n_C)/(var_T/n_T + var_C/n_C)
//
// minimises the variance of the difference of means of Y − θᵀX, also at unequal
// shares, where the slope of the pooled data does not, and is asymptotically the
// same as slopes of each arm (Lin 2013; LinEffect). Since the two arms then stay
// independent, phases, margins and Fieller's intervals need nothing new. Estimating
// the slopes from the same data leaves the test valid asymptotically. The arms'
// means are given at the pooled mean of the covariates.
//
// Covariates without variance, or determined by others, have the slope 0. Arms with
// fewer units than sums, arms that do not have the same covariates, and numbers that
// are not finite leave the outcome as it is; without an outcome, or with lists that do
// not fit together, its mean is NaN and Combine refuses it by name.
func Adjust(treatment, control Joint) Adjusted {
	plain := Adjusted{Treatment: treatment.outcome(), Control: control.outcome()}
	covariates := len(treatment.Mean) - 1
	if !alike(treatment, control) || min(treatment.N, control.N) < int64(covariates)+1 {
		return plain
	}
	covariance, spread := make([]float64, covariates), make([][]float64, covariates)
	for i := range spread {
		covariance[i] = treatment.squaredError(0, i+1) + control.squaredError(0, i+1)
		spread[i] = make([]float64, covariates)
		for k := range spread {
			spread[i][k] = treatment.squaredError(i+1, k+1) + control.squaredError(i+1, k+1)
		}
	}
	variance := treatment.squaredError(0, 0) + control.squaredError(0, 0)
	if invert(spread) == 0 || !(variance > 0) {
		return plain
	}
	slopes := times(spread, covariance)
	reduction := dot(slopes, covariance) / variance
	if !(reduction >= 0) || math.IsInf(reduction, 1) { // squares that no data have
		return plain
	}
	centre := pooledMeans(treatment, control)
	return Adjusted{
		Treatment: treatment.without(slopes, centre), Control: control.without(slopes, centre),
		Slopes: slopes, Reduction: math.Min(1, reduction),
	}
}

// alike reports whether both arms have an outcome and the same covariates.
func alike(a, b Joint) bool {
	return len(a.Mean) >= 2 && len(a.Mean) == len(b.Mean) && a.regular() && b.regular()
}

// AdjustRatio is Adjust for a ratio of two sums whose covariate is the same ratio
// before the first exposure: each arm's Joint holds the sums in the order numerator,
// denominator, numerator before, denominator before. Both ratios go by the delta
// method, so units are the clusters; all ten second moments count (Deng, Knoblich & Lu
// 2018). A denominator of zero, or fewer than four sums, gives NaN moments, which
// Combine refuses by name.
func AdjustRatio(treatment, control Joint) Adjusted {
	pairs := [][2]int{{0, 1}, {2, 3}}
	return Adjust(treatment.Ratios(pairs), control.Ratios(pairs))
}

// LinEffect is the effect adjusted with slopes of each arm (Lin 2013), from moments
// that can be streamed. Each arm's Joint is as Adjust's. With θ_T, θ_C the arms'
// least-squares slopes and X̄ the mean of all units,
//
//	Δ = (Ȳ_T − θ_Tᵀ(X̄_T − X̄)) − (Ȳ_C − θ_Cᵀ(X̄_C − X̄))
//	v = s²_T/n_T + s²_C/n_C + (θ_T−θ_C)ᵀ S_X (θ_T−θ_C)/n
//
// where s² is an arm's residual variance with n−1−k degrees of freedom. The estimate
// is exactly that of RegressEffect with OwnSlopes; the error agrees with HC2 as n
// grows, and degrees of freedom are Welch's. Arms with fewer than k+3 units, or without
// the same covariates, leave the outcome as it is; without an outcome, or with numbers
// that are not finite, the estimate is NaN and its intervals claim nothing. They claim
// nothing either where the residuals have no variance: the error is 0.
func LinEffect(treatment, control Joint) Estimate {
	k := len(treatment.Mean) - 1
	if !alike(treatment, control) || min(treatment.N, control.N) < int64(k)+3 {
		return Welch(treatment.outcome(), control.outcome())
	}
	centre := pooledMeans(treatment, control)
	mT, vT, slopeT := treatment.ownSlopes(centre)
	mC, vC, slopeC := control.ownSlopes(centre)
	apart := make([]float64, k)
	for i := range apart {
		apart[i] = slopeT[i] - slopeC[i]
	}
	n := float64(treatment.N) + float64(control.N)
	both := quadratic(treatment.covariates(), apart) + quadratic(control.covariates(), apart)
	for i, d := range apart { // and what the arms' means differ by
		for l, e := range apart {
			both += d * e * (treatment.Mean[i+1] - control.Mean[i+1]) * (treatment.Mean[l+1] - control.Mean[l+1]) *
				float64(treatment.N) * float64(control.N) / n
		}
	}
	own := vT + vC
	return Estimate{
		Value:    mT - mC,
		StdError: math.Sqrt(own + max(both, 0)/(n-1)/n),
		DoF:      welchDoF(own, vT*vT/float64(treatment.N-1-int64(k))+vC*vC/float64(control.N-1-int64(k))),
	}
}

// ownSlopes fits one arm: its mean at the centre, that mean's squared error given
// the centre, and the slopes.
func (j Joint) ownSlopes(centre []float64) (mean, errorSquared float64, slopes []float64) {
	inverse := j.covariates()
	rank := invert(inverse)
	slopes = times(inverse, j.Product[0][1:])
	mean = j.Mean[0]
	for i, s := range slopes {
		mean -= s * (j.Mean[i+1] - centre[i])
	}
	rest := max(j.Product[0][0]-dot(slopes, j.Product[0][1:]), 0)
	return mean, rest / float64(j.N-1-int64(rank)) / float64(j.N), slopes
}

// covariates is a copy of the centred products of the covariates alone.
func (j Joint) covariates() [][]float64 {
	out := make([][]float64, len(j.Mean)-1)
	for i := range out {
		out[i] = append(out[i], j.Product[i+1][1:]...)
	}
	return out
}

func pooledMeans(a, b Joint) []float64 {
	n := float64(a.N) + float64(b.N)
	out := make([]float64, len(a.Mean)-1)
	for i := range out {
		out[i] = (float64(a.N)*a.Mean[i+1] + float64(b.N)*b.Mean[i+1]) / n
	}
	return out
}

// outcome is the moments of the first sum alone.
func (j Joint) outcome() Moments {
	if len(j.Mean) == 0 || !j.regular() {
		return impossible(j.N, j.NonZero)
	}
	return Moments{N: j.N, NonZero: j.NonZero, Mean: j.Mean[0], M2: j.Product[0][0]}
}

// squaredError is the covariance of the means i and k.
func (j Joint) squaredError(i, k int) float64 {
	return j.Product[i][k] / float64(j.N-1) / float64(j.N)
}

// without is the arm of y − θᵀ(x − centre).
func (j Joint) without(slopes, centre []float64) Moments {
	value, gradient := j.Mean[0], []float64{1}
	for i, s := range slopes {
		value -= s * (j.Mean[i+1] - centre[i])
		gradient = append(gradient, -s)
	}
	return j.Linearise(value, gradient)
}

package stats

// Adjusted is a pair of arms whose means were adjusted by a covariate that was
// measured before the first exposure (CUPED). From here on they go the way of
// every other pair.
type Adjusted struct {
	Treatment, Control Moments
	Theta              float64 // slope that was taken off; 0: the covariate says nothing
	Reduction          float64 // 1 − adjusted variance / plain variance of the difference; negative never
}

// Adjust takes a covariate's part off the outcome. Each arm's Joint holds the
// outcome at 0 and the covariate at 1.
//
// One slope serves both arms: θ* = (cov_T/n_T + cov_C/n_C)/(var_T/n_T + var_C/n_C)
// minimises the variance of the difference of means of Y − θX, also at unequal
// shares, where the slope of the pooled data does not, and is asymptotically the
// same as one slope an arm (Lin 2013). Since the two arms then stay independent,
// phases, margins and Fieller's intervals need nothing new. Estimating the slope
// from the same data leaves the test valid asymptotically. The arms' means are
// given at the pooled mean of the covariate.
//
// A covariate without variance, or arms too small for one, leave the outcome as
// it is.
func Adjust(treatment, control Joint) Adjusted {
	plain := Adjusted{Treatment: treatment.only(0), Control: control.only(0)}
	if treatment.N < 2 || control.N < 2 {
		return plain
	}
	cov := treatment.squaredError(0, 1) + control.squaredError(0, 1)
	spread := treatment.squaredError(1, 1) + control.squaredError(1, 1)
	variance := treatment.squaredError(0, 0) + control.squaredError(0, 0)
	if !(spread > 0) || !(variance > 0) {
		return plain
	}
	theta := cov / spread
	n := float64(treatment.N) + float64(control.N)
	centre := (float64(treatment.N)*treatment.Mean[1] + float64(control.N)*control.Mean[1]) / n
	return Adjusted{
		Treatment: treatment.without(theta, centre), Control: control.without(theta, centre),
		Theta: theta, Reduction: theta * cov / variance,
	}
}

// only is the moments of one of the sums.
func (j Joint) only(i int) Moments {
	return Moments{N: j.N, NonZero: j.NonZero, Mean: j.Mean[i], M2: j.Product[i][i]}
}

// squaredError is the covariance of the means i and k.
func (j Joint) squaredError(i, k int) float64 {
	return j.Product[i][k] / float64(j.N-1) / float64(j.N)
}

// without is the arm of y − θ(x − centre).
func (j Joint) without(theta, centre float64) Moments {
	return j.Linearise(j.Mean[0]-theta*(j.Mean[1]-centre), []float64{1, -theta})
}

package stats

import "math"

// Posterior is a normal belief about an effect, in the form of GrowthBook's
// gbstats: conjugate normal updating with the standard error taken as known. NaN
// says that there is none. It answers "how likely is the
// treatment better?" for readers who ask that; it is no licence to stop: acting
// when Better passes 0.95 under repeated looks errs far more than 5 % of the time.
type Posterior struct{ Mean, SD float64 }

// Prior is a normal belief before the data, in the effect's unit.
type Prior struct{ Mean, SD float64 }

// Posterior updates the prior by the estimate: precisions 1/error² and 1/sd² add
// up, and the mean is weighted by them. nil is the flat prior. Without a standard
// error it is the prior, or NaN if that is flat; a prior without a finite mean and
// a finite sd above 0 gives NaN. The formula is in Gelman et al. (2013), §2.5.
func (e Estimate) Posterior(prior *Prior) Posterior {
	switch {
	case prior != nil && (!(prior.SD > 0) || math.IsInf(prior.SD, 1) || math.IsNaN(prior.Mean) || math.IsInf(prior.Mean, 0)):
		return Posterior{math.NaN(), math.NaN()}
	case !e.usable() && prior == nil:
		return Posterior{math.NaN(), math.NaN()}
	case !e.usable():
		return Posterior(*prior)
	case prior == nil:
		return Posterior{e.Value, e.StdError}
	}
	// The parts of the variances' sum, which no square can overflow.
	both := math.Hypot(e.StdError, prior.SD)
	if math.IsInf(both, 1) {
		return Posterior{math.NaN(), math.NaN()}
	}
	data, before := prior.SD/both, e.StdError/both
	return Posterior{
		Mean: e.Value*data*data + prior.Mean*before*before,
		SD:   e.StdError * data,
	}
}

// known reports whether there is a posterior. One without spread is certain.
func (p Posterior) known() bool {
	return p.SD >= 0 && !math.IsInf(p.SD, 1) && !math.IsNaN(p.Mean) && !math.IsInf(p.Mean, 0)
}

// Better is the probability Φ(Mean/SD) that the effect is positive (Stucchio 2015); NaN
// without a posterior.
func (p Posterior) Better() float64 {
	switch {
	case !p.known():
		return math.NaN()
	case p.Mean == 0 && p.SD == 0:
		return 0
	}
	return normalCDF(p.Mean / p.SD)
}

// Credible is the central interval of probability 1−alpha, Mean ± z·SD; (−Inf, +Inf)
// without a posterior or for an alpha outside (0, 1) (Gelman et al. 2013, §2.3).
func (p Posterior) Credible(alpha float64) Interval {
	if !(alpha > 0 && alpha < 1) || !p.known() {
		return everything()
	}
	half := studentCritical(alpha/2, math.Inf(1)) * p.SD
	if math.IsNaN(half) { // a level of 0 of what is certain
		return everything()
	}
	return Interval{p.Mean - half, p.Mean + half}
}

// Risk is what is expected to be lost by a choice: E[max(effect, 0)] by keeping
// the control, E[max(−effect, 0)] by shipping the treatment, in closed form
// σφ(μ/σ) ± μΦ(±μ/σ) (Stucchio 2015). Neither is negative; both are NaN without a
// posterior.
func (p Posterior) Risk() (keep, ship float64) {
	switch {
	case !p.known():
		return math.NaN(), math.NaN()
	case p.SD == 0:
		return math.Max(p.Mean, 0), math.Max(-p.Mean, 0)
	}
	z := p.Mean / p.SD
	density := p.SD * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	return notNegative(density + p.Mean*normalCDF(z)), notNegative(density - p.Mean*normalCDF(-z))
}

func normalCDF(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// notNegative takes off what rounding left below 0; NaN stays.
func notNegative(x float64) float64 {
	if x < 0 {
		return 0
	}
	return x
}

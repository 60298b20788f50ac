package yardstick

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// SPRT is Wald's sequential probability ratio test of one simple hypothesis
// against another, with error rates Alpha (of rejecting the first) and Beta (of
// rejecting the second), both in (0, 1) with Alpha + Beta < 1.
type SPRT struct{ Alpha, Beta float64 }

// Thresholds of the log likelihood ratio: above the upper one the second
// hypothesis is accepted, below the lower one the first. Wald (1945):
// ln((1−β)/α) and ln(β/(1−α)). Infinite, so never reached, for rates that are none.
func (s SPRT) Thresholds() (lower, upper float64) {
	if !(s.Alpha > 0 && s.Beta > 0 && s.Alpha+s.Beta < 1) {
		return math.Inf(-1), math.Inf(1)
	}
	return math.Log(s.Beta / (1 - s.Alpha)), math.Log((1 - s.Beta) / s.Alpha)
}

// NormalASN is Wald's (1945) approximation of the average number of observations under
// either hypothesis, mean 0 against delta with known standard deviation. +Inf
// when the hypotheses are the same, or arguments are outside their domain.
func (s SPRT) NormalASN(delta, sd float64) (h0, h1 float64) {
	information := delta * delta / (2 * sd * sd)
	return s.asn(-information, information)
}

// BernoulliASN is NormalASN for proportion p0 against p1, both in (0, 1).
func (s SPRT) BernoulliASN(p0, p1 float64) (h0, h1 float64) {
	step := func(p float64) float64 {
		return p*math.Log(p1/p0) + (1-p)*(math.Log1p(-p1)-math.Log1p(-p0))
	}
	return s.asn(step(p0), step(p1))
}

// asn divides the expected log likelihood ratio at the end by its drift.
func (s SPRT) asn(drift0, drift1 float64) (h0, h1 float64) {
	lower, upper := s.Thresholds()
	if !(drift0 < 0 && drift0 >= -math.MaxFloat64) || !(drift1 > 0 && drift1 <= math.MaxFloat64) || math.IsInf(upper, 1) {
		return math.Inf(1), math.Inf(1)
	}
	return ((1-s.Alpha)*lower + s.Alpha*upper) / drift0, (s.Beta*lower + (1-s.Beta)*upper) / drift1
}

// MSPRTVariance is the mixture variance τ² that Johari, Koomen, Pekelis & Walsh
// (2017) recommend for effects of standard deviation sigma and at most truncation
// observations: σ²Φ(−b)/(φ(b)/b − Φ(−b)) with b = √(2·ln(1/α)/(M·σ²)). Zero for
// parameters outside their domain.
func MSPRTVariance(truncation, alpha, sigma float64) (b, tau2 float64) {
	if !(truncation > 0) || !(alpha > 0 && alpha < 1) || !(sigma > 0) {
		return 0, 0
	}
	b = math.Sqrt(-2 * math.Log(alpha) / (truncation * sigma * sigma))
	tail := distuv.UnitNormal.Survival(b)
	tau2 = sigma * sigma * tail / (distuv.UnitNormal.Prob(b)/b - tail)
	if !positive(tau2) {
		return 0, 0
	}
	return b, tau2
}

// MSPRTBurnIn is the number of pairs before which MSPRTBernoulli has no variance.
const MSPRTBurnIn = 100

// MSPRTBernoulli is the mixture likelihood ratio of pairs of zeros and ones for a
// difference theta, with mixture variance tau² and the variance of the pairs so
// far plugged in: √(V/(V+nτ²))·exp(n²τ²(z̄−θ)²/(2V(V+nτ²))). One, no evidence,
// during the burn-in and while nothing varies. It is no martingale: the plug-in
// variance makes it approximate (Johari, Koomen, Pekelis & Walsh 2017). Pairs beyond the
// shorter list are ignored; after a value outside [0, 1], and for a tau or theta that is
// no number, it stays one.
func MSPRTBernoulli(x, y []float64, tau, theta float64) []float64 {
	out := make([]float64, min(len(x), len(y)))
	var sumX, sumY float64
	for i := range out {
		out[i] = 1
		if !inUnit(x[i]) || !inUnit(y[i]) {
			sumX = math.NaN()
		}
		sumX, sumY = sumX+x[i], sumY+y[i]
		n := float64(i + 1)
		meanX, meanY := sumX/n, sumY/n
		v := meanX*(1-meanX) + meanY*(1-meanY)
		if i < MSPRTBurnIn || !(v > 0) {
			continue
		}
		d := meanX - meanY - theta
		if e := math.Sqrt(v/(v+n*tau*tau)) * math.Exp(n*n*tau*tau*d*d/(2*v*(v+n*tau*tau))); !math.IsNaN(e) {
			out[i] = e
		}
	}
	return out
}

// StatsigCritical is the documented critical value of Statsig's sequential test,
// √((V+τ)/τ·(−2·ln(α/2) − ln(V/(V+τ)))) with V the squared error of the difference
// and τ = z²_{1−α/2}·(var_T+var_C)/(n_T+n_C). Its τ is proportional to V, so the
// value is constant: it is no mixture martingale, and its error rate over an
// infinite horizon is not controlled. +Inf without units or variance. Statsig cites Zhao
// et al. (2018).
func StatsigCritical(nT, nC, varianceT, varianceC, alpha float64) float64 {
	if !(alpha > 0 && alpha < 1) || !positive(nT, nC) {
		return math.Inf(1)
	}
	v := varianceT/nT + varianceC/nC
	z := distuv.UnitNormal.Quantile(1 - alpha/2)
	tau := z * z * (varianceT + varianceC) / (nT + nC)
	critical := math.Sqrt((v + tau) / tau * (-2*math.Log(alpha/2) - math.Log(v/(v+tau))))
	if !(v > 0) || math.IsNaN(critical) {
		return math.Inf(1)
	}
	return critical
}

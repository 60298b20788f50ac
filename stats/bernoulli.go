package stats

import "math"

// Sequence is the confidence sequence of one proportion, valid at every look:
// the p whose beta-binomial mixture, Beta(Kp, K(1−p)), stays below 1/alpha
// (Howard, Ramdas, McAuliffe & Sekhon 2021). K makes it narrowest near planned
// units at the rate tuned, K = planned/(l + ln(1+l)) − 1 with l = −2·ln tuned,
// at least 10⁻³. Units are independent; nothing is approximated.
//
// [0, 1] without units, with counts that no data have, a rate outside (0, 1) or a plan
// that is no number above 0.
func (s Share) Sequence(alpha, planned, tuned float64) Interval {
	if !s.possible() || !(alpha > 0 && alpha < 1) || !(tuned > 0 && tuned < 1) || !(planned > 0) || math.IsInf(planned, 1) {
		return Interval{0, 1}
	}
	concentration := math.Max(1/MixtureRho2(tuned, planned)-1, 1e-3)
	successes, failures := float64(s.Successes), float64(s.Units-s.Successes)
	kept := func(p float64) bool {
		if p <= 0 || p >= 1 {
			return false
		}
		return logBetaRatio(concentration*p, concentration*(1-p), successes, failures)-
			scaled(successes, math.Log(p))-scaled(failures, math.Log1p(-p)) < -math.Log(alpha)
	}
	out := Interval{0, 1}
	if s.Successes > 0 {
		out.Low = root(0, s.p(), kept)
	}
	if s.Successes < s.Units {
		out.High = root(s.p(), 1, func(p float64) bool { return !kept(p) })
	}
	return out
}

// ShareDecision is the outcome of a one-sided test of one proportion.
type ShareDecision struct {
	LogE float64 // log e-value against the hypothesis
	P    float64 // min(1, 1/e), always valid
	Low  float64 // always-valid one-sided lower bound of p; P < alpha exactly when it lies above the limit
}

// Exceeds tests H0: p ≤ limit at error rate alpha over all looks, by the likelihood
// ratio mixed over the proportions beyond the limit alone: Beta(k·limit, k(1−limit))
// truncated there, the one-sided beta-binomial mixture of TestCountHarm, with
// k = 1/(limit(1−limit)δ²) for the log odds δ = ln 2 beyond the limit (Howard et al. 2021,
// prop. 7). Under any smaller proportion its expectation is at most one, so it holds
// for the whole hypothesis. Successes that are still to come only make it smaller:
// it may be looked at before all units have had their time.
//
// P is 1 and Low 0 without units, with counts that no data have, with a limit outside
// (0, 1) or an alpha outside (0, 0.5).
func (s Share) Exceeds(limit, alpha float64) ShareDecision {
	out := ShareDecision{P: 1}
	if !s.possible() || !(limit > 0 && limit < 1) || !validAlpha(alpha) {
		return out
	}
	phase := CountPhase{Treatment: s.Successes, Control: s.Units - s.Successes, Share: limit}
	d := TestCountHarm([]CountPhase{phase}, Margin{Relative: true}, DecreaseIsGood, CountPlan{Alpha: alpha, Ratio: math.Ln2})
	out.LogE, out.P = d.LogE, d.P
	if odds := limit / (1 - limit) * (1 + d.Bound); odds > 0 {
		out.Low = odds / (1 + odds)
	}
	return out
}

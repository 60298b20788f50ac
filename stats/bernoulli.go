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

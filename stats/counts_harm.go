package stats

import (
	"fmt"
	"math"
)

// CountDecision is the outcome of a one-sided count test about the harm h,
// (rate ratio − 1) in the bad direction.
type CountDecision struct {
	Reject   bool
	LogE     float64 // log e-value against the hypothesis
	P        float64 // min(1, 1/e), always valid; Reject is P < alpha
	Estimate float64 // ĥ; NaN without an event, infinite while the control has none
	// Bound is the always-valid one-sided bound of h: the lower one from
	// TestCountHarm, the upper one from TestCountNonInferior. Reject means that
	// it lies beyond the margin.
	Bound              float64
	Treatment, Control int64 // units with an event in the phases that count
	LeftOut            []string
	Warnings           []Warning
}

// TestCountHarm tests H0: h ≤ margin, "the rate ratio is harmful by no more
// than the margin", at error rate plan.Alpha over all looks: with the margin m
// the treatment's odds of an event are shifted by 1+m where fewer is better
// (1−m where more is) and the likelihood ratio is mixed over the ratios beyond
// it alone, Beta(kq, k(1−q)) truncated at the shifted share q. Each ratio beyond
// the margin has an expectation of at most one under every ratio within it, so
// the test holds for the whole hypothesis and not just for its edge (Howard et
// al. 2021, prop. 7, one-sided beta-binomial mixture).
//
// Phases, assumptions and edge cases are those of CompareCounts. The margin
// must be relative: counts of first events know rates only up to the traffic.
// Where more is better, a margin of 1 or more cannot be exceeded and decides
// nothing.
func TestCountHarm(phases []CountPhase, m Margin, d Direction, plan CountPlan) CountDecision {
	return testCounts(phases, m, d, plan, +1)
}

// TestCountNonInferior tests H0: h ≥ margin. Rejecting it shows that the
// treatment is not worse by the margin. It is TestCountHarm from the other side.
func TestCountNonInferior(phases []CountPhase, m Margin, d Direction, plan CountPlan) CountDecision {
	return testCounts(phases, m, d, plan, -1)
}

func testCounts(phases []CountPhase, m Margin, d Direction, plan CountPlan, side float64) CountDecision {
	s, warnings := newStreams(phases, plan)
	out := CountDecision{
		P: 1, Estimate: harmOf(s.logRatio(), d), Bound: harmless(side, d),
		Treatment: s.treatment, Control: s.control, LeftOut: s.leftOut, Warnings: warnings,
	}
	theta, reason := marginRatio(m, d)
	switch {
	case reason != "":
		out.Warnings = append(out.Warnings, Warning{InvalidPlan, reason})
		return out
	case !validAlpha(plan.Alpha):
		out.Warnings = append(out.Warnings, invalidAlpha(plan.Alpha))
		return out
	case s.events() == 0:
		return out
	}
	// up: the test refutes ratios below; otherwise the arms change places.
	up := side * d.bad()
	if up < 0 {
		s = s.swapped()
	}
	out.LogE = s.evidenceAbove(up * theta)
	out.P = math.Min(1, math.Exp(-out.LogE))
	out.Reject = out.P < plan.Alpha
	limit := -math.Log(plan.Alpha)
	bound := edge(s.start(), -1, func(t float64) bool { return s.evidenceAbove(t) > limit })
	out.Bound = harmOf(up*bound, d)
	return out
}

// marginRatio is the log rate ratio at which the harm equals the margin, or why
// there is none.
func marginRatio(m Margin, d Direction) (theta float64, reason string) {
	switch {
	case d != IncreaseIsGood && d != DecreaseIsGood:
		return 0, "the metric has no direction, so no effect is harmful"
	case !(m.Value >= 0) || math.IsInf(m.Value, 1):
		return 0, fmt.Sprintf("the margin is %v, it must be at least 0", m.Value)
	case !m.Relative && m.Value != 0:
		return 0, "a count test compares rates, so its margin must be relative"
	case d == IncreaseIsGood && m.Value >= 1:
		return 0, fmt.Sprintf("no rate can fall by more than all of it: a margin of %v can never be exceeded", m.Value)
	}
	return math.Log1p(d.bad() * m.Value), ""
}

// harmOf a log rate ratio.
func harmOf(theta float64, d Direction) float64 { return d.bad() * math.Expm1(theta) }

// harmless is the bound of the harm that claims nothing. Fewer than none cannot be.
func harmless(side float64, d Direction) float64 {
	switch {
	case d == IncreaseIsGood && side > 0:
		return math.Inf(-1)
	case d == IncreaseIsGood:
		return 1
	case side > 0:
		return -1
	}
	return math.Inf(1)
}

// swapped exchanges treatment and control.
func (s streams) swapped() streams {
	out := streams{treatment: s.control, control: s.treatment, leftOut: s.leftOut}
	for _, p := range s.phases {
		out.phases = append(out.phases, stream{p.control, p.treatment, 1 - p.share, -p.logOdds, p.concentration})
	}
	return out
}

// evidenceAbove is logEAbove, or no evidence when the estimate itself lies below:
// phases that contradict one another could otherwise show a harm and refute it.
// A smaller e-value is still one.
func (s streams) evidenceAbove(theta float64) float64 {
	e := s.logEAbove(theta)
	if e > 0 && s.start() <= theta {
		return 0
	}
	return e
}

// logEAbove is the log e-value against "the log rate ratio is at most theta".
func (s streams) logEAbove(theta float64) float64 {
	var sum float64
	for _, p := range s.phases {
		q := 1 / (1 + math.Exp(-p.logOdds-theta))
		if q == 0 || q == 1 {
			continue // as good as certain: there is nothing to mix over
		}
		a, b := p.concentration*q, p.concentration/(1+math.Exp(p.logOdds+theta))
		sum += logBetaRatio(a, b, p.treatment, p.control) - p.logLikelihood(theta) +
			logBetaUpper(a+p.treatment, b+p.control, q) - logBetaUpper(a, b, q)
	}
	if math.IsNaN(sum) || math.IsInf(sum, 1) { // a tail beyond what can be computed is no evidence
		return math.Inf(-1)
	}
	return sum
}

package stats

import (
	"fmt"
	"math"
)

// Direction says which way of moving a metric is good. The zero value is
// invalid on purpose: a forgotten direction decides nothing.
type Direction int

// The directions.
const (
	IncreaseIsGood Direction = 1 + iota
	DecreaseIsGood
)

// bad is the sign of a harmful change of the mean.
func (d Direction) bad() float64 {
	if d == IncreaseIsGood {
		return -1
	}
	return 1
}

// Margin is the harm that is tolerated, at least zero.
type Margin struct {
	Value    float64 // in the metric's unit, or a fraction of |control mean|
	Relative bool
}

// Decision is the outcome of a one-sided test about the harm h, the effect in
// the bad direction. h is in the units of the margin: absolute, or relative to
// |control mean|.
type Decision struct {
	Reject    bool    // the hypothesis is refuted
	Z         float64 // standardised distance from the margin, positive towards rejection
	A         float64 // the mixture's information ρ²·Σw/(p(1−p))
	P         float64 // always-valid; Reject is P < alpha
	Threshold float64 // what Z must exceed
	Estimate  float64 // ĥ; NaN without basis
	// Bound is the always-valid one-sided bound of h: the lower one from
	// TestHarm, the upper one from TestNonInferior. Reject means that it lies
	// beyond the margin; a relative bound may be infinite where the baseline is
	// near zero, and then Reject alone decides.
	Bound    float64
	Warnings []Warning
}

// TestHarm tests H0: h ≤ margin. Rejecting it shows harm beyond the margin
// (with margin zero: any harm), at error rate plan.Alpha over all looks.
//
// A relative margin is tested by its linear form, without dividing by an
// uncertain mean: for a metric whose increase is good, h > margin·m_C is
// m_T − (1−margin)·m_C < 0 with variance v_T + (1−margin)²·v_C; for one whose
// decrease is good it is m_T − (1+margin)·m_C > 0 with (1+margin)². Means and
// variances carry the phase weights. The standard error is the larger of the
// unpooled and the pooled one, so that an arm that lost everything (and with it
// its variance) is judged and not believed blindly. The boundary is MixtureRadiusOneSided
// (Waudby-Smith et al. 2024),
// or GrowthRadius if that is larger and the plan Unfinished.
//
// Without data, direction, a margin of at least 0 or an alpha in (0, 0.5), and with zero
// variance, nothing is decided: p is 1, the bound infinite, the estimate without data NaN,
// and a warning says why.
func (p Pair) TestHarm(m Margin, d Direction, plan Plan) Decision {
	return p.test(m, d, plan, +1)
}

// TestNonInferior tests H0: h ≥ margin. Rejecting it shows that the treatment
// is not worse by the margin. Its linear forms are those of TestHarm.
func (p Pair) TestNonInferior(m Margin, d Direction, plan Plan) Decision {
	return p.test(m, d, plan, -1)
}

// test refutes "h is not on the given side of the margin": side +1 looks for
// h above it, −1 for h below.
func (p Pair) test(m Margin, d Direction, plan Plan, side float64) Decision {
	out, ok := p.undecided(m, d, plan, side)
	if !ok {
		return out
	}
	out.Warnings = append(out.Warnings, plan.complete()...)
	distance, factor := p.distance(m, d)
	err := math.Sqrt(p.errorSquared(factor, true))
	if math.IsNaN(err) || math.IsInf(err, 0) || math.IsNaN(distance) || math.IsInf(distance, 0) {
		out.Warnings = append(out.Warnings, Warning{InvalidPlan, "the margin is too large to compute with"})
		return out
	}
	if err == 0 {
		out.Warnings = append(out.Warnings, zeroVariance())
		return out
	}
	// The mixture is tuned for a two-sided rate of 2α: only one side counts.
	out.A = p.information(MixtureRho2(2*plan.Alpha, plan.PlannedUnits), &plan)
	out.Z = side * distance / err
	out.Threshold = MixtureRadiusOneSided(out.A, plan.Alpha)
	out.P = MixturePOneSided(out.A, out.Z)
	if plan.Unfinished {
		if GrowthP(out.Threshold) > plan.Alpha { // else it lies above the floor, which need not be solved for
			out.Threshold = math.Max(out.Threshold, GrowthRadius(plan.Alpha))
		}
		out.P = math.Max(out.P, GrowthP(out.Z))
	}
	out.Reject = out.P < plan.Alpha
	bound, bounded := p.harmInterval(m, d, out.Threshold)
	out.Bound = bound.High
	if side > 0 {
		out.Bound = bound.Low
	}
	if !bounded {
		out.Warnings = append(out.Warnings, baselineNearZero())
	}
	return out
}

// undecided is a decision that claims nothing, and whether more can be said.
func (p *Pair) undecided(m Margin, d Direction, plan Plan, side float64) (Decision, bool) {
	out := Decision{
		P: 1, Threshold: math.Inf(1), Estimate: math.NaN(),
		Bound: math.Inf(int(-side)), Warnings: p.doubts(),
	}
	refuse := func(format string, args ...any) (Decision, bool) {
		out.Warnings = append(out.Warnings, Warning{InvalidPlan, fmt.Sprintf(format, args...)})
		return out, false
	}
	switch {
	case d != IncreaseIsGood && d != DecreaseIsGood:
		return refuse("the metric has no direction, so no effect is harmful")
	case !(m.Value >= 0) || math.IsInf(m.Value, 1):
		return refuse("the margin is %v, it must be at least 0", m.Value)
	case p.Weight == 0:
		return out, false
	}
	out.Estimate = d.bad() * p.Difference()
	if m.Relative {
		out.Estimate = relativeTo(out.Estimate, p.Control.Mean)
	}
	if !validAlpha(plan.Alpha) {
		out.Warnings = append(out.Warnings, invalidAlpha(plan.Alpha))
		return out, false
	}
	return out, true
}

// distance is the estimate of h − margin in the metric's unit, and the factor
// f of its linear form ±(m_T − f·m_C). A relative margin means |m_C|, so the
// estimated sign of the control mean enters f.
func (p *Pair) distance(m Margin, d Direction) (distance, factor float64) {
	bad := d.bad()
	if !m.Relative {
		return bad*p.Difference() - m.Value, 1
	}
	factor = 1 + bad*math.Copysign(m.Value, p.Control.Mean)
	return bad * (p.Treatment.Mean - factor*p.Control.Mean), factor
}

// harmInterval holds every h that neither one-sided test refutes at a critical
// value; its ends are the bounds of the two tests.
func (p *Pair) harmInterval(m Margin, d Direction, critical float64) (Interval, bool) {
	half := critical * math.Sqrt(p.errorSquared(1, true))
	effect, bounded := Interval{p.Difference() - half, p.Difference() + half}, true
	if m.Relative {
		effect, bounded = p.lift(critical, true)
	}
	if d.bad() < 0 {
		return Interval{-effect.High, -effect.Low}, bounded
	}
	return effect, bounded
}

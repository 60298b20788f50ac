package stats

import (
	"fmt"
	"math"
	"slices"
)

// Interval is a range of values that the data do not contradict. An end may be
// infinite; (−Inf, +Inf) says that nothing is known.
type Interval struct{ Low, High float64 }

// Contains reports whether x lies in the interval, its ends included.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// everything is the interval of a result without basis.
func everything() Interval { return Interval{math.Inf(-1), math.Inf(1)} }

// Effect is an estimate with its interval and p-value.
type Effect struct {
	Estimate float64 // NaN when there is no basis
	Interval
	StdError float64 // of an absolute effect; NaN for a relative one, which has no symmetric error
	P        float64 // two-sided, of the hypothesis that the effect is zero
}

// Result is what is known about a pair of arms.
type Result struct {
	Absolute Effect // treatment mean − control mean
	Relative Effect // Absolute / |control mean|
	// TreatmentMean and ControlMean carry the same phase weights as the effect,
	// so Absolute.Estimate is exactly their difference.
	TreatmentMean float64
	ControlMean   float64
	DoF           float64 // Welch's degrees of freedom; +Inf for a sequential result
	Critical      float64 // multiple of the standard error that makes the interval
	Alpha         float64
	Warnings      []Warning
}

// fewUnits is the number per arm below which a result is marked as too small
// for the normal approximation, whatever the metric. Skewed metrics need more:
// that is what the event gate is for.
const fewUnits = 30

// Fixed gives the intervals for one look at a number of units that was chosen
// beforehand: Welch's t (Welch 1947) for the absolute effect, Fieller's theorem
// (1954) with the same degrees of freedom for the relative one, so that both agree on
// whether there is an effect. Looking repeatedly breaks their error rate; use
// Sequential for that. alpha is two-sided.
//
// Without data, with zero variance or with an alpha outside (0, 0.5) the interval is
// (−Inf, +Inf), p is 1 and a warning says why; estimates without data are NaN, and the
// relative one is also NaN at a control mean of zero.
func (p Pair) Fixed(alpha float64) (r Result) {
	if !p.blank(&r, alpha) {
		return r
	}
	e := p.estimate(false)
	r.DoF = e.DoF
	r.Absolute, r.Critical = e.student(alpha)
	p.addRelative(&r, false)
	return r
}

// Sequential gives the always-valid intervals: their coverage holds at every
// look and at any stopping time. The absolute effect's interval is
// estimate ± B·error (MixtureRadius), the relative one's is Fieller's with B in
// place of t (Johari et al. 2022; Waudby-Smith et al. 2024). Validity is asymptotic:
// believe decisions once the Gate passes. Where there is no answer it gives what Fixed
// gives; a plan without numbers of its own is completed by defaults, with a warning.
func (p Pair) Sequential(plan Plan) (r Result) {
	p.sequential(&r, &plan, plan.Alpha)
	return r
}

// SequentialAt is Sequential with intervals of another two-sided level, as a
// family of tests asks for: plan.Alpha goes on tuning them. The p-value does not
// depend on the level: it is below it exactly when the interval excludes zero.
func (p Pair) SequentialAt(plan Plan, level float64) (r Result) {
	p.sequential(&r, &plan, level)
	return r
}

// sequential fills in the result and completes the plan; nothing is copied.
func (p *Pair) sequential(r *Result, plan *Plan, level float64) {
	if !p.blank(r, plan.Alpha) {
		return
	}
	if !validAlpha(level) {
		r.Warnings = append(r.Warnings, invalidAlpha(level))
		return
	}
	r.Alpha = level
	r.Warnings = append(r.Warnings, plan.complete()...)
	tuned := doubleLog(plan.Alpha)
	asked := tuned
	if level != plan.Alpha {
		asked = doubleLog(level)
	}
	a := p.information(mixtureRho2(tuned, plan.PlannedUnits), plan)
	e := p.estimate(plan.Strict)
	e.DoF = math.Inf(1)
	r.DoF = e.DoF
	r.Absolute, r.Critical = e.alwaysValid(a, asked)
	p.addRelative(r, plan.Strict)
}

// blank makes a result one that claims nothing: estimates and warnings, intervals
// without ends, p = 1. It reports whether there is a basis for more.
func (p *Pair) blank(r *Result, alpha float64) bool {
	nothing := Effect{Estimate: math.NaN(), Interval: everything(), StdError: math.NaN(), P: 1}
	r.Absolute, r.Relative = nothing, nothing
	r.TreatmentMean, r.ControlMean = math.NaN(), math.NaN()
	r.DoF, r.Critical, r.Alpha = math.NaN(), math.Inf(1), alpha
	r.Warnings = p.doubts()
	if p.Weight == 0 {
		return false
	}
	r.TreatmentMean, r.ControlMean = p.Treatment.Mean, p.Control.Mean
	r.Absolute.Estimate = p.Difference()
	r.Relative.Estimate = relativeTo(p.Difference(), p.Control.Mean)
	if !validAlpha(alpha) {
		r.Warnings = append(r.Warnings, invalidAlpha(alpha))
		return false
	}
	return true
}

// addRelative completes a result whose absolute effect and critical value are known.
func (p *Pair) addRelative(r *Result, strict bool) {
	r.Relative.P = r.Absolute.P
	if !(r.Absolute.StdError > 0) {
		r.Critical = math.Inf(1)
		r.Warnings = append(r.Warnings, zeroVariance())
		return
	}
	lift, bounded := p.lift(r.Critical, strict)
	r.Relative.Interval = lift
	if !bounded {
		r.Warnings = append(r.Warnings, baselineNearZero())
	}
}

// estimate is the stratified difference. Its degrees of freedom are the
// Welch–Satterthwaite approximation of the weighted sum over arms and phases;
// with one phase they are Welch's.
func (p *Pair) estimate(strict bool) Estimate {
	own := p.errorSquared(1, false)
	return Estimate{
		Value:    p.Difference(),
		StdError: math.Sqrt(p.errorSquared(1, strict)),
		DoF:      welchDoF(own, p.Treatment.spread+p.Control.spread),
	}
}

// errorSquared is the squared standard error of m_T − factor·m_C: the arms'
// own variances or, when strict, the larger of that and the pooled one.
func (p *Pair) errorSquared(factor float64, strict bool) float64 {
	own := p.Treatment.Error2 + factor*factor*p.Control.Error2
	if !strict {
		return own
	}
	return math.Max(own, p.Treatment.PooledError2+factor*factor*p.Control.PooledError2)
}

// doubts are the warnings of the data, whatever is computed from them.
func (p *Pair) doubts() []Warning {
	if p.Weight == 0 {
		if len(p.Warnings) == 0 { // the zero Pair
			return []Warning{noBasis()}
		}
		return slices.Clone(p.Warnings)
	}
	warnings := slices.Clone(p.Warnings)
	if n := min(p.Treatment.N, p.Control.N); n < fewUnits {
		warnings = append(warnings, Warning{FewUnits, fmt.Sprintf(
			"the smaller arm has %d units, at least %d are needed", n, fewUnits)})
	}
	return warnings
}

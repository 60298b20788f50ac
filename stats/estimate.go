package stats

import "math"

// Estimate is an effect that is approximately normal: a value, its standard
// error and the degrees of freedom of that error (+Inf if it counts as known).
// Every metric kind ends in one, so intervals and tests are written once.
type Estimate struct {
	Value    float64
	StdError float64
	DoF      float64
}

// Welch is the difference of two means with unequal variances (Welch 1947).
// With fewer than two units in an arm, or no variance, its error is NaN or zero
// and every interval made of it is (−Inf, +Inf). Means that are NaN give NaN.
func Welch(treatment, control Moments) Estimate {
	vT, vC := treatment.squaredError(), control.squaredError()
	return Estimate{
		Value:    treatment.Mean - control.Mean,
		StdError: math.Sqrt(vT + vC),
		DoF:      welchDoF(vT+vC, vT*vT/float64(treatment.N-1)+vC*vC/float64(control.N-1)),
	}
}

// welchDoF is v²/spread. Where a square underflows it is 1, which is the least that two
// units in each arm can have and claims least.
func welchDoF(v, spread float64) float64 {
	if dof := v * v / spread; !(v > 0) || dof >= 1 {
		return dof
	}
	return 1
}

// WelchDelta is the relative effect (m_T−m_C)/|m_C| by the delta method, with
// variance v_T/m_C² + v_C·m_T²/m_C⁴ and the degrees of freedom of Welch. It is
// here to compare with platforms that use it: its interval is lopsided and can
// disagree with the absolute test (Deng, Knoblich & Lu 2018). Results of this package
// use FiellerLift. NaN for a control mean of zero.
func WelchDelta(treatment, control Moments) Estimate {
	e := Welch(treatment, control)
	ratio := treatment.Mean / control.Mean
	return Estimate{
		Value:    relativeTo(e.Value, control.Mean),
		StdError: math.Sqrt(treatment.squaredError()+control.squaredError()*ratio*ratio) / math.Abs(control.Mean),
		DoF:      e.DoF,
	}
}

// usable reports whether the estimate has a standard error to stand on.
func (e Estimate) usable() bool {
	return e.StdError > 0 && !math.IsInf(e.StdError, 1) && !math.IsNaN(e.Value) && !math.IsInf(e.Value, 0) && e.DoF > 0
}

// Student is the two-sided t interval and test of zero: Value ± t·StdError and
// P(|T| ≥ |Value/StdError|) at DoF degrees of freedom (Student 1908). Like the other
// intervals of an Estimate it claims nothing, (−Inf, +Inf) and p = 1, without a finite
// value, a finite error above 0 and degrees of freedom above 0 (a NaN value stays one); an
// alpha outside (0, 1) leaves the interval without ends.
func (e Estimate) Student(alpha float64) Effect {
	effect, _ := e.student(alpha)
	return effect
}

// student is Student with the critical value, whose distribution is set up once.
func (e Estimate) student(alpha float64) (Effect, float64) {
	if !e.usable() {
		return e.unknown(), math.Inf(1)
	}
	t := newStudent(e.DoF)
	critical := t.critical(alpha / 2)
	return e.effect(critical, t.twoSided(e.Value/e.StdError)), critical
}

// AlwaysValid is the two-sided mixture interval and test of zero, with
// information a = n·ρ²: Value ± MixtureRadius·StdError and MixtureP (Robbins 1970). It
// claims nothing where Student does not, and without information; a value that is NaN
// stays one.
func (e Estimate) AlwaysValid(a, alpha float64) Effect {
	effect, _ := e.alwaysValid(a, doubleLog(alpha))
	return effect
}

// alwaysValid is AlwaysValid with the critical value, from l = doubleLog(alpha).
func (e Estimate) alwaysValid(a, l float64) (Effect, float64) {
	if !e.usable() {
		return e.unknown(), math.Inf(1)
	}
	log1pA := math.Log1p(a)
	critical := mixtureRadius(a, log1pA, l)
	return e.effect(critical, min(1, math.Exp(-mixtureLogE(a, log1pA, e.Value/e.StdError)))), critical
}

// StudentAbove is the one-sided t test of "the effect is at most null", with
// its lower bound (Student 1908). For the other direction test the Negated estimate.
// Where there is nothing to claim, or null is NaN, the bound is −Inf and p is 1.
func (e Estimate) StudentAbove(null, alpha float64) Effect {
	if !e.usable() {
		return e.unknown()
	}
	z := (e.Value - null) / e.StdError
	if math.IsNaN(z) {
		return e.unknown()
	}
	return e.above(studentCritical(alpha, e.DoF), studentUpper(z, e.DoF))
}

// AlwaysValidAbove is the one-sided mixture test of "the effect is at most
// null", with its lower bound: MixturePOneSided and MixtureRadiusOneSided. Where there is
// nothing to claim, or null is NaN, the bound is −Inf and p is 1.
func (e Estimate) AlwaysValidAbove(null, a, alpha float64) Effect {
	if !e.usable() {
		return e.unknown()
	}
	z := (e.Value - null) / e.StdError
	return e.above(MixtureRadiusOneSided(a, alpha), MixturePOneSided(a, z))
}

// Negated turns the direction round; NaN stays.
func (e Estimate) Negated() Estimate { return Estimate{-e.Value, e.StdError, e.DoF} }

func (e Estimate) effect(critical, p float64) Effect {
	half := critical * e.StdError
	if math.IsNaN(half) || math.IsNaN(p) {
		return e.unknown()
	}
	return Effect{Estimate: e.Value, Interval: Interval{e.Value - half, e.Value + half}, StdError: e.StdError, P: p}
}

func (e Estimate) above(critical, p float64) Effect {
	low := e.Value - critical*e.StdError
	if math.IsNaN(low) || math.IsNaN(p) {
		return e.unknown()
	}
	return Effect{Estimate: e.Value, Interval: Interval{low, math.Inf(1)}, StdError: e.StdError, P: p}
}

// unknown claims nothing but the point estimate.
func (e Estimate) unknown() Effect {
	return Effect{Estimate: e.Value, Interval: everything(), StdError: e.StdError, P: 1}
}

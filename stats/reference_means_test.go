package stats

import (
	"math"
)

// meanMethods are differences of means at a fixed number of units.
func meanMethods() map[string]answers {
	return map[string]answers{
		"two-sided Welch t (delta method for relative)":                                                                  welchAnswers,
		"one-sided Welch t":                                                                                              welchOneSided,
		"non-inferiority one-sided Welch t against relative margin test_value":                                           welchOneSided,
		"degenerate inputs: error output":                                                                                degenerate,
		"Welch t-test from raw values":                                                                                   welchRaw,
		"Welch t from summary statistics":                                                                                welchSummary,
		"Welch t on means from sums (same data as gb_welch_mean_gbtest_abs)":                                             welchSums,
		"Student (pooled) t-test from raw values":                                                                        studentPooled,
		"equivalence (TOST) Welch; r1 = lower-margin (non-inferiority) test, r2 = upper":                                 tost,
		"Fieller CI for relative lift from independent arm means (vt, vc = squared standard errors)":                     fiellerMeans,
		"Fieller CI for the ratio of means (pooled variance)":                                                            fiellerPooled,
		"Fieller-type CI for the ratio of means, unequal variances with plug-in dof (Tamhane & Logan)":                   fiellerPlugIn,
		"non-inferiority z-test with margin relative to the control mean (Spotify NIM): H0: diff = -/+ nim*mean_control": fixedMarginZ,
	}
}

// share gives a proportion the variance p(1−p) that other platforms use, where
// the moments of zeros and ones have n/(n−1) times that.
func share(successes, n float64) Moments {
	p := successes / n
	return Moments{N: int64(n), Mean: p, M2: p * (1 - p) * (n - 1)}
}

func welchAnswers(in inputs) map[string]any {
	e, a := estimateOf(in)
	effect := e.Student(in.num("alpha"))
	return map[string]any{
		"point_estimate": effect.Estimate, "ci": effect.Interval, "p_value": effect.P,
		"std_error": effect.StdError, "dof": e.DoF, "error": nil,
		"treatment_mean": a.baselineT, "control_mean": a.baselineC, "theta": a.theta,
		"treatment_var": a.treatment.Variance(), "control_var": a.control.Variance(),
	}
}

// oneSided turns "lesser" round so that only "greater" needs computing.
func oneSided(alternative string, e Estimate, null float64, test func(e Estimate, null float64) Effect) map[string]any {
	if alternative == "greater" {
		effect := test(e, null)
		return map[string]any{"point_estimate": e.Value, "ci": effect.Interval, "p_value": effect.P}
	}
	effect := test(e.Negated(), -null)
	return map[string]any{"point_estimate": e.Value, "ci": Interval{-effect.High, -effect.Low}, "p_value": effect.P}
}

func welchOneSided(in inputs) map[string]any {
	e, _ := estimateOf(in)
	null := 0.0
	if in.has("test_value") {
		null = in.num("test_value")
	}
	return oneSided(in.text("alternative"), e, null, func(e Estimate, null float64) Effect {
		return e.StudentAbove(null, in.num("alpha"))
	})
}

// degenerate expects that nothing is claimed. The reference marks that by the
// interval [0, 0], this package by the infinite one: both are "no interval".
func degenerate(in inputs) map[string]any {
	e, _ := estimateOf(in)
	effect := e.Student(0.05)
	out := map[string]any{"ci": effect.Interval, "p_value": effect.P, "error": nil}
	if math.IsInf(effect.Low, -1) && math.IsInf(effect.High, 1) {
		out["ci"], out["error"] = Interval{}, "ZERO_NEGATIVE_VARIANCE"
	}
	return out
}

func rawArms(in inputs) (treatment, control Moments) {
	return momentsOf(in.nums("treatment")), momentsOf(in.nums("control"))
}

func welchRaw(in inputs) map[string]any {
	treatment, control := rawArms(in)
	e := Welch(treatment, control)
	effect := e.Student(in.num("alpha"))
	return map[string]any{
		"t": e.Value / e.StdError, "p_value": effect.P, "dof": e.DoF, "ci": effect.Interval,
		"mean_treatment": treatment.Mean, "mean_control": control.Mean,
		"var_treatment": treatment.Variance(), "var_control": control.Variance(),
	}
}

func welchSummary(in inputs) map[string]any {
	arm := func(in inputs) Moments {
		return Moments{N: int64(in.num("n")), Mean: in.num("mean"), M2: in.num("sd") * in.num("sd") * (in.num("n") - 1)}
	}
	e := Welch(arm(in.sub("treatment")), arm(in.sub("control")))
	return map[string]any{"t": e.Value / e.StdError, "p_value": e.Student(0.05).P}
}

func welchSums(in inputs) map[string]any {
	arm := func(in inputs) Moments {
		n, s := in.num("n"), in.num("sum")
		return Moments{N: int64(n), Mean: s / n, M2: in.num("sum_squares") - s*s/n}
	}
	effect := Welch(arm(in.sub("treatment")), arm(in.sub("control"))).Student(in.num("alpha"))
	return map[string]any{"difference": effect.Estimate, "p_value": effect.P, "ci": effect.Interval}
}

// pooled is Student's estimate: one variance for both arms.
func pooled(treatment, control Moments) Estimate {
	dof := float64(treatment.N + control.N - 2)
	variance := (treatment.M2 + control.M2) / dof
	return Estimate{
		Value:    treatment.Mean - control.Mean,
		StdError: math.Sqrt(variance * (1/float64(treatment.N) + 1/float64(control.N))),
		DoF:      dof,
	}
}

func studentPooled(in inputs) map[string]any {
	e := pooled(rawArms(in))
	effect := e.Student(in.num("alpha"))
	return map[string]any{"t": e.Value / e.StdError, "p_value": effect.P, "dof": e.DoF, "ci": effect.Interval}
}

func tost(in inputs) map[string]any {
	e := Welch(rawArms(in))
	lower := e.StudentAbove(in.num("low"), 0.05)
	upper := e.Negated().StudentAbove(-in.num("upp"), 0.05)
	return map[string]any{
		"p_value": math.Max(lower.P, upper.P), "dof": e.DoF,
		"lower_t": (e.Value - in.num("low")) / e.StdError, "lower_p": lower.P,
		"upper_t": (e.Value - in.num("upp")) / e.StdError, "upper_p": upper.P,
	}
}

// coarseStudent is the quantile that the Fieller cases were computed with. SciPy
// 1.10 searches it to 1e-8 and starts from the Cornish–Fisher expansion
// (Abramowitz & Stegun 26.7.5), so an expansion within 1e-8 is returned as it
// stands: at 50 degrees of freedom 2.0085591097 instead of 2.0085591121. The
// cases' own tolerance is finer than that.
func coarseStudent(tail, nu float64) float64 {
	exact := studentCritical(tail, nu)
	x := studentCritical(tail, math.Inf(1))
	x2 := x * x
	expansion := x + x*((x2+1)/(4*nu)+
		((5*x2+16)*x2+3)/(96*nu*nu)+
		(((3*x2+19)*x2+17)*x2-15)/(384*math.Pow(nu, 3))+
		((((79*x2+776)*x2+1482)*x2-1920)*x2-945)/(92160*math.Pow(nu, 4)))
	if math.Abs(expansion-exact) <= 0.5e-8*exact {
		return expansion
	}
	return exact
}

func fiellerMeans(in inputs) map[string]any {
	critical := coarseStudent(in.num("alpha")/2, in.num("dof"))
	lift, bounded := FiellerLift(in.num("mean_t"), in.num("se2_t"), in.num("mean_c"), in.num("se2_c"), critical)
	return map[string]any{
		"bounded": bounded, "lift_ci": lift,
		"g": FiellerG(in.num("mean_c"), in.num("se2_c"), critical),
	}
}

// ratioAnswers are those of a test of mean_T/mean_C = null.
func ratioAnswers(in inputs, treatment, control Moments, vT, vC, dof, dofInterval float64) map[string]any {
	null := in.num("ratio_null")
	z := (treatment.Mean - null*control.Mean) / math.Sqrt(vT+null*null*vC)
	lift, _ := FiellerLift(treatment.Mean, vT, control.Mean, vC, studentCritical(in.num("alpha")/2, dofInterval))
	return map[string]any{
		"estimate": []float64{treatment.Mean, control.Mean, treatment.Mean / control.Mean},
		"ci":       Interval{lift.Low + 1, lift.High + 1}, "statistic": z, "dof": dof,
		"p_value": studentTwoSided(z, dof),
	}
}

func fiellerPooled(in inputs) map[string]any {
	treatment, control := rawArms(in)
	dof := float64(treatment.N + control.N - 2)
	variance := (treatment.M2 + control.M2) / dof
	return ratioAnswers(in, treatment, control, variance/float64(treatment.N), variance/float64(control.N), dof, dof)
}

// fiellerPlugIn uses Welch's degrees of freedom of the linear form: at the null
// for the test, at the estimated ratio for the interval.
func fiellerPlugIn(in inputs) map[string]any {
	treatment, control := rawArms(in)
	vT, vC := treatment.squaredError(), control.squaredError()
	dof := func(r float64) float64 {
		v := vT + r*r*vC
		return v * v / (vT*vT/float64(treatment.N-1) + math.Pow(r, 4)*vC*vC/float64(control.N-1))
	}
	return ratioAnswers(in, treatment, control, vT, vC, dof(in.num("ratio_null")), dof(treatment.Mean/control.Mean))
}

// fixedMarginZ holds the control mean inside the margin for known, as the
// reference does; TestNonInferior carries its variance.
func fixedMarginZ(in inputs) map[string]any {
	arm := func(in inputs) Moments { return share(in.num("sum"), in.num("n")) }
	treatment, control := arm(in.sub("treatment")), arm(in.sub("control"))
	e := Welch(treatment, control)
	e.DoF = math.Inf(1)
	sign := 1.0
	if in.text("preference") == "increase" {
		sign = -1
	}
	null := sign * in.num("nim") * control.Mean
	out := map[string]any{"difference": e.Value, "null_hypothesis": null}
	alternative := map[float64]string{-1: "greater", 1: "lesser"}[sign]
	got := oneSided(alternative, e, null, func(e Estimate, null float64) Effect { return e.StudentAbove(null, in.num("alpha")) })
	out["p_value"] = got["p_value"]
	out["ci_lower"], out["ci_upper"] = got["ci"].(Interval).Low, got["ci"].(Interval).High
	return out
}

package stats

import (
	"math"
	"slices"
)

// familyMethods are corrections for many tests, and tests of proportions.
func familyMethods() map[string]answers {
	methods := map[string]answers{
		"BH adjusted p-values (scipy.false_discovery_control)":                                                                          adjusted(BenjaminiHochberg),
		"e-BH: reject the k* largest e-values, k*=max{k: e_[k] >= m/(k alpha)}":                                                         ebh,
		"z-test on proportions, 2 comparisons, Bonferroni":                                                                              manyArms,
		"z-test with multiple-testing correction":                                                                                       manyArms,
		"proportion confidence interval: Wilson score":                                                                                  wilson,
		"two-sample proportion diff CI and test, method newcomb":                                                                        newcombe,
		"two-sample proportion diff CI and test, method wald":                                                                           waldDifference,
		"two-sample proportion diff CI and test, method score (Miettinen-Nurminen)":                                                     scoreDifference,
		"two-sample proportion ratio CI and test, method score (Miettinen-Nurminen)":                                                    scoreRatio,
		"Miettinen-Nurminen score CI, RD (n/(n-1) correction, no skewness)":                                                             scoreBounds(ScoreDifference),
		"Miettinen-Nurminen score CI, RR (n/(n-1) correction, no skewness)":                                                             scoreBounds(ScoreRatio),
		"non-inferiority score test of a risk difference against a margin (Farrington-Manning constrained MLE with n/(n-1) correction)": scoreMargin,
	}
	for name, c := range correctionNames() {
		methods["multiple testing adjusted p-values: "+name] = adjusted(c)
	}
	return methods
}

// correctionNames are those of statsmodels.
func correctionNames() map[string]Correction {
	return map[string]Correction{
		"bonferroni": Bonferroni, "sidak": Sidak, "holm": Holm, "holm-sidak": HolmSidak,
		"simes-hochberg": Hochberg, "hommel": Hommel, "fdr_bh": BenjaminiHochberg, "fdr_by": BenjaminiYekutieli,
	}
}

func adjusted(c Correction) answers {
	return func(in inputs) map[string]any {
		p := c.Adjust(in.nums("p_values"))
		out := map[string]any{"adjusted": p}
		if in.has("alpha") {
			var reject []bool
			for _, x := range p {
				reject = append(reject, x <= in.num("alpha"))
			}
			out["reject"] = reject
		}
		return out
	}
}

func ebh(in inputs) map[string]any {
	rejected := EBH(in.nums("e_values"), in.num("alpha"))
	k := 0
	for _, r := range rejected {
		if r {
			k++
		}
	}
	return map[string]any{"k": k, "reject": rejected}
}

// manyArms compares several treatments with one control by z-tests.
func manyArms(in inputs) map[string]any {
	of := func(in inputs) Moments { return share(in.num("sum"), in.num("n")) }
	control, alpha := of(in.sub("control")), in.num("alpha")
	m := float64(len(in.subs("treatments")))
	out := map[string][]float64{}
	add := func(name string, x float64) { out[name] = append(out[name], x) }
	for _, t := range in.subs("treatments") {
		e := Welch(of(t), control)
		e.DoF = math.Inf(1)
		plain, wide := e.Student(alpha), e.Student(alpha/m)
		add("difference", e.Value)
		add("p_value", plain.P)
		add("ci_lower", plain.Low)
		add("ci_upper", plain.High)
		add("adjusted_ci_lower", wide.Low)
		add("adjusted_ci_upper", wide.High)
	}
	out["adjusted_p"] = correctionNames()[in.text("correction")].Adjust(out["p_value"])
	got := map[string]any{}
	for name, xs := range out {
		got[name] = slices.Clone(xs)
	}
	return got
}

func shareOf(in inputs) Share {
	return Share{int64(in.num("count")), int64(in.num("n"))}
}

func shares(in inputs) (treatment, control Share) {
	return shareOf(in.sub("treatment")), shareOf(in.sub("control"))
}

func wilson(in inputs) map[string]any {
	return map[string]any{"ci": shareOf(in).Wilson(in.num("alpha"))}
}

func newcombe(in inputs) map[string]any {
	t, c := shares(in)
	return map[string]any{"ci": NewcombeDifference(t, c, in.num("alpha"))}
}

// waldDifference is Welch's difference with a known error.
func waldDifference(in inputs) map[string]any {
	t, c := shares(in)
	of := func(s Share) Moments { return share(float64(s.Successes), float64(s.Units)) }
	e := Welch(of(t), of(c))
	e.DoF = math.Inf(1)
	effect := e.Student(in.num("alpha"))
	return map[string]any{"ci": effect.Interval, "statistic": e.Value / e.StdError, "p_value": effect.P}
}

func scoreDifference(in inputs) map[string]any {
	t, c := shares(in)
	z := DifferenceScore(t, c, 0)
	return map[string]any{
		"statistic": z, "p_value": studentTwoSided(z, math.Inf(1)), "ci": ScoreDifference(t, c, in.num("alpha")),
	}
}

func scoreRatio(in inputs) map[string]any {
	t, c := shares(in)
	z := RatioScore(t, c, 1)
	return map[string]any{
		"statistic": z, "p_value": studentTwoSided(z, math.Inf(1)), "ci": ScoreRatio(t, c, in.num("alpha")),
	}
}

func scoreBounds(f func(t, c Share, alpha float64) Interval) answers {
	return func(in inputs) map[string]any {
		t, c := shares(in)
		bounds := f(t, c, in.num("alpha"))
		return map[string]any{"lower": bounds.Low, "upper": bounds.High}
	}
}

func scoreMargin(in inputs) map[string]any {
	t, c := shares(in)
	z := DifferenceScore(t, c, in.num("margin"))
	return map[string]any{"z": z, "p_right": studentUpper(z, math.Inf(1)), "p_left": studentUpper(-z, math.Inf(1))}
}

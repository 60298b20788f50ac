package stats

import (
	"math"
	"slices"
	"strings"

	"github.com/assay-dev/assay/stats/yardstick"
)

// adjustMethods are covariate adjustment, segments and drift.
func adjustMethods() map[string]answers {
	return map[string]answers{
		"regression-adjusted treatment effect (OLS on centred covariates; lin = fully interacted) with robust SE": regressionCase,
		"regression-adjusted z-test (pooled slope, 1/n variances)":                                                pooledSlopeCase,
		"anytime-valid regression-adjusted t-test (Lindon et al.)":                                                anytimeCase,
		"g minimising the CI width at n":                                                                          optimalGCase,
		"heterogeneity across segments: Cochran Q, I2, DerSimonian-Laird tau2, fixed and random effect":           segmentsCase,
		"meta-analysis of segment effects (Q test, DL and REML)":                                                  segmentsCase,
		"post-stratified mean difference (algorithm in GrowthBook post-stratification docs)":                      postStratifiedCase,
		"Page-Hinkley change detector: indices of detections":                                                     pageHinkleyCase,
		"ADWIN change detector: indices of detections, final width and mean":                                      adwinCase,
	}
}

func regressionCase(in inputs) map[string]any {
	x, slopes := covariatesOf(in)
	r := RegressEffect(in.nums("y"), treatedOf(in), x, slopes)
	out := map[string]any{"effect": r.Coefficients[1], "params": r.Coefficients}
	for _, e := range []Errors{Classic, HC0, HC1, HC2, HC3} {
		name := strings.Replace("se_"+string(e), "classic", "nonrobust", 1)
		out[name] = r.Coefficient(1, e).StdError
	}
	return out
}

// covariatesOf reads which covariates a model's name asks for, and whether it has
// interactions.
func covariatesOf(in inputs) ([][]float64, Interact) {
	model := "ancova"
	if in.has("model") {
		model = strings.ToLower(in.text("model"))
	}
	switch {
	case strings.HasPrefix(model, "un") || model == "none" || model == "plain":
		return nil, SharedSlopes
	case strings.Contains(model, "2") || strings.Contains(model, "two") || strings.Contains(model, "multi"):
		return [][]float64{in.nums("x"), in.nums("x2")}, Interact(strings.Contains(model, "lin") || strings.Contains(model, "interact"))
	default:
		return [][]float64{in.nums("x")}, Interact(strings.Contains(model, "lin") || strings.Contains(model, "interact"))
	}
}

func treatedOf(in inputs) []bool {
	var out []bool
	for _, t := range in.nums("treatment") {
		out = append(out, t != 0)
	}
	return out
}

func anytimeCase(in inputs) map[string]any {
	y := in.nums("y")
	var x [][]float64
	for _, name := range []string{"x", "x2"} {
		if in.has(name) {
			x = append(x, in.nums(name))
		}
	}
	errors := Classic
	if in.has("vcov") && in.text("vcov") != "const" {
		errors = Errors(in.text("vcov"))
	}
	e := RegressEffect(y, treatedOf(in), x, SharedSlopes).Coefficient(1, errors)
	result := e.AnytimeStudent(len(y), in.num("g"), in.num("alpha"))
	return map[string]any{
		"estimate": result.Estimate, "se": result.StdError, "t": e.Value / e.StdError,
		"p_value": result.P, "ci": result.Interval,
	}
}

func segmentsCase(in inputs) map[string]any {
	var effects []Estimate
	variances := in.nums("variances")
	for i, v := range in.nums("effects") {
		effects = append(effects, Estimate{v, math.Sqrt(variances[i]), math.Inf(1)})
	}
	h := Heterogeneous(effects)
	return map[string]any{
		"Q": h.Q, "p_value": h.P, "Qp": h.P, "df": h.DoF, "I2": h.I2, "tau2": h.Tau2, "tau2_dl": h.Tau2,
		"fixed": h.Fixed.Value, "fixed_se": h.Fixed.StdError,
		"random": h.Random.Value, "random_se": h.Random.StdError,
		"random_dl": h.Random.Value, "random_dl_se": h.Random.StdError,
		"tau2_reml": Tau2REML(effects),
	}
}

func pooledSlopeCase(in inputs) map[string]any {
	rows := in.subs("rows")
	control := max(slices.IndexFunc(rows, func(r inputs) bool { return r.text("variation") == "control" }), 0)
	treatment := 1 - min(control, 1)
	t := yardstick.PooledSlope(pooledSums(rows[treatment]), pooledSums(rows[control]), in.num("alpha"))
	return map[string]any{"difference": t.Difference, "p_value": t.P, "ci": Interval{t.Low, t.High}}
}

func pooledSums(r inputs) yardstick.Sums {
	return yardstick.Sums{
		N: r.num("n"), Y: r.num("s"), YY: r.num("ss"),
		X: []float64{r.num("f")}, XX: [][]float64{{r.num("fss")}}, XY: []float64{r.num("fx")},
	}
}

func postStratifiedCase(in inputs) map[string]any {
	cell := func(arm inputs) yardstick.Cell {
		m := meanArm(arm)
		if in.has("metric_type") && in.text("metric_type") == "proportion" {
			m = share(arm.num("s"), arm.num("n"))
		}
		return yardstick.Cell{N: float64(m.N), Mean: m.Mean, Variance: m.Variance()}
	}
	var layers []yardstick.Layer
	for _, s := range in.subs("strata") {
		layers = append(layers, yardstick.Layer{Treatment: cell(s.sub("treatment")), Control: cell(s.sub("control"))})
	}
	effect, se := yardstick.PostStratified(layers, in.text("difference_type") == "relative")
	return map[string]any{"point_estimate": effect, "std_error": se, "error": nil}
}

func pageHinkleyCase(in inputs) map[string]any {
	p := yardstick.PageHinkley{
		MinUnits: int(in.num("min_instances")), Slack: in.num("delta"), Threshold: in.num("threshold"), Forget: in.num("alpha"),
	}
	return map[string]any{"detections": detections(in, p.Add)}
}

func adwinCase(in inputs) map[string]any {
	a := yardstick.Adwin{Delta: in.num("delta")}
	found := detections(in, a.Add)
	return map[string]any{"detections": found, "final_width": a.Width(), "final_mean": a.Mean()}
}

// detections are the places, from 0, of the values at which a detector fires.
func detections(in inputs, add func(float64) bool) []float64 {
	out := []float64{}
	for i, x := range in.nums("x") {
		if add(x) {
			out = append(out, float64(i))
		}
	}
	return out
}

func optimalGCase(in inputs) map[string]any {
	return map[string]any{"g": OptimalG(int(in.num("n")), int(in.num("number_of_coefficients")), in.num("alpha"))}
}

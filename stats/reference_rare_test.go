package stats

import (
	"math"

	"github.com/assay-dev/assay/stats/yardstick"
)

// rareMethods are the sequential ones that need no normal approximation.
func rareMethods() map[string]answers {
	return map[string]answers{
		"sequential comparison of two counting processes (conversions or events) by conditioning on the arm of each event: Beta(k rho) mixture e-value, p-value, and confidence sequence for the log rate ratio": twoStreams,
		"Bernoulli confidence sequence (beta-binomial mixture)":                                                                           bernoulliSequence,
		"two-proportion safe e-value (Turner, Ly, Grunwald), blocks of 1+1, Beta(0.18,0.18) priors":                                       safeTest,
		"two-proportion safe e-value, blocks of 10+10":                                                                                    safeTest,
		"beta-binomial mixture boundary (sub-Bernoulli)":                                                                                  betaBinomial,
		"gamma-Poisson mixture boundary (c=1)":                                                                                            gammaPoisson,
		"gamma-exponential mixture boundary (c=1)":                                                                                        gammaExponential,
		"polynomial stitching boundary":                                                                                                   stitching,
		"conjugate-mixture empirical Bernstein CS (gamma-exponential)":                                                                    conjugateBernstein,
		"predictable-mixture Hoeffding CS":                                                                                                predictableHoeffding,
		"predictable-mixture empirical Bernstein CS for bounded means":                                                                    predictableBernstein,
		"hedged capital (betting) CS, default predictable plug-in bets, grid 1/1000":                                                      hedgedSequence,
		"hedged capital process max(K+/2,K-/2) at a null mean m":                                                                          hedgedWealth,
		"hedged capital process on Bernoulli data at null m":                                                                              hedgedWealth,
		"quantile confidence sequence: double stitching bound (on counts)":                                                                doubleStitching,
		"empirical process LIL bound (sup-norm CDF band)":                                                                                 empiricalBand,
		"sequential two-sample quantile test p-value (Howard & Ramdas)":                                                                   quantileTest,
		"mSPRT likelihood ratio, Bernoulli with plug-in variance, burn-in 100":                                                            msprtBernoulli,
		"mSPRT mixture variance tau^2/sigma^2 for truncation M and a unit-variance effect prior (Johari et al. 2017 thm; b with sigma=1)": msprtVariance,
		"Statsig mSPRT critical value (documented formula)":                                                                               statsigCritical,
		"Wald SPRT thresholds and approximate average sample number (normal mean, known sd)":                                              sprtNormal,
		"Wald SPRT ASN, Bernoulli p0 vs p1":                                                                                               sprtBernoulli,
	}
}

// twoStreams: the plan's δ is the one that gives the case's concentration k.
func twoStreams(in inputs) map[string]any {
	share := in.num("rho1")
	out := CompareCounts(
		[]CountPhase{{Treatment: int64(in.num("s1")), Control: int64(in.num("s0")), Share: share}},
		CountPlan{Alpha: in.num("alpha"), Ratio: 1 / math.Sqrt(share*(1-share)*in.num("k"))})
	odds := math.Log(share / (1 - share))
	p := func(logRatio float64) float64 { return 1 / (1 + math.Exp(-odds-logRatio)) }
	return map[string]any{
		"log_e": out.LogE, "p_value": out.P, "log_ratio": out.LogRatio,
		"log_ratio_ci": out.Interval, "p_ci": Interval{p(out.Low), p(out.High)},
	}
}

func bernoulliSequence(in inputs) map[string]any {
	s := Share{int64(in.num("successes")), int64(in.num("n"))}
	return map[string]any{"ci": s.Sequence(in.num("alpha"), in.num("t_opt"), in.num("alpha_opt"))}
}

func safeTest(in inputs) map[string]any {
	test := yardstick.SafeTest{NA: int64(in.num("na")), NB: int64(in.num("nb")), Prior: [4]float64(in.nums("prior_beta"))}
	return map[string]any{"e_value": math.Exp(test.LogE(in.counts("ya"), in.counts("yb")))}
}

func betaBinomial(in inputs) map[string]any {
	m := yardstick.NewBetaBinomial(in.num("v_opt"), in.num("alpha_opt"), in.num("g"), in.num("h"), in.flag("is_one_sided"))
	return map[string]any{"bound": m.Boundary(in.num("v"), in.num("alpha"))}
}

func gammaPoisson(in inputs) map[string]any {
	m := yardstick.NewGammaPoisson(in.num("v_opt"), in.num("alpha_opt"), in.num("c"))
	return map[string]any{"bound": m.Boundary(in.num("v"), in.num("alpha"))}
}

func gammaExponential(in inputs) map[string]any {
	m := yardstick.NewGammaExponential(in.num("v_opt"), in.num("alpha_opt"), in.num("c"))
	return map[string]any{"bound": m.Boundary(in.num("v"), in.num("alpha"))}
}

func stitching(in inputs) map[string]any {
	s := yardstick.Stitching{VMin: in.num("v_min"), C: in.num("c"), S: in.num("s"), Eta: in.num("eta")}
	return map[string]any{"bound": s.Boundary(in.num("v"), in.num("alpha"))}
}

// bounds splits a sequence as the cases do.
func bounds(in inputs, sequence []yardstick.Bounds) map[string]any {
	var lower, upper []float64
	for _, b := range at(sequence, in.nums("at")) {
		lower, upper = append(lower, b.Low), append(upper, b.High)
	}
	return map[string]any{"lower": lower, "upper": upper}
}

// conjugateBernstein: the reference halves alpha twice, so it spends half of what
// it says.
func conjugateBernstein(in inputs) map[string]any {
	return bounds(in, yardstick.ConjugateBernstein(in.nums("x"), in.num("v_opt"), in.num("alpha")/2))
}

func predictableHoeffding(in inputs) map[string]any {
	return bounds(in, yardstick.PredictableHoeffding(in.nums("x"), in.num("alpha")))
}

func predictableBernstein(in inputs) map[string]any {
	return bounds(in, yardstick.PredictableBernstein(in.nums("x"), in.num("alpha"), in.num("truncation")))
}

func betting(in inputs) yardstick.Betting {
	return yardstick.Betting{Alpha: in.num("alpha"), Theta: in.num("theta"), Truncation: in.num("trunc_scale")}
}

func hedgedSequence(in inputs) map[string]any {
	return bounds(in, betting(in).Sequence(in.nums("x"), int(in.num("breaks"))))
}

func hedgedWealth(in inputs) map[string]any {
	return map[string]any{"wealth": at(betting(in).Wealth(in.nums("x"), in.num("m")), in.nums("at"))}
}

func doubleStitching(in inputs) map[string]any {
	d := yardstick.DoubleStitching{TOpt: in.num("t_opt"), Delta: in.num("delta"), S: in.num("s"), Eta: in.num("eta")}
	return map[string]any{"bound": d.Boundary(in.num("quantile_p"), in.num("t"), in.num("alpha"))}
}

func empiricalBand(in inputs) map[string]any {
	return map[string]any{"bound": yardstick.EmpiricalBand(in.num("t"), in.num("alpha"), in.num("t_min"), in.num("A"))}
}

func quantileTest(in inputs) map[string]any {
	q := yardstick.QuantileTest{P: in.num("quantile_p"), TOpt: in.num("t_opt"), AlphaOpt: in.num("alpha_opt")}
	return map[string]any{"p_value": q.PValue(in.nums("a"), in.nums("b"))}
}

func msprtBernoulli(in inputs) map[string]any {
	lambda := yardstick.MSPRTBernoulli(in.nums("x"), in.nums("y"), in.num("tau"), in.num("theta"))
	return map[string]any{"lambda": at(lambda, in.nums("at")), "n_rejection": firstAbove(lambda, 1/in.num("alpha"))}
}

func msprtVariance(in inputs) map[string]any {
	b, tau2 := yardstick.MSPRTVariance(in.num("M"), in.num("alpha"), in.num("sigma"))
	return map[string]any{"b": b, "tau2": tau2}
}

func statsigCritical(in inputs) map[string]any {
	return map[string]any{"z_star": yardstick.StatsigCritical(
		in.num("n_t"), in.num("n_c"), in.num("var_t"), in.num("var_c"), in.num("alpha"))}
}

func sprtNormal(in inputs) map[string]any {
	s := yardstick.SPRT{Alpha: in.num("alpha"), Beta: in.num("beta")}
	lower, upper := s.Thresholds()
	h0, h1 := s.NormalASN(in.num("delta"), in.num("sd"))
	return map[string]any{"upper": upper, "lower": lower, "asn_h0": h0, "asn_h1": h1}
}

func sprtBernoulli(in inputs) map[string]any {
	h0, h1 := yardstick.SPRT{Alpha: in.num("alpha"), Beta: in.num("beta")}.BernoulliASN(in.num("p0"), in.num("p1"))
	return map[string]any{"asn_h0": h0, "asn_h1": h1}
}

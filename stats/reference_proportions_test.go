package stats

import "github.com/assay-dev/assay/stats/yardstick"

// proportionMethods are intervals and tests of shares that no result rests on.
func proportionMethods() map[string]answers {
	return map[string]answers{
		"proportion confidence interval: Wald":                                            shareInterval(yardstick.Share.Wald),
		"proportion confidence interval: Agresti-Coull":                                   shareInterval(yardstick.Share.AgrestiCoull),
		"proportion confidence interval: Clopper-Pearson":                                 shareInterval(yardstick.Share.ClopperPearson),
		"proportion confidence interval: Jeffreys":                                        shareInterval(yardstick.Share.Jeffreys),
		"exact binomial test (two-arm SRM)":                                               binomialCase,
		"exact conditional test of two Poisson rates":                                     ratesCase,
		"pooled two-proportion z-test (and chi-square)":                                   pooledZCase,
		"two-proportion chi-square without continuity correction":                         chiSquareCase,
		"two-sample proportion diff CI and test, method agresti-caffo":                    twoShares(yardstick.AgrestiCaffo),
		"two-sample proportion odds-ratio CI and test, method logit":                      twoShares(yardstick.OddsRatioLogit),
		"two-sample proportion odds-ratio CI and test, method score (Miettinen-Nurminen)": oddsScoreCase,
		"two-sample proportion ratio CI and test, method log":                             twoShares(ratioLog(0)),
		"two-sample proportion ratio CI and test, method log-adjusted":                    twoShares(ratioLog(0.5)),
	}
}

func yardShare(in inputs) yardstick.Share {
	return yardstick.Share{Successes: in.num("count"), Units: in.num("n")}
}

func levelOf(in inputs) float64 {
	if in.has("alpha") {
		return in.num("alpha")
	}
	return 0.05
}

func pairOf(i yardstick.Interval) []float64 { return []float64{i.Low, i.High} }

func shareInterval(method func(yardstick.Share, float64) yardstick.Interval) answers {
	return func(in inputs) map[string]any {
		return map[string]any{"ci": pairOf(method(yardShare(in), levelOf(in)))}
	}
}

func binomialCase(in inputs) map[string]any {
	s := yardstick.Share{Successes: in.num("k"), Units: in.num("n")}
	return map[string]any{"p_value": s.BinomialP(in.num("p")), "ci": pairOf(s.ClopperPearson(levelOf(in)))}
}

func ratesCase(in inputs) map[string]any {
	k, e := in.nums("k"), in.nums("exposure")
	ratio, interval, p := yardstick.Rates(k[0], e[0], k[1], e[1], levelOf(in))
	return map[string]any{"p_value": p, "ratio": ratio, "ci": pairOf(interval)}
}

func twoShares(method func(treatment, control yardstick.Share, alpha float64) yardstick.Compared) answers {
	return func(in inputs) map[string]any {
		c := method(yardShare(in.sub("treatment")), yardShare(in.sub("control")), levelOf(in))
		return map[string]any{"ci": pairOf(c.Interval), "statistic": c.Z, "p_value": c.P}
	}
}

func ratioLog(add float64) func(treatment, control yardstick.Share, alpha float64) yardstick.Compared {
	return func(t, c yardstick.Share, alpha float64) yardstick.Compared {
		return yardstick.RatioLog(t, c, add, alpha)
	}
}

func oddsScoreCase(in inputs) map[string]any {
	corrected := !in.has("correction") || in.flag("correction")
	return twoShares(func(t, c yardstick.Share, alpha float64) yardstick.Compared {
		return yardstick.OddsRatioScore(t, c, corrected, alpha)
	})(in)
}

func pooledZCase(in inputs) map[string]any {
	c := yardstick.PooledZ(yardShare(in.sub("treatment")), yardShare(in.sub("control")), levelOf(in))
	return map[string]any{"z": c.Z, "p_value": c.P, "chi2": c.Z * c.Z}
}

func chiSquareCase(in inputs) map[string]any {
	x, n := in.nums("x"), in.nums("n")
	c := yardstick.PooledZ(yardstick.Share{Successes: x[0], Units: n[0]}, yardstick.Share{Successes: x[1], Units: n[1]}, levelOf(in))
	return map[string]any{"chi2": c.Z * c.Z, "p_value": c.P, "ci_diff": pairOf(c.Interval)}
}

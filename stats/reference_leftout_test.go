package stats

// leftOut names the methods whose cases are not computed, and why.
var leftOut = map[string]string{
	"E-test for two Poisson rates":                    "later: rare events",
	"Fisher exact 2x2":                                "later: rare events",
	"exact binomial test (two-arm SRM)":               "later: intervals for proportions",
	"exact conditional test of two Poisson rates":     "later: rare events",
	"pooled two-proportion z-test (and chi-square)":   "later: intervals for proportions",
	"proportion confidence interval: Agresti-Coull":   "later: intervals for proportions",
	"proportion confidence interval: Clopper-Pearson": "later: intervals for proportions",
	"proportion confidence interval: Jeffreys":        "later: intervals for proportions",
	"proportion confidence interval: Wald":            "later: intervals for proportions",
	"ratio metric (mean per event, randomised by user): OLS cluster-robust SE (no small-sample correction) equals the delta method with 1/k variances": "later: ratio metrics",
	"two-proportion chi-square without continuity correction":                         "later: intervals for proportions",
	"two-sample KS and Mann-Whitney (fixed horizon)":                                  "later: quantiles",
	"two-sample proportion diff CI and test, method agresti-caffo":                    "later: intervals for proportions",
	"two-sample proportion odds-ratio CI and test, method logit":                      "later: intervals for proportions",
	"two-sample proportion odds-ratio CI and test, method score (Miettinen-Nurminen)": "later: intervals for proportions",
	"two-sample proportion ratio CI and test, method log":                             "later: intervals for proportions",
	"two-sample proportion ratio CI and test, method log-adjusted":                    "later: intervals for proportions",
	"winsorised mean and variance":                                                    "later: caps",
}

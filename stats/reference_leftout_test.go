package stats

// leftOut names the methods whose cases are not computed, and why.
var leftOut = map[string]string{
	"E-test for two Poisson rates": "events of one unit are not independent: rates are ratios with units as clusters, or units with an event",
	"Fisher exact 2x2":             "one look at a table: rare events are judged by the count test, small counts by score intervals",
	"ratio metric (mean per event, randomised by user): OLS cluster-robust SE (no small-sample correction) equals the delta method with 1/k variances": "the delta method with 1/(k−1), which other cases hold",
	"two-sample KS and Mann-Whitney (fixed horizon)": "they test whole distributions, which no metric is",
	"winsorised mean and variance":                   "a cap is a number fixed beforehand: a quantile of the same data is none",
}

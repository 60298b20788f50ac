// Package yardstick holds methods that no result of assay is made with. They are
// what other platforms and libraries use, kept to compare with: sequential tests
// (mixture SPRT with a plug-in variance, Statsig's critical value, Wald's SPRT),
// and confidence sequences that need every value in order and cannot be computed
// from moments (bounded means by betting or by predictable mixtures, quantiles,
// the safe 2×2 test of paired blocks), and intervals and tests of shares for one
// look.
//
// All of it is pure and nothing panics. In the sequential methods, values that no
// data can have and parameters outside their range claim nothing: a bound is
// infinite, an interval the whole range, an e-value has no weight.
package yardstick

// Package stats turns the moments of experiment arms into effects, intervals
// and decisions. It is pure: values in, values out, no clock and no I/O.
//
// The path through the package is always the same:
//
//	Moments → Stratum (one phase of a pair of arms) → Combine → Pair
//	Pair.Fixed, Pair.Sequential              intervals, absolute and relative
//	Pair.TestHarm, Pair.TestNonInferior      one-sided decisions against a Margin
//	Pair.Gate, SampleRatio                   may the numbers be believed?
//
// Beside it stand Estimate (any effect with a standard error), Joint (metrics
// made of several sums), Share (intervals for small counts) and Correction
// (families of tests).
//
// Doubts travel with the result as Warnings; no function returns an error and
// none lets a NaN pass unexplained. A result without basis has a NaN estimate,
// the interval (−Inf, +Inf), p = 1 and a warning that says why, so it can
// neither ship nor kill anything. docs/statistics.md has the formulas with
// their sources, the defaults and the measured error rates.
package stats

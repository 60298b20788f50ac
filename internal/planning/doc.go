// Package planning says what an experiment can find: how many units an effect
// needs, which effect the planned units find, with which power, and how many days
// that takes. For each metric of each arm it does so three times: for one look at
// the end, for looking always with the interval that holds at every look, and, if
// asked for, for a few dated looks. It is pure.
//
// The standard error of an effect falls with the square root of the units, so one
// number is enough for every metric kind: the standard deviation of one unit. It
// comes from the experiment's own moments (the standard error that `analyze` shows,
// with capped totals, ratios by the delta method and phases as they are) or
// from the reader.
package planning

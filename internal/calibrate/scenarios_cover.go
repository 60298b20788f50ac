package main

import (
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// covers are the scenarios of intervals around an effect.
func covers(f form) []scenario {
	value, converts := metric("value", experiment.Mean, 2), metric("converts", experiment.Proportion, 0)
	covered := f.simple(f.of(20_000, 4_000), equal(), converts, binary(byArm(.05, .06)))
	gate := gateOpen("converts")
	fixed := f.simple(2_000, equal(), value, normal(byArm(5, 5.2)))
	few := f.simple(2_000, equal(), converts, binary(byArm(.01, .01)))
	fixed.looks, few.looks = 2, 2
	return []scenario{
		{name: "coverage, binary 5 % against 6 %", about: "an effect of a point, 20 %", world: covered, figures: []figure{
			opens("converts"),
			rarely("interval, gate open", alpha, both(gate, misses("converts", .01))),
			rarely("relative interval, gate open", alpha, both(gate, missesRelative("converts", .2))),
			{name: "fixed interval at the end", stop: atLast(missesFixed("converts", .01)), bound: bound{near, alpha, .005}},
			{name: "fixed relative interval at the end", stop: atLast(missesFixedRelative("converts", .2)), bound: bound{near, alpha, .01}},
		}},
		{name: "coverage of one look, normal", about: "means of 5 and 5.2", world: fixed, figures: []figure{
			{name: "fixed interval", stop: atLast(missesFixed("value", .2)), bound: bound{near, alpha, .005}},
			{name: "fixed relative interval", stop: atLast(missesFixedRelative("value", .04)), bound: bound{near, alpha, .01}},
		}},
		{name: "coverage of one look, ten conversions an arm", about: "1 % of a thousand units; the intervals by the score", world: few, figures: []figure{
			{name: "Miettinen–Nurminen of the difference", stop: atLast(missesScore(0, false)), bound: bound{near, alpha, .01}},
			{name: "Miettinen–Nurminen of the lift", stop: atLast(missesScore(0, true)), bound: bound{near, alpha, .01}},
			{name: "Welch of the difference", stop: atLast(missesFixed("converts", 0)), bound: bound{Kind: shown}},
		}},
	}
}

// missesScore: the interval for small counts does not hold the truth, or is not there.
func missesScore(truth float64, relative bool) func(*look) bool {
	return func(l *look) bool {
		results.AddDetails(l.experiment, l.doc)
		c := l.comparison("converts", arms[1]).Matured.SmallCounts
		switch {
		case c == nil:
			return true
		case relative:
			return outside(c.Relative, truth)
		}
		return outside(c.Absolute, truth)
	}
}

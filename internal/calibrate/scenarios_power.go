package main

import (
	"fmt"
	"math"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// powerPlan is an effect in standard deviations and the units that find it with a
// probability of 0.8 in one look: 2·(1.96+0.8416)²/0.1² = 1570 in each arm. Power goes by
// effect·√units, so the short form has twice the effect and a quarter of the units.
func powerPlan(f form) (effect float64, units int) {
	return float64(f.of(10, 20)) / 100, f.of(3_140, 785)
}

// powerCase is a true effect, in that of the plan, and a number of units, in those of
// the plan, with what GAVI does at the looks of the scenario: how often it finds the
// effect, and the mean number of units until it stops ÷ the plan. A test holds the
// figures against the yardstick.
type powerCase struct {
	name         string
	effect       float64
	times        int
	found, units float64
}

func powerCases(f form) []powerCase {
	if f.short {
		return []powerCase{
			{"power at 1× the fixed plan", 1, 1, .501, .799},
			{"power at 2× the fixed plan", 1, 2, .865, 1.108},
			{"power at 3× the fixed plan", 1, 3, .974, 1.190},
			{"power with half the effect", .5, 1, .098, .962},
			{"power with twice the effect", 2, 1, .997, .337},
			{"no effect, at 1× the fixed plan", 0, 1, .014, .993},
		}
	}
	return []powerCase{ // with a look at every unit .547, .889 and .979 are found, after .77, 1.02 and 1.07
		{"power at 1× the fixed plan", 1, 1, .516, .787},
		{"power at 2× the fixed plan", 1, 2, .873, 1.071},
		{"power at 3× the fixed plan", 1, 3, .975, 1.141},
		{"power with half the effect", .5, 1, .106, .957},
		{"power with twice the effect", 2, 1, .997, .327},
		{"no effect, at 1× the fixed plan", 0, 1, .015, .993},
	}
}

// powers are the scenarios of how often and how soon an effect is found.
func powers(f form) []scenario {
	var out []scenario
	for _, c := range powerCases(f) {
		out = append(out, powerOf(f, c))
	}
	return out
}

func powerOf(f form, c powerCase) scenario {
	planned, plan := powerPlan(f)
	w, effect := c.world(f), c.effect*planned
	finds := func(l *look) bool { return l.comparison("value", arms[1]).Matured.Absolute.SequentialP.Float() < alpha }
	return scenario{
		name: c.name, world: w,
		about: fmt.Sprintf("an effect of %g; one look finds %g with probability 0.8 after %d units; %d looks; the targets are GAVI's at the same looks", effect, planned, plan, w.looks),
		figures: []figure{
			{name: "found", stop: finds, bound: bound{near, c.found, .01}},
			{name: "found by one look at the end", stop: atLast(missesFixed("value", 0)), bound: bound{Kind: shown}},
			{name: "mean units at the stop ÷ fixed plan", stop: finds, bound: bound{about, c.units, .02 * c.units},
				value: func(l *look) float64 { return float64(l.units) / float64(plan) }},
			watched("Wald's test of the planned effect against 0 decides for it", func(l *look) bool { return wald(l, planned) > 0 }),
			stoppingUnits("Wald: mean units at the stop ÷ fixed plan", plan, func(l *look) bool { return wald(l, planned) != 0 }),
			rarely("interval", alpha, misses("value", effect)),
			{name: "interval where it stopped", stop: finds, value: truth(misses("value", effect)), bound: bound{atMost, alpha, 0}},
			{name: "estimate − truth where it stopped", stop: finds, bound: bound{Kind: shown}, value: bias(effect)},
			{name: "|estimate − truth| where it stopped", stop: finds, bound: bound{Kind: shown}, value: func(l *look) float64 { return math.Abs(bias(effect)(l)) }},
			{name: "width of the interval ÷ of the one for one look, at the plan (median)", median: true, bound: bound{about, 1.55, .01},
				stop: func(l *look) bool { return l.units >= plan }, value: func(l *look) float64 {
					e := l.comparison("value", arms[1]).Matured.Absolute
					return (e.Sequential.High - e.Sequential.Low).Float() / (e.Fixed.High - e.Fixed.Low).Float()
				}},
		},
	}
}

func (c powerCase) world(f form) world {
	effect, plan := powerPlan(f)
	w := f.simple(plan*c.times, equal(), metric("value", experiment.Mean, 2), normal(byArm(0, c.effect*effect)))
	w.planned, w.looks, w.first, w.mirrored = int64(plan), f.of(200, 60), 50, nil
	w.enrol = 30 * time.Hour // so that hardly a unit at a look has not matured
	return w
}

func bias(truth float64) func(*look) float64 {
	return func(l *look) float64 { return l.comparison("value", arms[1]).Matured.Absolute.Estimate.Float() - truth }
}

// wald is Wald's test of an effect against none, at 0.025 and power 0.8: 1, −1, or 0
// while it goes on.
func wald(l *look, effect float64) int {
	e := l.comparison("value", arms[1]).Matured.Absolute
	se := e.StdError.Float()
	logRatio := (e.Estimate.Float() - effect/2) * effect / (se * se)
	switch {
	case logRatio >= math.Log(.8/.025):
		return 1
	case logRatio <= math.Log(.2/.975):
		return -1
	}
	return 0
}

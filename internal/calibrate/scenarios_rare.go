package main

import (
	"github.com/assay-dev/assay/internal/experiment"
)

// rare are the scenarios of guardrails that count units with an event, which need no
// gate: errors of so few units that the mean's gate stays shut for most of the run.
func rare(f form) []scenario {
	errors := metric("errors", experiment.Proportion, 0)
	world := func(phases [][]float64, control, treatment float64) world {
		w := f.simple(f.of(20_000, 8_000), phases, errors, binary(byArm(control, treatment)))
		w.method = experiment.ByCount
		return w
	}
	var out []scenario
	for _, s := range []struct {
		name   string
		phases [][]float64
		cost   int
	}{{"50/50", equal(), f.of(4, 8)}, {"90/10", split(.1), f.of(4, 8)}, {"ramp", ramp(.01, .1, .5), 8}} {
		out = append(out, scenario{name: "rare events by their count, " + s.name, world: world(s.phases, .005, .005), cost: s.cost,
			about: "no effect; half a percent of the units have an event", figures: append(kills("errors"),
				rarely("interval of the ratio", alpha, missesRatio(1)))})
	}
	harm := world(equal(), .002, .012)
	harm.units = f.of(20_000, 12_000)
	return append(out, scenario{name: "rare events by their count, six times as many", world: harm, cost: f.of(4, 8),
		about: "0.2 % of the control have an event, 1.2 % of the treatment", figures: []figure{
			{name: "killed", stop: breached(mirror("errors")), bound: bound{atLeast, .99, 0}},
			stoppingUnits("mean units at the kill ÷ N", harm.units, breached(mirror("errors"))),
			rarely("killed in the other direction", alpha, breached("errors")),
			rarely("interval of the ratio", alpha, missesRatio(6)),
		}})
}

// missesRatio: the interval for every look of the rates' ratio, of all units so far,
// does not hold the truth, or is not there at the end.
func missesRatio(truth float64) func(*look) bool {
	return func(l *look) bool {
		e := l.comparison("errors", arms[1]).Open.FirstEvents
		return e == nil && l.last || e != nil && outside(e.Sequential, truth)
	}
}

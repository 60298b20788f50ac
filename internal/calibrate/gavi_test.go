package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestGAVI: the yardstick, with a look at every unit, has the powers and mean numbers
// of units of an independent implementation (20,000 replicates each, ±0.0035).
func TestGAVI(t *testing.T) {
	const replicates = 6_000
	effect, fixedUnits := powerPlan(form{})
	for _, c := range []powerCase{
		{"", 1, 1, .547, .77}, {"", 1, 2, .889, 1.02}, {"", 1, 3, .979, 1.07}, {"", 2, 3, 1, .32}, {"", 0, 1, .017, .99},
	} {
		g := gavi{effect: c.effect * effect, planned: float64(fixedUnits), units: c.times * fixedUnits}
		looks := make([]int, g.units)
		for i := range looks {
			looks[i] = i + 1
		}
		power, units := g.run(looks, replicates, rand.New(rand.NewPCG(1, uint64(c.times))))
		if math.Abs(power-c.found) > .015 || math.Abs(units/float64(fixedUnits)-c.units) > .015 {
			t.Errorf("power %.3f, %.3f plans; want %+v", power, units/float64(fixedUnits), c)
		}
	}
}

// TestPowersAreThoseOfGAVI: what the scenarios are held against is what the yardstick
// gives at the same looks.
func TestPowersAreThoseOfGAVI(t *testing.T) {
	const replicates = 100_000
	for _, f := range []form{{}, {short: true}} {
		effect, plan := powerPlan(f)
		for i, want := range powerCases(f) {
			w := want.world(f)
			g := gavi{effect: want.effect * effect, planned: float64(plan), units: w.units}
			power, units := g.run(w.lookUnits(), replicates, rand.New(rand.NewPCG(2, uint64(i))))
			if units /= float64(plan); math.Abs(power-want.found) > .005 || math.Abs(units-want.units) > .005 {
				t.Errorf("short %v, %s: power %.4f, %.4f plans; the scenario wants %+v", f.short, want.name, power, units, want)
			}
		}
	}
}

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
	for times, want := range map[int][2]float64{1: {.547, .77}, 2: {.889, 1.02}, 3: {.979, 1.07}} {
		g := gavi{effect: effect, planned: float64(fixedUnits), units: times * fixedUnits}
		looks := make([]int, g.units)
		for i := range looks {
			looks[i] = i + 1
		}
		power, units := g.run(looks, replicates, rand.New(rand.NewPCG(1, uint64(times))))
		if math.Abs(power-want[0]) > .015 || math.Abs(units/float64(fixedUnits)-want[1]) > .015 {
			t.Errorf("%d× the plan: power %.3f, %.3f plans; want %v", times, power, units/float64(fixedUnits), want)
		}
	}
}

// TestPowersAreThoseOfGAVI: what the scenarios are held against is what the yardstick
// gives at the same looks.
func TestPowersAreThoseOfGAVI(t *testing.T) {
	const replicates = 100_000
	for _, f := range []form{{}, {short: true}} {
		effect, fixedUnits := powerPlan(f)
		for i, want := range powers(f) {
			w := powerWorld(f, i)
			g := gavi{effect: effect, planned: float64(fixedUnits), units: w.units}
			power, units := g.run(w.lookUnits(), replicates, rand.New(rand.NewPCG(2, uint64(i))))
			if units /= float64(fixedUnits); math.Abs(power-want.found) > .005 || math.Abs(units-want.units) > .005 {
				t.Errorf("short %v, %d× the plan: power %.4f, %.4f plans; the scenario wants %+v", f.short, i+1, power, units, want)
			}
		}
	}
}

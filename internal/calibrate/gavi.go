package main

import (
	"math"
	"math/rand/v2"

	"github.com/assay-dev/assay/stats/yardstick"
)

// gavi is the rule that the powers are held against, as its authors write it and
// independent of the engine: the sum of n units' contributions, a random walk with
// variance n, stops at √((n+ρ)·ln((n+ρ)/(ρα²))) (Howard, Ramdas, McAuliffe & Sekhon
// 2021, eq. 14; GAVI in comparisons of sequential tests).
type gavi struct {
	effect  float64 // standard deviations of a unit between two equal arms
	planned float64 // N* that ρ is tuned to
	units   int
}

// run tells how often it finds the effect and the mean number of units until then.
func (g gavi) run(looks []int, replicates int, r *rand.Rand) (power, units float64) {
	rho := yardstick.TunedRho(g.planned, alpha)
	limits := make([]float64, len(looks))
	for i, n := range looks {
		v := float64(n) + rho
		limits[i] = math.Sqrt(v * math.Log(v/(rho*alpha*alpha)))
	}
	for range replicates {
		sum, n, stopped := 0.0, 0, g.units
		for i, at := range looks {
			step := float64(at - n)
			sum, n = sum+step*g.effect/2+math.Sqrt(step)*r.NormFloat64(), at
			if math.Abs(sum) >= limits[i] {
				stopped = at
				power++
				break
			}
		}
		units += float64(stopped)
	}
	return power / float64(replicates), units / float64(replicates)
}

// lookUnits are the numbers of units at the looks of a world that goes by them.
func (w *world) lookUnits() []int {
	entries := make([]int64, w.units) // a unit enters at its number
	for i := range entries {
		entries[i] = int64(i)
	}
	var out []int
	for i := 1; i < w.looks; i++ {
		if n := int(w.time(i, entries, 0)); len(out) == 0 || n > out[len(out)-1] {
			out = append(out, n)
		}
	}
	return out
}

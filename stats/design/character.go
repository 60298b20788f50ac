package design

import "math"

// Character is what a design does at one effect. The drift is the expected z at
// information 1.
type Character struct {
	Drift  float64
	Reject []float64 // chance to stop with a rejection at each look
	Power  float64   // chance to reject at any look
	// Expected information when the test stops, at its last look if it never
	// rejects; times the planned maximum it is the expected number of units.
	Expected float64
}

// At computes the design's power and expected sample size at a drift
// (δ/σ·√(n_max/4) for means of two equal arms). Two-sided designs count
// rejections in both directions. It is read off Exits (Jennison & Turnbull 2000); NaN for
// a drift that is not finite and a design whose lists do not fit together.
func (d Design) At(drift float64) Character {
	up, down := Exits(d.Times, d.Z, drift, d.Sides)
	c := Character{Drift: drift, Reject: up}
	left := 1.0
	for k := range up {
		if down != nil {
			up[k] += down[k]
		}
		c.Power += up[k]
		step := d.Times[k]
		if k > 0 {
			step -= d.Times[k-1]
		}
		c.Expected += step * left
		left -= up[k]
	}
	c.Power = min(1, c.Power)
	return c
}

// Drift is the expected z at information 1 that gives the design this power:
// the root of At(drift).Power = power. It is NaN for a power that is no
// probability and a design that is none, 0 for one that the design has without any
// effect.
func (d Design) Drift(power float64) float64 {
	if !probability(power) || len(d.Times) == 0 {
		return math.NaN()
	}
	if d.At(0).Power >= power {
		return 0
	}
	return root(func(drift float64) float64 { return d.At(drift).Power - power }, 0, 40/math.Sqrt(d.Times[len(d.Times)-1]))
}

// Inflation is the planned maximum in units of the size that one look needs for
// the same power: Drift²/(z_{1−α/sides} + z_power)² (Jennison & Turnbull 2000). NaN where
// there is no drift or a power at which one look needs no units.
func (d Design) Inflation(power float64) float64 {
	fixed := d.Sides.critical(d.Alpha) + upperQuantile(1-power)
	if !(fixed > 0) {
		return math.NaN()
	}
	drift := d.Drift(power)
	return drift * drift / (fixed * fixed)
}

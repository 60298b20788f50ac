package design

import "math"

// Stopped is the reading of a design that stopped at a look: p-value, estimate
// and interval that know of the looks before. They order outcomes by the look
// at which the test stopped and then by z (Tsiatis, Rosner & Mehta 1984):
// crossing earlier counts as more extreme.
type Stopped struct {
	P         float64 // one-sided for a one-sided design, else two-sided
	Estimate  float64 // median unbiased, in units of the drift
	Low, High float64 // interval of the drift at level 1 − alpha
}

// Stop reads the design at look k (from 0) with the statistic z (Tsiatis, Rosner & Mehta
// 1984). Divide drifts by
// the expected z of one unit of the effect (√information) to get effects. The
// interval of a one-sided design is one-sided: High is +Inf, its level 1 − alpha.
// A look that does not exist, a z that is not finite and a design whose lists do not fit
// together give NaN throughout. An interval of an alpha below 10⁻¹⁶ is (−Inf, +Inf).
func (d Design) Stop(k int, z float64) Stopped {
	if k < 0 || k >= len(d.Times) || len(d.Z) != len(d.Times) || !walkable(d.Times, d.Z, 0, d.Sides) || !probability(d.Alpha) || !(math.Abs(z) < steepest) {
		nan := math.NaN()
		return Stopped{nan, nan, nan, nan}
	}
	// beyond is the chance of an outcome at least as large, which rises with drift.
	beyond := func(drift float64) float64 {
		times, bounds := d.Times[:k+1], append([]float64(nil), d.Z[:k+1]...)
		up := exitsAbove(times, bounds, z, drift, d.Sides)
		return up
	}
	reach := (math.Abs(z) + 20) / math.Sqrt(d.Times[0])
	at := func(level float64) float64 {
		switch {
		case level < unseen:
			return math.Inf(-1)
		case level > 1-unseen:
			return math.Inf(1)
		}
		return root(func(drift float64) float64 { return beyond(drift) - level }, -reach, reach)
	}
	p := min(1, beyond(0)) // sums of the recursion end in a rounding
	if d.Sides == OneSided {
		return Stopped{p, at(0.5), at(d.Alpha), math.Inf(1)}
	}
	p = math.Min(1, 2*math.Min(p, 1-p))
	return Stopped{p, at(0.5), at(d.Alpha / 2), at(1 - d.Alpha/2)}
}

// exitsAbove is the chance to cross upwards before the last of the times or to
// reach it with Z ≥ z.
func exitsAbove(t, bounds []float64, z, drift float64, sides Sides) float64 {
	if !walkable(t, bounds, drift, sides) {
		return math.NaN()
	}
	above := 0.0
	w, last := start(drift, sides), len(t)-1
	for k := range t {
		if k == last {
			return above + w.above(t[k], z)
		}
		above += w.above(t[k], bounds[k])
		w.next(t[k], bounds[k], t[k+1]-t[k])
	}
	return above
}

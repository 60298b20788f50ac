package design

import "math"

// Monitor is a test that looks at every unit: at n units the boundary of z is
// Boundary(n). For the normal mixture that is
// √((1+1/a)(ln(1+a)+2·ln(1/α))), a = ρ²n.
type Monitor struct {
	Boundary func(units float64) float64
	Sides    Sides
}

// grid of the continuous looks: the ratio of neighbouring information times, and
// the share of the horizon at which it begins. A z that must pass 3 is hardly
// ever passed before.
const (
	gridRatio = 1.08
	gridStart = 1e-3
)

// Crossing is the chance to have crossed, in either direction if two-sided, by a
// grid of numbers of units up to horizon, when the expected z at n units is
// signal·√n (signal is the effect in standard deviations of what one unit tells,
// effect/(√n·se)). It is the recursion of Exits with the paths taken out that
// cross between two grid points (a Brownian bridge over a straight boundary), so it
// holds for looks at every moment; looks by the unit cross a little less (the bridge:
// Siegmund 1985, chapter 3). nil for arguments out of their domain.
func (m Monitor) Crossing(signal, horizon float64) (units, crossed []float64) {
	if !positive(horizon) || !m.Sides.valid() || m.Boundary == nil || math.IsNaN(signal) || math.IsInf(signal, 0) {
		return nil, nil
	}
	steps := int(math.Ceil(math.Log(1/gridStart) / math.Log(gridRatio)))
	units, crossed = make([]float64, steps+1), make([]float64, steps+1)
	w := start(signal*math.Sqrt(horizon), m.Sides)
	w.always = true
	for i := range units {
		t := math.Pow(gridRatio, float64(i-steps))
		units[i] = t * horizon
		z := m.Boundary(units[i])
		if math.IsNaN(z) {
			return nil, nil
		}
		w.next(t, math.Min(math.Max(z, 0), 1e6), t*(gridRatio-1))
		crossed[i] = math.Min(1, math.Max(0, 1-w.left()))
	}
	return units, crossed
}

// Power is the chance to have crossed by n units, looking always: the last of Crossing.
// NaN for arguments out of their domain.
func (m Monitor) Power(signal, n float64) float64 {
	_, crossed := m.Crossing(signal, n)
	if crossed == nil {
		return math.NaN()
	}
	return crossed[len(crossed)-1]
}

// Size is the number of units by which the power is reached, looking always, and
// Expected the mean number of units at which the test stops if it ends there.
// It is read off Crossing. +Inf when signal is 0; NaN for arguments out of their domain.
func (m Monitor) Size(signal, power float64) (n, expected float64) {
	nan := math.NaN()
	if !probability(power) || math.IsNaN(signal) || math.IsInf(signal, 0) || !m.Sides.valid() || m.Boundary == nil {
		return nan, nan
	}
	if m.Sides == TwoSided {
		signal = math.Abs(signal)
	}
	if !(signal > 0) {
		return math.Inf(1), math.Inf(1)
	}
	// z·√n = 2 + z_power would be enough for a boundary of 2: start there.
	z := 2 + math.Max(0, upperQuantile(1-power))
	horizon := z * z / (signal * signal)
	for range 40 {
		units, crossed := m.Crossing(signal, horizon)
		if crossed == nil {
			return nan, nan
		}
		if i := len(crossed) - 1; crossed[i] >= power {
			return m.reached(units, crossed, power)
		}
		horizon *= 2
	}
	return math.Inf(1), math.Inf(1)
}

// reached interpolates the grid where the power is reached.
func (m Monitor) reached(units, crossed []float64, power float64) (n, expected float64) {
	expected = units[0]
	for i := 1; i < len(units); i++ {
		step := units[i] - units[i-1]
		if crossed[i] >= power {
			share := (power - crossed[i-1]) / (crossed[i] - crossed[i-1])
			middle := (crossed[i-1] + power) / 2
			return units[i-1] + share*step, expected + share*step*(1-middle)
		}
		expected += step * (1 - (crossed[i]+crossed[i-1])/2)
	}
	return math.NaN(), math.NaN()
}

// Detectable is the smallest signal that is found by n units with the power,
// looking always: Crossing solved for it. NaN for arguments out of their domain.
func (m Monitor) Detectable(n, power float64) float64 {
	if !positive(n) || !probability(power) || math.IsNaN(m.Power(0, n)) {
		return math.NaN()
	}
	if m.Power(0, n) >= power {
		return 0
	}
	high := 5 / math.Sqrt(n)
	for range 20 {
		if m.Power(high, n) >= power {
			break
		}
		high *= 2
	}
	return m.foundBy(high, n, power)
}

// foundBy solves for the signal below high. The chance is a smooth function of it, so
// that false position finds it in a few steps, with the end that stays weighed down
// (the Illinois rule: Dowell & Jarratt 1971).
func (m Monitor) foundBy(high, n, power float64) float64 {
	const tolerance = 1e-9 // of the signal and of the chance
	low, atLow, atHigh := 0.0, m.Power(0, n)-power, m.Power(high, n)-power
	moved := 0 // the end that moved last: -1 low, 1 high
	for range 60 {
		middle := (low*atHigh - high*atLow) / (atHigh - atLow)
		at := m.Power(middle, n) - power
		if math.Abs(at) < tolerance || high-low < tolerance*high {
			return middle
		}
		switch below := at < 0; {
		case below && moved < 0:
			low, atLow, atHigh = middle, at, atHigh/2
		case below:
			low, atLow, moved = middle, at, -1
		case moved > 0:
			high, atHigh, atLow = middle, at, atLow/2
		default:
			high, atHigh, moved = middle, at, 1
		}
	}
	return (low + high) / 2
}

// LastPoint is the size at which z is beyond the boundary at that very moment with
// the power, the rule of other platforms: it ignores that the test may have crossed
// before, and asks for more than Size (Cohen 1988 for a boundary that does not move). +Inf
// for a signal of 0 or, one-sided, below; NaN for arguments out of their domain.
func (m Monitor) LastPoint(signal, power float64) float64 {
	if !probability(power) || !m.Sides.valid() || m.Boundary == nil || math.IsNaN(signal) || math.IsInf(signal, 0) {
		return math.NaN()
	}
	if m.Sides == TwoSided {
		signal = math.Abs(signal)
	}
	if !(signal > 0) || math.IsInf(1/(signal*signal), 1) {
		return math.Inf(1)
	}
	at := func(n float64) float64 {
		return upper(m.Boundary(n)-signal*math.Sqrt(n)) - power
	}
	high := 1 / (signal * signal)
	if high == 0 { // any unit shows it
		return 0
	}
	for at(high) < 0 {
		if high *= 2; math.IsInf(high, 1) {
			return high
		}
	}
	return root(at, 0x1p-60*high, high)
}

package stats

import "math"

// DaySlope turns the moments of units' Σ_d (2d − D + 1)·y_d, over the days d = 0 … D−1
// since their first exposure, into those of their least-squares slopes a day:
//
//	b = Σ(d − d̄)·y_d / Σ(d − d̄)² = 6/(D(D²−1)) · Σ(2d − D + 1)·y_d
//
// Comparing the arms' mean slopes by Welch tests whether the effect moves with the
// days of exposure (novelty, primacy), without assuming that a unit's days are
// independent, as a regression of daily effects would. All units must have had all
// D days: a cohort that grows has another mix of units each day. Calendar effects that
// both arms share cancel. Fewer than two days have no slope: its moments are
// impossible ones, which Combine refuses by name.
func DaySlope(m Moments, days int) Moments {
	d := float64(days)
	if days < 2 {
		return Moments{N: m.N, NonZero: m.NonZero, Mean: math.NaN(), M2: -1}
	}
	factor := 6 / (d * (d*d - 1))
	m.Mean *= factor
	m.M2 *= factor * factor
	return m
}

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
// both arms share cancel. Fewer than two days have no slope: its mean is NaN, which
// Combine refuses by name. The slope of ordinary least squares goes back to Gauss
// (1809); as a summary of a unit's series see Matthews et al. (1990).
func DaySlope(m Moments, days int) Moments {
	d := float64(days)
	if days < 2 {
		return impossible(m.N, m.NonZero)
	}
	factor := 6 / (d * (d*d - 1))
	m.Mean *= factor
	m.M2 *= factor * factor
	return m
}

// TimedStratum is a stretch of time within which the arms are comparable, of a group
// whose level is its own.
type TimedStratum struct {
	Stratum
	Group string
	At    float64
}

// EffectSlope is by how much the effect grows with time within groups: with w the
// weights of Combine, d a stratum's difference, v its squared error, and t̄ the
// weighted mean time of its group,
//
//	Σw(t − t̄)d / Σw(t − t̄)²     variance Σw²(t − t̄)²v / (Σw(t − t̄)²)²
//
// The weights do not depend on the outcomes: those of a regression by inverse
// variances do, which alone makes a slope of rates (weighted least squares with a robust
// variance, White 1980). It is for one look, and normal:
// strata with fewer than 30 units in an arm, or impossible moments, take no part.
// NaN where no group has two times, and zero variance gives the error 0.
func EffectSlope(strata []TimedStratum) Estimate {
	type sums struct{ first, weight, time float64 }
	groups := map[string]sums{}
	counts := func(s TimedStratum) bool {
		return min(s.Treatment.N, s.Control.N) >= fewUnits && s.Treatment.plausible() && s.Control.plausible()
	}
	weight := func(s TimedStratum) float64 {
		t, c := float64(s.Treatment.N), float64(s.Control.N)
		return t * c / (t + c)
	}
	for _, s := range strata {
		if counts(s) {
			g, known := groups[s.Group]
			if !known { // times count from here: rounded, days since 1970 would make a spread of one day
				g.first = s.At
			}
			w := weight(s)
			groups[s.Group] = sums{g.first, g.weight + w, g.time + w*(s.At-g.first)}
		}
	}
	var effect, spread, variance float64
	for _, s := range strata {
		if !counts(s) {
			continue
		}
		w, g := weight(s), groups[s.Group]
		lever := w * (s.At - g.first - g.time/g.weight)
		effect += lever * (s.Treatment.Mean - s.Control.Mean)
		spread += lever * lever / w
		variance += lever * lever * (s.Treatment.squaredError() + s.Control.squaredError())
	}
	if !(spread > 0) {
		return Estimate{math.NaN(), math.NaN(), math.Inf(1)}
	}
	return Estimate{Value: effect / spread, StdError: math.Sqrt(variance) / spread, DoF: math.Inf(1)}
}

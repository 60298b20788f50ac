package yardstick

import "math"

// Cell is one arm within one stratum: units, mean and variance of the outcome.
type Cell struct{ N, Mean, Variance float64 }

// Layer is one stratum.
type Layer struct{ Treatment, Control Cell }

// PostStratified is the difference of means, or with relative the lift over the
// control's mean by the delta method, with strata weighed by their share of all
// units (as in GrowthBook). The shares are themselves drawn, so with g_j stratum j's
// part of the effect the variance is
//
//	Σw_j²·v_j + (Σw_j·g_j² − (Σw_j·g_j)²)/N
//
// assay weighs phases by n_T·n_C/(n_T+n_C) instead, which loses less where the
// shares change and takes the strata as given. Strata without two units in each arm
// are left out; without any left, or with a control mean of zero under relative, both
// numbers are NaN. The sampling theory is Miratrix, Sekhon & Yu's (2013).
func PostStratified(layers []Layer, relative bool) (effect, stdError float64) {
	var used []Layer
	total := 0.0
	for _, l := range layers {
		if l.Treatment.N >= 2 && l.Control.N >= 2 {
			used = append(used, l)
			total += l.Treatment.N + l.Control.N
		}
	}
	var mT, mC, vT, vC float64
	share := func(l Layer) float64 { return (l.Treatment.N + l.Control.N) / total }
	for _, l := range used {
		w := share(l)
		mT, mC = mT+w*l.Treatment.Mean, mC+w*l.Control.Mean
		vT, vC = vT+w*w*l.Treatment.Variance/l.Treatment.N, vC+w*w*l.Control.Variance/l.Control.N
	}
	if len(used) == 0 || relative && mC == 0 {
		return math.NaN(), math.NaN()
	}
	toT, toC := 1.0, -1.0 // the effect's gradient
	effect = mT - mC
	if relative {
		effect /= math.Abs(mC)
		toT, toC = 1/math.Abs(mC), -mT/(mC*math.Abs(mC))
	}
	var parts, squares float64
	for _, l := range used {
		g := toT*l.Treatment.Mean + toC*l.Control.Mean
		parts, squares = parts+share(l)*g, squares+share(l)*g*g
	}
	return effect, math.Sqrt(toT*toT*vT + toC*toC*vC + math.Max(squares-parts*parts, 0)/total)
}

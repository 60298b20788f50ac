package stats

import "math"

// Together is what several runs of one experiment say as one.
type Together struct {
	Heterogeneity
	// Same is the effect if all runs have the same one, Mean the mean of effects that
	// differ from run to run, each with its interval and p-value.
	Same, Mean Effect
}

// CombineRuns puts the effects of runs that share no units together.
//
// Same weighs by inverse variances, with the normal distribution. Mean takes DerSimonian
// and Laird's τ² (1986) and the standard error of Hartung & Knapp (2001),
//
//	√(q/Σw)   q = Σw(Δ−Δ̄)²/(k−1)   w = 1/(v + τ²)
//
// with q not below 1 (Knapp & Hartung 2003; Röver, Knapp & Friede 2015) and Student's t
// with k−1 degrees of freedom: with the normal distribution two or three runs that agree
// by chance would promise far too much. Of two runs t is 12.7, so Mean says little until
// there are more.
//
// Each run's error must be that of one look at a time that was chosen beforehand: runs
// that stopped when they looked good, or were killed when they looked bad, push both
// numbers. Runs without an estimate (NaN, zero variance) take no part; with one run Mean
// claims nothing, without any neither does. An alpha outside (0, 1) leaves the intervals
// without ends.
func CombineRuns(runs []Estimate, alpha float64) Together {
	t := Together{Heterogeneity: Heterogeneous(runs)}
	t.Same = t.Fixed.Student(alpha)
	mean := t.Random
	mean.DoF = float64(t.DoF)
	if t.Segments < 2 {
		mean.StdError = math.NaN()
	} else {
		m, q := weigh(runs, t.Tau2), 0.0
		for _, e := range runs {
			if e.weighable() {
				d := e.Value - mean.Value
				q += d * d / (e.StdError*e.StdError + t.Tau2)
			}
		}
		mean.StdError = math.Sqrt(max(1, q/mean.DoF) / m.sum)
	}
	t.Random = mean
	t.Mean = mean.Student(alpha)
	return t
}

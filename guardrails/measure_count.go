package guardrails

import (
	"fmt"
	"math"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// measureCounts asks in which arm the units with an event are. A unit counts once, at
// its first event, so the order in which outcomes come in does not matter to the
// test: each unit with an event is one toss of the same coin, whether its window has
// passed or not.
func (j *judge) measureCounts() Verdict {
	open, matured := combine(j.obs.Open), combine(j.obs.Matured)
	margin := stats.Margin{Value: j.rule.Margin, Relative: true}
	harm := newCountTest(open, stats.TestCountHarm(tosses(j.obs.Open), margin, j.rule.direction(),
		stats.CountPlan{Alpha: j.rule.AlphaKill}), j.rule.AlphaKill)
	safe := newCountTest(matured, stats.TestCountNonInferior(tosses(j.obs.Matured), margin, j.rule.direction(),
		stats.CountPlan{Alpha: j.rule.Alpha}), j.rule.Alpha)
	safe.Reject = safe.Reject && j.gate(matured, j.obs.Matured).Passes && min(safe.Units[0], safe.Units[1]) >= j.rule.MinUnits
	return Verdict{Harm: harm, Safe: safe, Gate: j.gate(open, j.obs.Open)}
}

// tosses are the units with an event of each phase. One in which an arm has no two
// units is no part of the pair either.
func tosses(strata []Stratum) []stats.CountPhase {
	var out []stats.CountPhase
	for _, s := range strata {
		if s.Treatment.N >= 2 && s.Control.N >= 2 {
			out = append(out, stats.CountPhase{
				Name: fmt.Sprint(s.Phase), Treatment: s.Treatment.NonZero, Control: s.Control.NonZero, Share: s.Share})
		}
	}
	return out
}

// finite is a number as the log keeps it: one that is not finite is not known.
func finite(x float64) results.Number {
	if math.IsInf(x, 0) {
		x = math.NaN()
	}
	return results.Number(x)
}

// newCountTest has no distance in standard errors: in its place stand log e and the
// log of what it must exceed.
func newCountTest(p stats.Pair, d stats.CountDecision, alpha float64) *results.Test {
	t := &results.Test{
		Reject: d.Reject, Estimate: finite(d.Estimate), Bound: finite(d.Bound),
		P: results.Number(d.P), Z: results.Number(math.NaN()), Threshold: results.Number(math.NaN()), Alpha: alpha,
		LogE: finite(d.LogE), Events: &[2]int64{d.Treatment, d.Control},
		Units:   [2]int64{p.Treatment.N, p.Control.N},
		Means:   [2]results.Number{results.Number(p.Treatment.Mean), results.Number(p.Control.Mean)},
		LeftOut: p.LeftOut,
	}
	for _, w := range d.Warnings {
		t.Warnings = append(t.Warnings, w.Message)
	}
	return t
}

package guardrails

import (
	"fmt"
	"math"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// measure runs both tests and the gate.
func (j *judge) measure() Verdict {
	if j.rule.Method == experiment.ByCount {
		return j.measureCounts()
	}
	open, matured := combine(j.obs.Open), combine(j.obs.Matured)
	margin := stats.Margin{Value: j.rule.Margin, Relative: j.rule.Relative}
	plan := j.rule.plan(j.rule.AlphaKill)
	plan.Unfinished = unfinished(open, matured)
	harm := newTest(open, open.TestHarm(margin, j.rule.direction(), plan), j.rule.AlphaKill)
	safe := newTest(matured, matured.TestNonInferior(margin, j.rule.direction(), j.rule.plan(j.rule.Alpha)), j.rule.Alpha)
	safe.Reject = safe.Reject && j.gate(matured, j.obs.Matured).Passes && min(safe.Units[0], safe.Units[1]) >= j.rule.MinUnits
	return Verdict{Harm: harm, Safe: safe, Gate: j.gate(open, j.obs.Open)}
}

// gate is the method's own, or the file's where that asks for more. The count test
// approximates nothing, so it has none of its own.
func (j *judge) gate(p stats.Pair, strata []Stratum) *results.Gate {
	g := p.Gate(gateShare(strata), j.rule.Binary)
	if j.rule.Method == experiment.ByCount {
		g.Need = 0
	}
	need := math.Max(g.Need, float64(j.rule.MinEvents))
	return &results.Gate{Passes: g.Have >= need, Have: results.Number(g.Have), Need: results.Number(need)}
}

func newTest(p stats.Pair, d stats.Decision, alpha float64) *results.Test {
	t := &results.Test{
		Reject: d.Reject, Estimate: results.Number(d.Estimate), Bound: results.Number(d.Bound),
		P: results.Number(d.P), Z: results.Number(d.Z), Threshold: results.Number(d.Threshold), Alpha: alpha,
		Units:   [2]int64{p.Treatment.N, p.Control.N},
		Means:   [2]results.Number{results.Number(p.Treatment.Mean), results.Number(p.Control.Mean)},
		LeftOut: p.LeftOut,
	}
	for _, w := range d.Warnings {
		t.Warnings = append(t.Warnings, w.Message)
	}
	return t
}

// unfinished tells whether most units may still get outcomes. Once half of them
// can not, what is counted can only double without new units.
func unfinished(open, matured stats.Pair) bool {
	return 2*(matured.Treatment.N+matured.Control.N) < open.Treatment.N+open.Control.N
}

// combine joins the strata for the tests.
func combine(strata []Stratum) stats.Pair {
	joined := make([]stats.Stratum, 0, len(strata))
	for _, s := range strata {
		joined = append(joined, stats.Stratum{
			Name: fmt.Sprint(s.Phase), Treatment: s.Treatment, Control: s.Control})
	}
	return stats.Combine(joined)
}

// gateShare is the smaller arm's intended share of the non-zero units, each
// phase weighed with its own, so that a ramp from 1 % to 50 % counts as it ran.
// Times all non-zero units it gives those expected in the smaller arm.
func gateShare(strata []Stratum) float64 {
	var all, treatment float64
	for _, s := range strata {
		if s.Treatment.N < 2 || s.Control.N < 2 {
			continue // not in the pair either
		}
		n := float64(s.Treatment.NonZero + s.Control.NonZero)
		all += n
		treatment += n * s.Share
	}
	if all == 0 {
		return 0.5
	}
	return math.Min(treatment, all-treatment) / all
}

package main

import (
	"math/big"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// oracle judges one experiment of one proportion after every event, in the order
// in which they are produced: nothing can know sooner that there is harm.
type oracle struct {
	rule         guardrails.Rule
	units, fails [2]int64 // of control and treatment
}

// newOracle is that of an experiment's only rule.
func newOracle(e *experiment.Experiment) *oracle {
	return &oracle{rule: guardrails.Rules(e, e.Latest())[0]}
}

func (o *oracle) exposed(arm int) { o.units[arm]++ }
func (o *oracle) failed(arm int)  { o.fails[arm]++ }

// breached tells whether what was produced so far shows harm: gates and test are
// the guard's own.
func (o *oracle) breached(now time.Time) bool {
	moments := func(arm int) stats.Moments {
		y := big.NewInt(o.fails[arm]) // each is 0 or 1, and so is its square
		return stats.FromSums(o.units[arm], o.fails[arm], y, y, 0)
	}
	_, v := guardrails.Step(o.rule, guardrails.State{}, guardrails.Observation{
		At: now, Freshness: now, Newest: now,
		Open: []guardrails.Stratum{{Phase: 1, Share: o.rule.TreatmentShare, Treatment: moments(1), Control: moments(0)}},
	})
	return v.Kind == guardrails.Breached
}

package results

import (
	"fmt"
	"math"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// EffectDrifts is the code of the warning that the effect is not the same in every
// phase, so that one number for all of them is an average of different effects.
const EffectDrifts = "effect_drifts"

// drift compares the effect of matured units between the phases.
func (c *computation) drift(m *experiment.Metric, arm string, plan stats.Plan, level float64) (Doubt, bool) {
	if len(c.it.Phases) < 2 {
		return Doubt{}, false
	}
	return drift(c.strata(m, arm, maturedSums), plan, level)
}

// drift compares the effect between the phases of a pair, which share no units. It
// warns where the intervals for every look of two phases, each at level over the
// number of phases, exclude one another; so the chance of a false warning is at most
// level, however often one looks.
func drift(strata []stats.Stratum, plan stats.Plan, level float64) (Doubt, bool) {
	if len(strata) < 2 {
		return Doubt{}, false
	}
	var effects []stats.Estimate
	lowest, highest := math.Inf(1), math.Inf(-1) // of the upper and of the lower ends
	from, to := "", ""
	for _, s := range strata {
		pair := stats.Combine([]stats.Stratum{s})
		e := pair.SequentialAt(plan, level/float64(len(strata))).Absolute
		if !(e.StdError > 0) {
			continue
		}
		effects = append(effects, stats.Estimate{Value: e.Estimate, StdError: e.StdError, DoF: math.Inf(1)})
		if e.High < lowest {
			lowest, from = e.High, s.Name
		}
		if e.Low > highest {
			highest, to = e.Low, s.Name
		}
	}
	if !(highest > lowest) {
		return Doubt{}, false
	}
	h := stats.Heterogeneous(effects)
	return Doubt{EffectDrifts, fmt.Sprintf(
		"the effect is larger in phase %s than in phase %s (p of equal effects %.2g at one look): the number shown is an average of different effects",
		to, from, h.P)}, true
}

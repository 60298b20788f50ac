package stats

import (
	"fmt"
	"math"
)

// DefaultPlannedUnits stands in for a missing plan.
const DefaultPlannedUnits = 10_000

// Plan is what is fixed before the first unit: it tunes the sequential tests.
// Changing it after looking at data voids their guarantee.
type Plan struct {
	// PlannedUnits is N*, the number of units of the comparison (both arms) at
	// which the interval is narrowest. Zero falls back to DefaultPlannedUnits.
	PlannedUnits float64
	// TreatmentShare is the treatment's share of the pair, in (0, 1). Zero
	// falls back to one half.
	TreatmentShare float64
	// Alpha is the error rate over all looks together: two-sided in Sequential,
	// one-sided in the tests. It lies in (0, 0.5).
	Alpha float64
	// Strict makes Sequential use the larger of the unpooled and the pooled
	// standard error. The one-sided tests always do.
	Strict bool
	// Unfinished says that most units may still get outcomes. Information then
	// grows faster than units enter, so the one-sided tests ask for at least
	// GrowthRadius. Sequential ignores it.
	Unfinished bool
}

// complete replaces missing parts by defaults and says so. Any fixed values
// are valid; they cost width, not error rate.
func (p *Plan) complete() []Warning {
	var warnings []Warning
	if !(p.PlannedUnits > 0) || math.IsInf(p.PlannedUnits, 1) {
		warnings = append(warnings, Warning{DefaultPlan, fmt.Sprintf(
			"no planned number of units: %d is assumed", DefaultPlannedUnits)})
		p.PlannedUnits = DefaultPlannedUnits
	}
	if !(p.TreatmentShare > 0 && p.TreatmentShare < 1) {
		warnings = append(warnings, Warning{DefaultPlan, "no planned share of the treatment: 0.5 is assumed"})
		p.TreatmentShare = 0.5
	}
	return warnings
}

// information is the mixture's a = ρ²·Σw/(p(1−p)). Σw/(p(1−p)) is the number
// of units at planned shares that would carry the weight seen, so one phase at
// planned shares gives a = ρ²·n.
func (p *Pair) information(rho2 float64, plan *Plan) float64 {
	return rho2 * p.Weight / (plan.TreatmentShare * (1 - plan.TreatmentShare))
}

func validAlpha(alpha float64) bool { return alpha > 0 && alpha < 0.5 }

func invalidAlpha(alpha float64) Warning {
	return Warning{InvalidPlan, fmt.Sprintf("the error rate is %v, it must lie between 0 and 0.5", alpha)}
}

func noBasis() Warning {
	return Warning{NoBasis, "no phase has 2 units in each arm: nothing can be estimated"}
}

func zeroVariance() Warning {
	return Warning{ZeroVariance, "the units of each arm do not differ: there is no standard error"}
}

func baselineNearZero() Warning {
	return Warning{BaselineNearZero, "the control mean is not distinguishable from zero: read the absolute effect"}
}

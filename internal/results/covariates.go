package results

import (
	"math"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// CovariateDecimals is the precision of a covariate that is an attribute.
const CovariateDecimals = 6

// Covariates are the terms of the metric's covariate; none for a quantile.
func (m SlowMetric) Covariates() []string { return experiment.CovariateTerms(m.Covariate) }

// totals are the decimals of what a unit's outcome is made of.
func (m SlowMetric) totals() []int {
	if m.Kind == experiment.Ratio {
		return []int{m.Numerator.Decimals, m.Denominator.Decimals}
	}
	return []int{m.Decimals}
}

// columns are the decimals of a unit's numbers in the order of a SlowRow's sums: its
// totals, then for each covariate the same totals before, or an attribute and 1 where
// it holds no number.
func (m SlowMetric) columns() []int {
	out := m.totals()
	for _, c := range m.Covariates() {
		if c == experiment.PrePeriod {
			out = append(out, m.totals()...)
		} else {
			out = append(out, CovariateDecimals, 0)
		}
	}
	return out
}

// covariateColumn is one number that is known of a unit beforehand.
type covariateColumn struct {
	name    string
	missing bool // 1 where the attribute holds no number
}

func (m SlowMetric) covariateColumns() []covariateColumn {
	var out []covariateColumn
	for _, c := range m.Covariates() {
		out = append(out, covariateColumn{name: c})
		if c != experiment.PrePeriod {
			out = append(out, covariateColumn{c, true})
		}
	}
	return out
}

// joint is an arm's outcome with its covariates. A ratio goes by the delta method, as
// does what the same ratio was before, so that it is one column each.
func (m SlowMetric) joint(r SlowRow) stats.Joint {
	j := r.joint(m.columns())
	if m.Kind != experiment.Ratio {
		return j
	}
	pairs, next := [][2]int{{0, 1}}, 2
	for _, c := range m.Covariates() {
		if c == experiment.PrePeriod {
			pairs = append(pairs, [2]int{next, next + 1})
		} else {
			pairs = append(pairs, [2]int{next, -1}, [2]int{next + 1, -1})
		}
		next += 2
	}
	return j.Ratios(pairs)
}

// Balance compares a covariate between the arms, over all units so far. It was
// measured before the first exposure, so no treatment can have moved it: a
// difference says that the arms are not comparable.
type Balance struct {
	Covariate string `json:"covariate"`
	Missing   bool   `json:"missing,omitempty"` // compared are the shares of units without the attribute
	Treatment Arm    `json:"treatment"`
	Control   Arm    `json:"control"`
	Absolute  Effect `json:"absolute"`
	// Alarm tells whether the difference is refuted at every look, at Level: 1 % shared
	// by the covariates of all comparisons.
	Level float64 `json:"level"`
	Alarm bool    `json:"alarm"`
}

// balanceAlpha is the rate of false alarms of all balances of an iteration together.
const balanceAlpha = 0.01

// balancesOf leaves out attributes that no unit lacks.
func (s slow) balancesOf(m SlowMetric, arm int, rows []SlowRow) []Balance {
	var out []Balance
	for i, column := range m.covariateColumns() {
		pair := s.pair(m, arm, rows, func(r SlowRow) stats.Moments {
			j := m.joint(r)
			return stats.Moments{N: j.N, NonZero: j.N, Mean: j.Mean[i+1], M2: j.Product[i+1][i+1]}
		})
		if pair.Weight == 0 || column.missing && pair.Treatment.Mean == 0 && pair.Control.Mean == 0 {
			continue
		}
		e := newEstimate(pair, pair.Fixed(s.e.Alpha), pair.Sequential(s.plan(arm)))
		level := balanceAlpha / float64(s.balances)
		out = append(out, Balance{
			Covariate: column.name, Missing: column.missing, Treatment: e.Treatment, Control: e.Control, Absolute: e.Absolute,
			Level: level, Alarm: float64(e.Absolute.SequentialP) <= level,
		})
	}
	return out
}

// gateCovariateUnits are asked for in each arm and for each number that is known
// beforehand: its slope is estimated from the same units.
const gateCovariateUnits = 30

// covariateGates are those of an adjusted mean.
func (q question) covariateGates(m SlowMetric, c *SlowComparison) []Condition {
	columns, units, both := len(m.covariateColumns()), 0.0, int64(0)
	gain := notMet("gain", "a covariate helps as far as it explains the outcome")
	if c != nil && c.Reduction.Known() {
		gain = met("gain", "it takes %.1f %% of the difference's variance away", 100*c.Reduction.Float())
		if c.Reduction <= 0 {
			gain.State = NotMet
		}
		units = float64(min(c.Estimate.Treatment.Units, c.Estimate.Control.Units))
		both = c.Estimate.Treatment.Units + c.Estimate.Control.Units
	}
	return append([]Condition{
		gain,
		counted("covariate_units", units, float64(gateCovariateUnits*columns), "units in the smaller arm", both,
			"%d numbers are known beforehand, and the slope of each is estimated from the same units", columns),
		assumed("before", "the covariate was known before the first exposure, so that the treatment cannot have moved it"),
	}, q.design()...)
}

// whyCovariate says what an adjusted mean is.
func whyCovariate(m SlowMetric) string {
	terms := m.Covariates()
	why := strings.Join(terms, " and ") + " are known of a unit before its first exposure: the arms are compared in y − θᵀx"
	if len(terms) == 1 {
		why = terms[0] + " is known of a unit before its first exposure: the arms are compared in y − θx"
	}
	why += " with the slopes that leave the least variance of the difference, right at unequal shares too (a slope of each arm leaves no less)"
	if m.Kind == experiment.Ratio {
		why += "; the ratio goes by the delta method on units"
	}
	if slices.ContainsFunc(m.covariateColumns(), func(c covariateColumn) bool { return c.missing }) {
		why += "; a unit without the attribute counts 0 there and 1 in a covariate of its own"
	}
	return why
}

// leastReduction is the smaller of two shares of variance, of which either may be unknown.
func leastReduction(a, b Number) Number {
	if math.IsNaN(float64(a)) || b < a {
		return b
	}
	return a
}

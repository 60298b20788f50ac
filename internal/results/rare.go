package results

import (
	"fmt"
	"math"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// FirstEvents compares the arms by their units with at least one event, without
// the normal approximation (stats.CompareCounts): for rare events. It is shown
// beside the effect; a guardrail judges by it where the file says method: count.
type FirstEvents struct {
	Treatment int64 `json:"treatment"` // units with an event, of the phases that count
	Control   int64 `json:"control"`
	// Ratio is rate of treatment ÷ rate of control; null while the control has none.
	Ratio       Number   `json:"ratio"`
	Sequential  Interval `json:"sequential"` // of the ratio, for every look; an end that is null is not bounded
	SequentialP Number   `json:"sequential_p"`
	LogE        Number   `json:"log_e"` // log e-value against equal rates
	// HarmP is the always-valid one-sided p of "no harm beyond Margin", a part of the
	// control's rate: a guardrail's own where that is relative, else 0. HarmBound is
	// the lower bound of the harm; null: none.
	Margin    float64  `json:"margin"`
	HarmP     Number   `json:"harm_p"`
	HarmBound Number   `json:"harm_bound"`
	LeftOut   []string `json:"left_out,omitempty"`
	Warnings  []Doubt  `json:"warnings,omitempty"`
}

// firstEvents is nil for metrics whose units are not told by having an event, and
// while events are not rare: then the effect's own interval is narrower. Choosing
// by the data between two tests of which each is shown costs nothing as long as
// the one to decide by was chosen before; the analysis plan says which.
func (c *computation) firstEvents(m *experiment.Metric, arm int, pick which, alpha float64) *FirstEvents {
	if !countable(m) {
		return nil
	}
	phases, units := c.countPhases(m, arm, pick)
	var events int64
	for _, p := range phases {
		events += p.Treatment + p.Control
	}
	if events == 0 || float64(events) >= rareShare*float64(units) {
		return nil
	}
	margin := c.relativeMargin(m)
	plan := stats.CountPlan{Alpha: alpha}
	e := stats.CompareCounts(phases, plan)
	harm := stats.TestCountHarm(phases, margin, directionOf(m), plan)
	out := &FirstEvents{
		Treatment: e.Treatment, Control: e.Control, Ratio: Number(math.Exp(e.LogRatio)),
		Sequential:  Interval{Number(math.Exp(e.Low)), Number(math.Exp(e.High))},
		SequentialP: Number(e.P), LogE: Number(e.LogE),
		Margin: margin.Value, HarmP: Number(harm.P), HarmBound: Number(harm.Bound), LeftOut: e.LeftOut,
	}
	for _, w := range slices.Concat(e.Warnings, harm.Warnings) {
		if d := (Doubt{string(w.Code), w.Message}); !slices.Contains(out.Warnings, d) {
			out.Warnings = append(out.Warnings, d)
		}
	}
	return out
}

// countable tells whether a unit's y is other than zero exactly when it had an event.
func countable(m *experiment.Metric) bool { return m.Kind.Binary() || m.Kind == experiment.Count }

// countPhases are the pair's units with an event, phase by phase, each with its own
// share; units are all of the pair.
func (c *computation) countPhases(m *experiment.Metric, arm int, pick which) (phases []stats.CountPhase, units int64) {
	control := c.e.VariantIndex(c.e.Control)
	for _, p := range c.it.Phases {
		t := c.sums(m.Name, p.Number, false, c.e.Variants[arm].Key, pick)
		k := c.sums(m.Name, p.Number, false, c.e.Control, pick)
		units += t.N + k.N
		phases = append(phases, stats.CountPhase{
			Name: fmt.Sprint(p.Number), Treatment: t.NonZero, Control: k.NonZero, Share: PairShare(p.Shares, arm, control),
		})
	}
	return phases, units
}

// relativeMargin is that of the metric's guardrail, or none.
func (c *computation) relativeMargin(m *experiment.Metric) stats.Margin {
	for _, g := range c.e.Guardrails {
		if g.Metric == m.Name && g.Relative {
			return stats.Margin{Value: g.Margin, Relative: true}
		}
	}
	return stats.Margin{Relative: true}
}

func directionOf(m *experiment.Metric) stats.Direction {
	if m.Direction == experiment.Decrease {
		return stats.DecreaseIsGood
	}
	return stats.IncreaseIsGood
}

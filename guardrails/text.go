package guardrails

import (
	"fmt"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// harmText says what a breach is about, in the words of the metric.
func harmText(r Rule, t *results.Test) string {
	return fmt.Sprintf("%s in %s: worse than %s by %s%s, beyond the margin of %s (%s, level %.3g)",
		r.Metric, r.Arm, r.Control, amount(r, t.Estimate), bound(r, "at least", t.Bound), amount(r, results.Number(r.Margin)),
		basis(t), t.Alpha)
}

func safeText(r Rule, t *results.Test) string {
	return fmt.Sprintf("%s in %s: not worse than %s by the margin of %s: %s%s (%s, level %.3g)",
		r.Metric, r.Arm, r.Control, amount(r, results.Number(r.Margin)), amount(r, t.Estimate), bound(r, "at most", t.Bound),
		basis(t), t.Alpha)
}

// basis is what a test rests on.
func basis(t *results.Test) string {
	if t.Events != nil {
		return fmt.Sprintf("%d and %d units with an event among %d and %d", t.Events[0], t.Events[1], t.Units[0], t.Units[1])
	}
	return fmt.Sprintf("%d and %d units", t.Units[0], t.Units[1])
}

func undecidedText(r Rule, t *results.Test) string {
	if !t.Estimate.Known() {
		return fmt.Sprintf("%s in %s: nothing to compare with %s yet", r.Metric, r.Arm, r.Control)
	}
	word, by := "worse", t.Estimate
	if by < 0 {
		word, by = "better", -by
	}
	return fmt.Sprintf("%s in %s: %s than %s by %s so far; neither harm beyond %s nor its absence is shown",
		r.Metric, r.Arm, word, r.Control, amount(r, by), amount(r, results.Number(r.Margin)))
}

func bound(r Rule, word string, n results.Number) string {
	if !n.Known() {
		return ""
	}
	return fmt.Sprintf(" (%s %s)", word, amount(r, n))
}

// Amount writes a harm in the units of the rule's margin.
func (r Rule) Amount(n results.Number) string { return amount(r, n) }

// amount writes a harm in the units of the margin.
func amount(r Rule, n results.Number) string {
	switch {
	case !n.Known():
		return "an unknown amount"
	case r.Relative || r.Method == experiment.ByCount:
		return fmt.Sprintf("%.1f %%", float64(n)*100)
	default:
		return fmt.Sprintf("%.4g", float64(n))
	}
}

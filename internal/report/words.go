package report

import (
	"fmt"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// afterText says what came in after the deciding look.
func afterText(a results.AfterDecision) string {
	return fmt.Sprintf("%s units in %s, %s with an event", words.SignedCount(a.Units), a.Variant, words.SignedCount(a.NonZero))
}

// budgetText says how many false alarms the intervals and the kills allow.
func budgetText(b results.Budget) string {
	return fmt.Sprintf("false kills of this iteration at most %s, split over %d; all iterations together %s. Intervals hold at %s, two-sided.",
		words.Share(results.Number(b.AlphaKill)), b.Rules, words.Share(results.Number(b.Spent)), words.Share(results.Number(b.Alpha)))
}

// limits are in words why the guardrails of an iteration may only notify.
func limits(d *results.Document) []string {
	var out []string
	for _, l := range d.Limits {
		switch l {
		case "retrospective":
			out = append(out, "it began before it was applied: its guardrails only notify")
		case "notify_only":
			out = append(out, "it was resumed without a new budget: its guardrails only notify")
		case "closed":
			out = append(out, fmt.Sprintf("it is closed: events from before %s are no longer kept, so its numbers stay as they were counted and cannot be computed again", words.Instant(d.Floor)))
		default:
			out = append(out, l)
		}
	}
	return out
}

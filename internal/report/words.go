package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
	"github.com/assay-dev/assay/stats"
)

// Overall is the verdict of a whole experiment: the worst of its guardrails.
func Overall(d *results.Document) string {
	order := []string{"healthy", "inconclusive", "error", "blind", "breached"}
	worst := -1
	for _, v := range d.Verdicts {
		for i, name := range order {
			if v.Verdict == name && i > worst {
				worst = i
			}
		}
	}
	if worst < 0 {
		return "inconclusive"
	}
	return order[worst]
}

// SRMAlarm tells whether the split of any phase is broken.
func SRMAlarm(d *results.Document) bool {
	for i := range d.Phases {
		if splitBroken(&d.Phases[i]) {
			return true
		}
	}
	return false
}

// splitBroken tells whether the phase's alarm stands. Once raised it does until a
// person acknowledges it, whatever later looks show.
func splitBroken(p *results.Phase) bool {
	if p.Alarm != nil {
		return p.Alarm.Acknowledged.IsZero()
	}
	return p.SRM.Alarm
}

// headline says in one sentence where an experiment stands and what to do. What
// it says of shipping rests on units whose windows are complete.
func headline(d *results.Document) string {
	switch {
	case d.Killed != nil:
		return "Stopped: " + d.Killed.Reason
	case unfinished(d.Kill):
		return fmt.Sprintf("It could NOT be turned off (%s) and goes on: %s", d.Kill.State, d.Kill.Reason)
	case Overall(d) == "breached":
		return "A guardrail is breached: " + worstText(d, "breached")
	case SRMAlarm(d) && splitTrivial(d):
		return fmt.Sprintf("The split is off by a trivial amount, at most %s of an arm's units: find the cause, and acknowledge the alarm.", words.Share(stats.SRMTrivial))
	case SRMAlarm(d):
		return "The split is broken: the arms are not comparable. Find out why before reading any effect."
	case Overall(d) == "blind":
		return "No judgement: " + worstText(d, "blind")
	}
	good, bad := goals(d, true)
	if !d.End.IsZero() && !d.At.Before(d.End) {
		return ended(good, bad)
	}
	better := "Better on " + strings.Join(good, ", ")
	switch {
	case len(bad) > 0:
		return "Worse on " + strings.Join(bad, ", ") + ". Consider stopping."
	case len(good) > 0 && Overall(d) == "healthy":
		return better + ", and every guardrail is shown to be healthy. It can be shipped."
	case len(good) > 0 && len(d.Verdicts) == 0:
		return better + ". No guardrail says whether anything else got worse."
	case len(good) > 0:
		return better + ". Keep running until the guardrails are healthy."
	}
	if name := behindGate(d); name != "" {
		return "Too few units have had an event to rely on what " + name + " shows. Keep running."
	}
	return soFar(goals(d, false))
}

// behindGate names a goal that would be shown to differ, had enough units had an
// event; "" without one.
func behindGate(d *results.Document) string {
	for _, c := range d.Comparisons {
		if tone, _ := judged(c, true); c.Goal && tone != "none" && c.Gate != nil && !c.Gate.Passes {
			return c.Metric
		}
	}
	return ""
}

// soFar says what is shown while windows are not complete: nothing to act on yet.
func soFar(good, bad []string) string {
	const wait = " so far; windows are not complete yet. Keep running."
	switch {
	case len(bad) > 0:
		return "Worse on " + strings.Join(bad, ", ") + wait
	case len(good) > 0:
		return "Better on " + strings.Join(good, ", ") + wait
	default:
		return "Nothing is shown yet. Keep running."
	}
}

// ended says what an experiment has shown that takes no more events.
func ended(good, bad []string) string {
	switch {
	case len(good) == 0 && len(bad) == 0:
		return "It has ended and shows no difference on complete windows."
	case len(bad) == 0:
		return "It has ended: better on " + strings.Join(good, ", ") + "."
	case len(good) == 0:
		return "It has ended: worse on " + strings.Join(bad, ", ") + "."
	default:
		return "It has ended: better on " + strings.Join(good, ", ") + "; worse on " + strings.Join(bad, ", ") + "."
	}
}

// judged is the tone and the effect of a goal: of matured units with the interval of
// its family, if it is in one. Where no lift is bounded the difference is told.
func judged(c results.Comparison, complete bool) (tone, effect string) {
	e := c.Open
	if complete {
		e = c.Matured
	}
	tone, absolute, relative := effectTone(e, c.Direction), e.Absolute.Sequential, e.Relative.Sequential
	if complete && c.Adjusted != nil {
		a := c.Adjusted.Sequential
		tone, absolute, relative = adjustedTone(a, c.Direction), a.Absolute, a.Relative
	}
	if !e.Relative.Estimate.Known() || !relative.Low.Known() && !relative.High.Known() {
		return tone, fmt.Sprintf("%s, %s", words.Difference(e.Absolute.Estimate, c.Kind, c.Unit), words.DifferenceRange(absolute, c.Kind, c.Unit))
	}
	return tone, fmt.Sprintf("%s, %s", words.Percent(e.Relative.Estimate), words.PercentRange(relative))
}

// goals lists the goal metrics that an always-valid interval shows to differ; of
// complete windows within the family of all goals, and once enough units had an event.
func goals(d *results.Document, complete bool) (good, bad []string) {
	several := false
	for _, c := range d.Comparisons {
		several = several || c.Arm != d.Comparisons[0].Arm
	}
	for _, c := range d.Comparisons {
		if !c.Goal || complete && c.Gate != nil && !c.Gate.Passes {
			continue
		}
		name := c.Metric
		if several {
			name += " in " + c.Arm
		}
		tone, effect := judged(c, complete)
		text := fmt.Sprintf("%s (%s)", name, effect)
		switch tone {
		case "good":
			good = append(good, text)
		case "bad":
			bad = append(bad, text)
		}
	}
	return good, bad
}

// unfinished tells whether a kill came to an end that ended nothing.
func unfinished(k *results.Kill) bool {
	return k != nil && (k.State == "denied" || k.State == "failed" || k.State == "pending_approval")
}

// killText tells how far a kill is.
func killText(k *results.Kill) string {
	text := fmt.Sprintf("decision %d by %s at %s", k.Decision, k.By, words.Instant(k.DecidedAt))
	if k.Arm != "" {
		text = k.Arm + " alone, " + text
	}
	if !k.SentAt.IsZero() {
		text += ", sent at " + words.Instant(k.SentAt)
	}
	if !k.ReadBackAt.IsZero() {
		text += ", read back as off at " + words.Instant(k.ReadBackAt)
	}
	if unfinished(k) {
		text += ", " + k.State + ": nothing has ended"
	}
	switch k.Effect {
	case "effective":
		text += ", the exposures stopped"
	case "not_effective":
		text += ", but the EXPOSURES GO ON"
	}
	if !k.OverriddenAt.IsZero() {
		text += ", and was TURNED ON AGAIN (seen at " + words.Instant(k.OverriddenAt) + "): no guard turns this iteration off twice"
	}
	return text
}

// afterText says what came in after the deciding look.
func afterText(a results.AfterDecision) string {
	return fmt.Sprintf("%s units in %s, %s with an event", words.SignedCount(a.Units), a.Variant, words.SignedCount(a.NonZero))
}

// gapText says what a gap may have taken.
func gapText(g results.Gap) string {
	how, known := "were lost before they were read", "accepted"
	switch g.Kind {
	case "before":
		how, known = "were deleted before the topic was first read", "noted"
	case "unstored":
		how = "were counted and are no longer stored"
	case "replaced":
		how = "were not read, because they stand at places that had been counted"
	}
	return fmt.Sprintf("%s records of %s, partition %d, %s (%s at %s)",
		words.Count(int64(g.Records)), g.Topic, g.Partition, how, known, words.Instant(g.AcceptedAt))
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

func worstText(d *results.Document, verdict string) string {
	for _, v := range d.Verdicts {
		if v.Verdict == verdict {
			return v.Text
		}
	}
	return verdict
}

// tone maps a verdict to a colour class.
func tone(verdict string) string {
	switch verdict {
	case "healthy":
		return "good"
	case "breached":
		return "bad"
	case "blind", "error":
		return "warn"
	default:
		return "none"
	}
}

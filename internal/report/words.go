package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/results"
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
	for _, p := range d.Phases {
		if p.SRM.Alarm {
			return true
		}
	}
	return false
}

// headline says in one sentence where an experiment stands and what to do.
func headline(d *results.Document) string {
	switch {
	case d.Killed != nil:
		return "Stopped: " + d.Killed.Reason
	case Overall(d) == "breached":
		return "A guardrail is breached: " + worstText(d, "breached")
	case SRMAlarm(d):
		return "The split is broken: the arms are not comparable. Find out why before reading any effect."
	case Overall(d) == "blind":
		return "No judgement: " + worstText(d, "blind")
	}
	good, bad := goals(d)
	if !d.End.IsZero() && !d.At.Before(d.End) {
		return ended(good, bad)
	}
	switch {
	case len(bad) > 0:
		return "Worse on " + strings.Join(bad, ", ") + ". Consider stopping."
	case len(good) > 0 && Overall(d) == "healthy":
		return "Better on " + strings.Join(good, ", ") + ", and every guardrail is shown to be healthy. It can be shipped."
	case len(good) > 0 && len(d.Verdicts) == 0:
		return "Better on " + strings.Join(good, ", ") + " so far. No guardrail says whether anything else got worse."
	case len(good) > 0:
		return "Better on " + strings.Join(good, ", ") + " so far. Keep running until the guardrails are healthy."
	default:
		return "Nothing is shown yet. Keep running."
	}
}

// ended says what an experiment has shown that takes no more events.
func ended(good, bad []string) string {
	switch {
	case len(good) == 0 && len(bad) == 0:
		return "It has ended and shows no difference."
	case len(bad) == 0:
		return "It has ended: better on " + strings.Join(good, ", ") + "."
	case len(good) == 0:
		return "It has ended: worse on " + strings.Join(bad, ", ") + "."
	default:
		return "It has ended: better on " + strings.Join(good, ", ") + "; worse on " + strings.Join(bad, ", ") + "."
	}
}

// goals lists the goal metrics whose always-valid interval excludes zero.
func goals(d *results.Document) (good, bad []string) {
	several := false
	for _, c := range d.Comparisons {
		several = several || c.Arm != d.Comparisons[0].Arm
	}
	for _, c := range d.Comparisons {
		if !c.Goal {
			continue
		}
		name := c.Metric
		if several {
			name += " in " + c.Arm
		}
		text := fmt.Sprintf("%s (%s, %s)", name, Percent(c.Open.Relative.Estimate), PercentRange(c.Open.Relative.Sequential))
		switch effectTone(c) {
		case "good":
			good = append(good, text)
		case "bad":
			bad = append(bad, text)
		}
	}
	return good, bad
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

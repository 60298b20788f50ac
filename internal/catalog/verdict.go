package catalog

import (
	"slices"

	"github.com/assay-dev/assay/internal/results"
)

// Overall is the verdict of a whole experiment: the worst of its guardrails.
func Overall(d *results.Document) string {
	order := []string{"healthy", "inconclusive", "error", "blind", "breached"}
	worst := -1
	for _, v := range d.Verdicts {
		worst = max(worst, slices.Index(order, v.Verdict))
	}
	if worst < 0 {
		return "inconclusive"
	}
	return order[worst]
}

// SRMAlarm tells whether the split of any phase is broken.
func SRMAlarm(d *results.Document) bool {
	for i := range d.Phases {
		if SplitBroken(&d.Phases[i]) {
			return true
		}
	}
	return false
}

// SplitBroken tells whether the phase's alarm stands. Once raised it does until a
// person acknowledges it, whatever later looks show.
func SplitBroken(p *results.Phase) bool {
	if p.Alarm != nil {
		return p.Alarm.Acknowledged.IsZero()
	}
	return p.SRM.Alarm
}

// SplitTrivial tells whether what is broken is so by less than matters.
func SplitTrivial(d *results.Document) bool {
	for i := range d.Phases {
		if p := &d.Phases[i]; SplitBroken(p) && !p.SRM.Trivial {
			return false
		}
	}
	return true
}

// selected tells whether what takes units out of the arms prefers one of them: the
// split is as intended until crossovers and excluded units are taken out.
func selected(d *results.Document) bool {
	return slices.ContainsFunc(d.Phases, func(p results.Phase) bool { return p.SRMLeft.Alarm && !p.SRM.Alarm })
}

// Unfinished tells whether a kill came to an end that ended nothing.
func Unfinished(k *results.Kill) bool {
	return k != nil && (k.State == "denied" || k.State == "failed" || k.State == "pending_approval")
}

// worstText is what the first guardrail of that verdict says.
func worstText(d *results.Document, verdict string) string {
	for _, v := range d.Verdicts {
		if v.Verdict == verdict {
			return v.Text
		}
	}
	return verdict
}

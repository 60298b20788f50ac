package results

import (
	"fmt"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// AssignmentCheck holds one phase against the limit of the file: the share of its units
// whose assignment, computed anew, is another one than they were shown.
type AssignmentCheck struct {
	Phase uint16 `json:"phase"`
	Units int64  `json:"units"` // computed anew, those that were not drawn left out
	Wrong int64  `json:"wrong"`
	Share Number `json:"share"` // null without units
	// Low is the lower bound of the share and P the p-value of "no more than Limit are",
	// both for every look. The alarm is P < Threshold.
	Low       Number  `json:"low"`
	P         Number  `json:"p"`
	Limit     float64 `json:"limit"`
	Threshold float64 `json:"threshold"`
	Alarm     bool    `json:"alarm"`
	OnAlarm   string  `json:"on_alarm"` // hold, warn
}

// String says what is known, for people.
func (c AssignmentCheck) String() string {
	is := "within the limit so far"
	if c.Alarm {
		is = "more than may"
	}
	return fmt.Sprintf("%d of %d units of phase %d were shown another variant than their assignment gives them, %s: %.2g %% (at least %.2g %%), %.4g %% may",
		c.Wrong, c.Units, c.Phase, is, 100*c.Share.Float(), 100*c.Low.Float(), 100*c.Limit)
}

// Held tells what CrossoverCheck.Held does.
func (c AssignmentCheck) Held() (phase uint16, held bool) {
	return c.Phase, c.Alarm && c.OnAlarm == string(experiment.HoldOnAlarm)
}

// checkAssignments tests every phase, with error rates of its own as the split's are.
func (c *computation) checkAssignments() {
	rule := c.e.Checks.Assignment
	if rule == nil {
		return
	}
	for i := range c.it.Phases {
		number := c.it.Phases[i].Number
		var seen stats.Share
		for _, cell := range c.rest {
			if cell.Metric != ingest.Assignment || cell.Phase != number || cell.Settling {
				continue
			}
			switch cell.Value {
			case mismatch, notInTraffic:
				seen.Successes += cell.Open.N
				seen.Units += cell.Open.N
			case match:
				seen.Units += cell.Open.N
			}
		}
		c.doc.AssignmentChecks = append(c.doc.AssignmentChecks, CheckAssignments(*rule, number, seen))
	}
}

// CheckAssignments holds the units of one phase whose assignment is another one against
// the limit.
func CheckAssignments(rule experiment.AssignmentCheck, phase uint16, seen stats.Share) AssignmentCheck {
	threshold := stats.SRMThreshold(int(phase))
	d := seen.Exceeds(rule.Limit, threshold)
	return AssignmentCheck{
		Phase: phase, Units: seen.Units, Wrong: seen.Successes, Share: Number(float64(seen.Successes) / float64(seen.Units)),
		Low: Number(d.Low), P: Number(d.P), Limit: rule.Limit, Threshold: threshold, Alarm: d.P < threshold, OnAlarm: string(rule.OnAlarm),
	}
}

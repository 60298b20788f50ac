package results

import (
	"fmt"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// CrossoverCheck holds one phase against the limit of the file: the share of its units,
// those of its settling left out, that were seen in two of its variants.
type CrossoverCheck struct {
	Phase   uint16 `json:"phase"`
	Units   int64  `json:"units"`
	Crossed int64  `json:"crossed"`
	Share   Number `json:"share"` // null without units
	// Low is the lower bound of the share and P the p-value of "no more than Limit do",
	// both for every look. The alarm is P < Threshold.
	Low       Number  `json:"low"`
	P         Number  `json:"p"`
	Limit     float64 `json:"limit"`
	Threshold float64 `json:"threshold"`
	Alarm     bool    `json:"alarm"`
	OnAlarm   string  `json:"on_alarm"` // hold, warn
}

// String says what is known, for people.
func (c CrossoverCheck) String() string {
	is := "within the limit so far"
	if c.Alarm {
		is = "more than may"
	}
	return fmt.Sprintf("%d of %d units of phase %d were seen in two variants, %s: %.2g %% (at least %.2g %%), %.4g %% may",
		c.Crossed, c.Units, c.Phase, is, 100*c.Share.Float(), 100*c.Low.Float(), 100*c.Limit)
}

// Held tells whether the guardrails judge nothing while the check is as it is, and in
// which phase that is.
func (c CrossoverCheck) Held() (phase uint16, held bool) {
	return c.Phase, c.Alarm && c.OnAlarm == string(experiment.HoldOnAlarm)
}

// checkCrossovers tests every phase, with the error rates of the phases' splits: 0.01
// over all of them, of its own.
func (c *computation) checkCrossovers() {
	rule := c.e.Checks.Crossovers
	if rule == nil {
		return
	}
	for i := range c.it.Phases {
		p := &c.it.Phases[i]
		var seen stats.Share
		for _, v := range c.e.Variants {
			seen.Units += c.units(p.Number, false, v.Key)
			seen.Successes += c.counted(ingest.CrossoverUnits, p.Number, false, v.Key)
		}
		c.doc.CrossoverChecks = append(c.doc.CrossoverChecks, CheckCrossovers(*rule, p.Number, seen))
	}
}

// CheckCrossovers holds the units of one phase that were seen in two variants against
// the limit.
func CheckCrossovers(rule experiment.CrossoverCheck, phase uint16, seen stats.Share) CrossoverCheck {
	threshold := stats.SRMThreshold(int(phase))
	d := seen.Exceeds(rule.Limit, threshold)
	return CrossoverCheck{
		Phase: phase, Units: seen.Units, Crossed: seen.Successes, Share: Number(float64(seen.Successes) / float64(seen.Units)),
		Low: Number(d.Low), P: Number(d.P), Limit: rule.Limit, Threshold: threshold, Alarm: d.P < threshold, OnAlarm: string(rule.OnAlarm),
	}
}

// budget divides what may be erred by.
func (c *computation) budget(e *experiment.Experiment) Budget {
	b := Budget{Alpha: c.e.Alpha, AlphaKill: c.it.AlphaKill, Rules: c.it.KillRules, Checks: c.checkBudgets()}
	for i := range e.Iterations {
		it := &e.Iterations[i]
		b.Spent += it.AlphaKill
		b.Iterations = append(b.Iterations, BudgetIteration{
			Number: it.Number, AlphaKill: it.AlphaKill, Rules: it.KillRules, Start: it.Start, End: it.End, Killed: it.Killed != nil,
		})
	}
	parts := c.e.BudgetOf(c.it)
	b.Parts = make([]BudgetPart, 0, len(parts))
	for _, p := range parts {
		g := &c.e.Guardrails[p.Guardrail]
		b.Parts = append(b.Parts, BudgetPart{
			Metric: g.Metric, Arm: c.e.Variants[p.Arm].Key, Alpha: p.Alpha, Declared: p.Declared,
			Mode: string(g.Mode), Method: string(g.MethodOf()), Limit: string(p.Limit),
		})
	}
	return b
}

func (c *computation) checkBudgets() []BudgetCheck {
	const all = 0.01 // 2^−j of it for phase j
	out := []BudgetCheck{{Check: "srm", Alpha: all, OnAlarm: string(experiment.HoldOnAlarm)}}
	if x := c.e.Checks.Crossovers; x != nil {
		out = append(out, BudgetCheck{Check: "crossovers", Alpha: all, OnAlarm: string(x.OnAlarm)})
	}
	if x := c.e.Checks.Assignment; x != nil {
		out = append(out, BudgetCheck{Check: "assignment", Alpha: all, OnAlarm: string(x.OnAlarm)})
	}
	return out
}

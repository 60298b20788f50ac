package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

const pageHead = `# Calibration

What the engine promises, held against simulation. Written by ` + "`make simulate-stats`" + `; do not edit.

Every replicate is a whole experiment. Its records go through the join, the join's
deltas into exact sums as the ledger keeps them, the sums into the document of a look,
the document to the guardrails: the code that runs in production, without Kafka and
ClickHouse. (Quantiles and covariates start at the sums that their query returns.)
A figure misses its target if a rate that just meets it would be so far off, or
farther, with a binomial probability of at most 1 % divided by the number of all
figures with a target: an engine that keeps every promise is accused with at most
1 %. (A mean that is no rate: by its standard error and the normal distribution.)
Figures of any look count a replicate once, however often it errs. Looks are spaced
evenly on the logarithm of the number of units unless the scenario says otherwise.
A gate that stays shut would keep every promise: scenarios with one show that it opens.

A *kill* is a guardrail judged ` + "`breached`" + ` on open results at 5 %, without the hold
time that a rule may add. An *interval* is the always-valid one of matured results.
Figures without a target are for comparison; *naive* looks at a fixed p at every look,
which is what the rest is there to avoid.

` + "`make simulate-stats`" + ` makes 20,000 replicates of each scenario of up to 5,000 units,
of a larger one as many fewer as it is larger, and at least 2,000. ` + "`make simulate-stats-short`" + `, in the gate, runs
the scenarios as small as their gates allow, with 500 to 14,000 units and mostly 20 looks:
4,000 replicates of each, 500 or 1,000 of the few that cost most, and none of the three
above 20,000 units. What is promised is the same. That the same records give the same
sums through Kafka and ClickHouse, bit for bit, is shown with 200 experiments by
` + "`go test ./internal/e2e -run TestSameAsInMemory`" + `.

The figures are also in [calibration/](calibration), one JSON file a scenario. The program that made them
goes on from them: with the same seed and ` + "`--commit`" + ` it makes only the replicates that are asked for beyond theirs.
`

// writePage writes the page and its plots.
func writePage(o options, all []outcome) error {
	var b strings.Builder
	b.WriteString(pageHead)
	if len(all) > 0 {
		seconds, cpu := 0.0, 0.0
		for _, f := range all {
			seconds, cpu = seconds+f.Seconds, cpu+f.CPU
		}
		fmt.Fprintf(&b, "\nThis run: commit %s, seed %d, %d scenarios, %s; %.0f minutes, in which it had %.0f minutes of processor time.",
			all[0].Commit, all[0].Seed, len(all), between(all), seconds/60, cpu/60)
		if o.replicates > 0 {
			b.WriteString(" It was asked for fewer replicates than the above.")
		}
		b.WriteString("\n")
		b.WriteString("A rate that may be 0.05 passes up to the following at so many replicates:")
		for i, n := range []int{100, 500, 2_000, 4_000, 20_000} {
			fmt.Fprintf(&b, "%s %.3f at %d", strings.Repeat(",", min(i, 1)), bound{Kind: atMost, Target: alpha}.reach(0, n, shareOf(targets())), n)
		}
		b.WriteString(": few of them find gross errors only.\n")
	}
	b.WriteString("\n![How often each promise was broken, as a part of what was promised](images/calibration.svg)\n")
	b.WriteString("\n![Mean number of units until an effect is found, beside GAVI and Wald's test](images/calibration-units.svg)\n")
	missed(&b, all)
	summary(&b, all)
	for _, f := range all {
		fmt.Fprintf(&b, "\n## %s\n\n%s. N = %d, %d looks, %d replicates.\n\n", f.Scenario, sentence(f.About), f.Units, f.Looks, f.Replicates)
		b.WriteString("| figure | observed | target | |\n|---|---:|---|---|\n")
		for _, m := range f.Figures {
			verdict := ""
			if m.Bound.Kind != shown {
				verdict = "holds"
			}
			if !m.Passes {
				verdict = "**misses**"
			}
			fmt.Fprintf(&b, "| %s | %.4f | %s | %s |\n", inTable(m.Name), m.Mean, m.Bound, verdict)
		}
	}
	if err := os.WriteFile(o.page, []byte(b.String()), 0o644); err != nil { //nolint:gosec // a page for everybody
		return fmt.Errorf("write page: %w", err)
	}
	if err := os.MkdirAll(o.images, 0o755); err != nil { //nolint:gosec // likewise
		return fmt.Errorf("write plot: %w", err)
	}
	for name, plot := range map[string]string{"calibration.svg": plotErrors(all), "calibration-units.svg": plotUnits(all)} {
		if err := os.WriteFile(filepath.Join(o.images, name), []byte(plot), 0o644); err != nil { //nolint:gosec // likewise
			return fmt.Errorf("write plot: %w", err)
		}
	}
	return nil
}

// inTable keeps a bar from ending the table's cell.
func inTable(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// missed lists plainly what does not hold. A kill that does may not be made.
func missed(b *strings.Builder, all []outcome) {
	b.WriteString("\n## What misses its target\n\n")
	none := true
	for _, f := range all {
		for _, m := range f.Figures {
			if m.Passes {
				continue
			}
			none = false
			fmt.Fprintf(b, "- **%s**: %s, observed %.4f, target %s.", f.Scenario, m.Name, m.Mean, m.Bound)
			if strings.Contains(m.Name, "kill") {
				b.WriteString(" A guardrail on such a metric may only notify.")
			}
			b.WriteString("\n")
		}
	}
	if none {
		b.WriteString("Nothing: every figure with a target meets it, so no metric here is confined to notifying.\n")
	}
}

// summary is a line a scenario: the figure that comes closest to breaking its target.
func summary(b *strings.Builder, all []outcome) {
	b.WriteString("\n## All scenarios\n\nOf each, the figure that is closest to its limit; the rest is below.\n\n")
	b.WriteString("| scenario | N | replicates | figure | observed | target | passes to | |\n|---|---:|---:|---|---:|---|---:|---|\n")
	for _, f := range all {
		m := f.closest()
		if m == nil {
			continue
		}
		verdict := "holds"
		if !m.Passes {
			verdict = "**misses**"
		}
		fmt.Fprintf(b, "| %s | %d | %d | %s | %.4f | %s | %.4f | %s |\n", f.Scenario, f.Units, f.Replicates, inTable(m.Name), m.Mean, m.Bound, m.Reach, verdict)
	}
}

// closest is the figure that is nearest to missing its target; nil without a target.
func (f *outcome) closest() *measure {
	var out *measure
	least := math.Inf(1)
	for i := range f.Figures {
		m := &f.Figures[i]
		var left float64 // until it misses, in standard errors of the target
		se := math.Sqrt(m.Bound.Target * (1 - m.Bound.Target) / float64(f.Replicates))
		if m.Bound.Kind == about {
			se = m.SD / math.Sqrt(float64(f.Replicates))
		}
		switch m.Bound.Kind {
		case shown:
			continue
		case atLeast:
			left = (m.Mean - m.Bound.Target) / se
		case near, about:
			left = (m.Bound.Within - math.Abs(m.Mean-m.Bound.Target)) / se
		default:
			left = (m.Bound.Target - m.Mean) / se
		}
		if math.IsNaN(left) { // a target of 0 that is met
			left = math.MaxFloat64
		}
		if !m.Passes {
			left = math.Inf(-1)
		}
		if left < least {
			out, least = m, left
		}
	}
	return out
}

// between says how many replicates the scenarios have.
func between(all []outcome) string {
	least, most := all[0].Replicates, all[0].Replicates
	for _, f := range all {
		least, most = min(least, f.Replicates), max(most, f.Replicates)
	}
	if least == most {
		return fmt.Sprintf("%d replicates of each", least)
	}
	return fmt.Sprintf("%d to %d replicates of each", least, most)
}

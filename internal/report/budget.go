package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// textBudget says what may be erred by, and what that is spent on.
func textBudget(b *strings.Builder, d *results.Document) {
	fmt.Fprintf(b, "budget: %s\n", budgetText(d.Budget))
	for _, line := range spentLines(d) {
		fmt.Fprintf(b, "  %s\n", line)
	}
	var rows []string
	for _, p := range budgetLines(d.Budget) {
		rows = append(rows, strings.Join([]string{p.Name, p.Arm, p.Part, p.Method, p.Mode}, "\t"))
	}
	if len(rows) > 0 {
		b.WriteByte('\n')
	}
	table(b, "BUDGET OF\tARM\tPART\tMETHOD\tMAY", rows)
}

// budgetLine is one part of a budget in words.
type budgetLine struct{ Name, Arm, Part, Method, Mode string }

func budgetLines(budget results.Budget) []budgetLine {
	var out []budgetLine
	for _, p := range budget.Parts {
		line := budgetLine{Name: p.Metric, Arm: p.Arm, Part: alphaText(p.Alpha), Method: p.Method, Mode: p.Mode}
		if !p.Declared {
			line.Part += " of messages"
		}
		if why := results.OnlyNotifies(experiment.Limit(p.Limit)); why != "" {
			line.Mode += "; " + why
		}
		out = append(out, line)
	}
	for _, c := range budget.Checks {
		out = append(out, budgetLine{Name: c.Check + " (check)", Arm: "all", Part: alphaText(c.Alpha), Method: "its own", Mode: c.OnAlarm + ", never kill"})
	}
	return out
}

func alphaText(alpha float64) string { return fmt.Sprintf("%.3g %%", 100*alpha) }

// spentLines are the iterations that spent something, when there are several.
func spentLines(d *results.Document) []string {
	if len(d.Budget.Iterations) < 2 {
		return nil
	}
	var out []string
	for _, it := range d.Budget.Iterations {
		how := fmt.Sprintf("%s to %s", words.Instant(it.Start), words.Instant(it.End))
		if it.Killed {
			how += ", killed"
		}
		if it.Number == d.Iteration {
			how += ", this one"
		}
		out = append(out, fmt.Sprintf("iteration %d of %d: %s split over %d (%s)", it.Number, d.Iterations, alphaText(it.AlphaKill), it.Rules, how))
	}
	return out
}

// textCrossovers tells who saw two variants, and whether that is more than may be.
func textCrossovers(b *strings.Builder, d *results.Document) {
	for _, c := range d.Crossovers {
		fmt.Fprintf(b, "crossovers: %s units saw %s, then %s (phase %d)\n", words.Count(c.Units), c.First, c.Other, c.Phase)
	}
	for _, c := range d.CrossoverChecks {
		if c.Units > 0 {
			fmt.Fprintf(b, "crossover check (%s): %s\n", c.OnAlarm, c)
		}
	}
}

// anomalyText says what is not as it was, since when, and whether anything follows.
func anomalyText(a results.Anomaly) string {
	if a.Blind {
		return fmt.Sprintf("%s, nothing is judged by it (since %s): %s", a, words.Instant(a.Since), a.Text)
	}
	return fmt.Sprintf("%s (at %s): %s", a, words.Instant(a.Since), a.Text)
}

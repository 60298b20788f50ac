package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// PlanText writes how an experiment is analysed, for a terminal: each method with
// its reason, and its gates with what would open them.
func PlanText(w io.Writer, d *results.Document) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s · iteration %d of %d · plan of the analysis as of %s\n", d.Experiment, d.Iteration, d.Iterations, words.Instant(d.At))
	if f := goalFamily(d); f != nil {
		b.WriteString(familyText(*f) + "\n")
	}
	for _, p := range d.Plan {
		fmt.Fprintf(&b, "\n%s: %s\n  %s\n", planTitle(p), p.Method, p.Why)
		for _, c := range p.Gates {
			fmt.Fprintf(&b, "  %-8s %-16s %s\n", c.State, c.Code, conditionText(c))
		}
	}
	if len(d.Plan) == 0 {
		b.WriteString("this iteration asks no question yet\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

func planTitle(p results.Plan) string {
	if p.For == results.PlanSplit {
		return fmt.Sprintf("split of phase %d", p.Phase)
	}
	return fmt.Sprintf("%s of %s in %s", p.For, p.Metric, p.Arm)
}

// planLine is a question's plan for pages.
type planLine struct {
	results.Plan
	Title string
	Gates []gateLine
	Open  int // gates that are not met
}

// gateLine is one condition of a method.
type gateLine struct{ State, Tone, Code, Text string }

func planLines(d *results.Document) []planLine {
	tones := map[string]string{results.Met: "good", results.NotMet: "warn", results.Assumed: "none"}
	var out []planLine
	for _, p := range d.Plan {
		l := planLine{Plan: p, Title: planTitle(p)}
		for _, c := range p.Gates {
			l.Gates = append(l.Gates, gateLine{c.State, tones[c.State], c.Code, conditionText(c)})
			if c.State == results.NotMet {
				l.Open++
			}
		}
		out = append(out, l)
	}
	return out
}

// planSummary is what stands on the page before a reader opens the plan.
func planSummary(d *results.Document) string {
	notMet := 0
	for _, l := range planLines(d) {
		notMet += l.Open
	}
	text := fmt.Sprintf("How each question is answered, why, and on what it rests: %d questions", len(d.Plan))
	switch notMet {
	case 0:
		return text + ", every condition that can be checked is met"
	case 1:
		return text + ", one condition is not met"
	}
	return fmt.Sprintf("%s, %d conditions are not met", text, notMet)
}

// conditionText is a condition with its count and the number of units that lifts it.
func conditionText(c results.Condition) string {
	text := c.Text
	if c.Need.Known() && c.Of != "" {
		have := "none"
		if c.Have.Known() && c.Have != 0 {
			have = amount(c.Have)
		}
		text += fmt.Sprintf(" (has %s, needs %s: %s)", have, amount(c.Need), c.Of)
	}
	if c.Lift > 0 {
		text += fmt.Sprintf("; about %s units of both arms would do", words.Count(c.Lift))
	}
	return text
}

// amount writes a count, or a number that is none.
func amount(n results.Number) string {
	if x := n.Float(); x == float64(int64(x)) {
		return words.Count(int64(x))
	}
	return words.Plain(n)
}

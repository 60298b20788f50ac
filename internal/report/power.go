package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/internal/planning"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// Power is what is planned for one experiment.
type Power struct {
	Experiment string             `json:"experiment"`
	Answers    []planning.Answer  `json:"answers"`
	Guardrails []planning.Healthy `json:"guardrails,omitempty"`
	Missing    []planning.Missing `json:"missing,omitempty"`
}

const powerHeader = "METRIC\tARM\tLOOKING\tUNITS NEEDED\tTIMES ONE LOOK\tUNITS ON AVERAGE\tDAYS\tDAYS ON AVERAGE\tLIFT AT PLAN\tPOWER AT PLAN\tPOWER NOW"

// PowerText writes a plan for a terminal.
func PowerText(w io.Writer, p *Power) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", p.Experiment)
	if len(p.Answers) > 0 {
		a := p.Answers[0]
		fmt.Fprintf(&b, " · to find a lift of %s with a power of %s (alpha %s, two-sided; %s units planned)",
			words.Percent(results.Number(a.Lift)), words.Share(results.Number(a.Power)), words.Share(results.Number(a.Alpha)), words.Count(a.Plan))
	}
	b.WriteString("\n\n")
	var rows []string
	for i := range p.Answers {
		rows = append(rows, powerRows(&p.Answers[i])...)
	}
	table(&b, powerHeader, rows)
	b.WriteString(healthyText(p.Guardrails))
	for i := range p.Answers {
		b.WriteString(powerBasis(&p.Answers[i]) + "\n")
	}
	for _, m := range p.Missing {
		fmt.Fprintf(&b, "%s: no answer, %s\n", m.Metric, m.Why)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

const healthyHeader = "GUARDRAIL\tARM\tMARGIN\tUNITS FOR HEALTHY\tUNITS ON AVERAGE\tDAYS\tDAYS ON AVERAGE\tHEALTHY BY PLAN"

// healthyText says what guardrails need to be healthy; "" without any.
func healthyText(all []planning.Healthy) string {
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "healthy guardrails: units by which an arm that does no harm is shown not to, with a chance of %s (alpha %s, one-sided)\n\n",
		words.Share(results.Number(all[0].Power)), words.Share(results.Number(all[0].Alpha)))
	rows := make([]string, len(all))
	for i, h := range all {
		rows[i] = strings.Join([]string{h.Metric, h.Arm, number(h.Margin), wholeUnits(h.Size), wholeUnits(h.Expected), days(h.Days), days(h.ExpectedDays), words.Share(h.PlanPower)}, "\t")
	}
	table(&b, healthyHeader, rows)
	return b.String()
}

// powerRows are one line for each way of looking.
func powerRows(a *planning.Answer) []string {
	rows := []string{powerRow(a, "once, at the end", &a.Fixed), powerRow(a, "always", &a.Sequential)}
	if a.Group != nil {
		rows = append(rows, powerRow(a, fmt.Sprintf("%d dated looks", a.Looks), a.Group))
	}
	return rows
}

func powerRow(a *planning.Answer, how string, m *planning.Method) string {
	times := words.Unknown
	if n := results.Number(m.Size.Float() / a.Fixed.Size.Float()); n.Known() {
		times = strconv.FormatFloat(n.Float(), 'f', 2, 64)
	}
	return strings.Join([]string{a.Metric, a.Arm, how, wholeUnits(m.Size), times, wholeUnits(m.Expected),
		days(m.Days), days(m.ExpectedDays), words.Percent(m.Detectable), words.Share(m.PlanPower), words.Share(m.NowPower)}, "\t")
}

// powerBasis says what an answer stands on.
func powerBasis(a *planning.Answer) string {
	out := fmt.Sprintf("%s, %s (%s): control's mean %s, a unit's deviation %s, %s of the pair treated",
		a.Metric, a.Arm, a.Kind, number(a.Mean), number(a.SD), words.Share(results.Number(a.Share)))
	if a.Units > 0 {
		out += fmt.Sprintf(", %s units so far", words.Count(a.Units))
	}
	if a.PerDay > 0 {
		out += fmt.Sprintf(", %s new units a day", wholeUnits(a.PerDay))
	}
	return out + "; from: " + a.Basis
}

func number(n results.Number) string {
	if !n.Known() {
		return words.Unknown
	}
	return words.Plain(n)
}

// wholeUnits rounds up: half a unit is none.
func wholeUnits(n results.Number) string {
	if !n.Known() || n > 1e15 {
		return words.Unknown
	}
	return words.Count(int64(math.Ceil(n.Float() - 1e-9)))
}

func days(n results.Number) string {
	if !n.Known() {
		return words.Unknown
	}
	return strconv.FormatFloat(n.Float(), 'f', 1, 64)
}

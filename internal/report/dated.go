package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// datedLine is one look at one goal in words.
type datedLine struct{ Name, Arm, Look, At, Units, Information, Z, Boundary, Interval, Verdict string }

// datedText says what the dated looks are, and where they stand.
func datedText(d *results.Dated) string {
	name := strings.ReplaceAll(d.Design, "_", " ")
	if d.Gamma != 0 {
		name += fmt.Sprintf(" (gamma %v)", d.Gamma)
	}
	out := fmt.Sprintf("goals at dated looks: %d looks, %s, %s units planned; goals are decided here, the intervals for every look decide nothing",
		len(d.Dates), name, words.Count(d.PlannedUnits))
	switch {
	case d.Next.IsZero():
	case d.Next.Equal(d.Dates[0]):
		out += "; nothing is decided before the first look at " + words.Instant(d.Next)
	default:
		out += "; next look at " + words.Instant(d.Next)
	}
	return out
}

func datedLines(d *results.Dated) []datedLine {
	var out []datedLine
	for _, g := range d.Goals {
		for _, l := range g.Looks {
			out = append(out, datedLine{
				Name: g.Metric, Arm: g.Arm, Look: fmt.Sprint(l.Number), At: words.Instant(l.At), Units: words.Count(l.Units),
				Information: words.Share(l.Fraction), Z: zText(l.Z), Boundary: zText(l.Boundary),
				Interval: words.DifferenceRange(l.Interval, g.Kind, g.Unit), Verdict: strings.ReplaceAll(l.Verdict, "_", " "),
			})
		}
	}
	return out
}

// datedEnds say of each goal where it stands.
func datedEnds(d *results.Dated) []string {
	out := make([]string, len(d.Goals))
	for i, g := range d.Goals {
		text := fmt.Sprintf("%s, %s: ", g.Metric, g.Arm)
		switch g.Verdict {
		case results.DatedWaiting:
			text += "no look yet, nothing is decided"
		case results.DatedContinue:
			text += "not crossed so far, goes on"
		case results.DatedCrossed:
			text += fmt.Sprintf("an effect is shown at look %d", g.StoppedAt)
		default:
			text += "no effect is shown at the last look"
		}
		if g.Estimate.Known() {
			text += fmt.Sprintf("; difference %s (%s), p %s, adjusted for the looks",
				words.Difference(g.Estimate, g.Kind, g.Unit), words.DifferenceRange(g.Interval, g.Kind, g.Unit), words.PValue(g.P))
		}
		out[i] = text
	}
	return out
}

func zText(n results.Number) string {
	if !n.Known() {
		return words.Unknown
	}
	return words.Fixed(n, 2)
}

func textDated(b *strings.Builder, d *results.Document) {
	if d.Dated == nil {
		return
	}
	b.WriteString(datedText(d.Dated) + "\n")
	var rows []string
	for _, l := range datedLines(d.Dated) {
		rows = append(rows, strings.Join([]string{l.Name, l.Arm, l.Look, l.At, l.Units, l.Information, l.Z, l.Boundary, l.Interval, l.Verdict}, "\t"))
	}
	table(b, "METRIC\tARM\tLOOK\tAT\tUNITS\tINFORMATION\tZ\tBOUNDARY\tDIFFERENCE, ALL LOOKS\tVERDICT", rows)
	b.WriteString(strings.Join(datedEnds(d.Dated), "\n") + "\n\n")
}

// decidedByDate tells whether a goal is decided at dated looks, and hence by no other.
func decidedByDate(d *results.Document, metric, arm string) bool {
	if d.Dated == nil {
		return false
	}
	for _, g := range d.Dated.Goals {
		if g.Metric == metric && g.Arm == arm {
			return true
		}
	}
	return false
}

// completeText heads the goals' table.
func completeText(d *results.Document) string {
	if d.Dated != nil {
		return "goals, of units whose windows are complete: decided at the dated looks below"
	}
	return "goals, of units whose windows are complete: decide by these"
}

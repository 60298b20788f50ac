package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// familyLine is one comparison as its family judges it.
type familyLine struct {
	Name, Arm  string
	Relative   string // with its adjusted interval for every look
	Absolute   string
	P          results.Number
	OneLook    string // interval
	Conclusion string
}

// familyText says of a family what shares the error rate, how, and what for.
func familyText(f results.Family) string {
	rate := words.Share(results.Number(f.Alpha))
	promise := "the chance that any of them misses is at most " + rate
	switch experiment.Adjustment(f.Correction) {
	case experiment.BenjaminiHochberg, experiment.BenjaminiYekutieli:
		promise = "of the effects found, and of their intervals, at most " + rate + " are expected to be wrong"
	case experiment.Holm:
		promise += "; where an interval ends at 0 only the direction is shown, 0 is no part of it"
	case experiment.Bonferroni, experiment.Unadjusted:
	}
	how := f.Correction
	if f.Primary != "" {
		how += fmt.Sprintf(", %s of the rate to %s", words.Share(results.Number(f.Share)), f.Primary)
	}
	return fmt.Sprintf("goals × arms: %d comparisons, %s: %s", f.Size, how, promise)
}

// goalFamily is the family of the goals; nil without one.
func goalFamily(d *results.Document) *results.Family {
	for i := range d.Families {
		if d.Families[i].Name == results.GoalFamily {
			return &d.Families[i]
		}
	}
	return nil
}

// familyLines lists the goals as their family judges them, quantiles too.
func familyLines(d *results.Document) []familyLine {
	var out []familyLine
	for _, c := range d.Comparisons {
		if c.Adjusted != nil && c.Overflow == 0 && anyMatured(c) {
			l := familyLineOf(c.Metric, c.Arm, c.Kind, c.Unit, c.Direction, c.Matured, c.Adjusted)
			if c.Gate != nil && !c.Gate.Passes {
				l.Conclusion = "too few events"
			}
			if decidedByDate(d, c.Metric, c.Arm) {
				l.Conclusion = "see dated looks"
			}
			out = append(out, l)
		}
	}
	for _, r := range slowRows(d) {
		if r.Adjusted != nil {
			out = append(out, familyLineOf(r.Name, r.Arm, r.Kind, r.Unit, r.Direction, r.Estimate, r.Adjusted))
		}
	}
	return out
}

func familyLineOf(name, arm, kind, unit, direction string, e results.Estimate, a *results.Adjusted) familyLine {
	s := a.Sequential
	return familyLine{
		Name: name, Arm: arm,
		Relative: words.PercentWithin(e.Relative.Estimate, s.Relative), Absolute: words.DifferenceWithin(e.Absolute.Estimate, s.Absolute, kind, unit),
		P: s.P, OneLook: words.PercentRange(a.Fixed.Relative), Conclusion: conclusion(s, direction),
	}
}

// conclusion is what an adjusted test shows.
func conclusion(e results.AdjustedEffect, direction string) string {
	switch catalog.AdjustedTone(e, direction) {
	case catalog.Good:
		return "better"
	case catalog.Bad:
		return "worse"
	}
	return "not shown"
}

func textFamilies(b *strings.Builder, d *results.Document) {
	f, lines := goalFamily(d), familyLines(d)
	if f == nil || len(lines) == 0 {
		return
	}
	rows := make([]string, len(lines))
	for i, l := range lines {
		rows[i] = strings.Join([]string{l.Name, l.Arm, l.Conclusion, l.Absolute, l.OneLook, l.Relative, words.PValue(l.P)}, "\t")
	}
	b.WriteString(familyText(*f) + "\n")
	table(b, "METRIC\tARM\tSHOWN\tDIFFERENCE, EVERY LOOK\tINTERVAL, ONE LOOK\tEFFECT, EVERY LOOK\tADJUSTED P", rows)
}

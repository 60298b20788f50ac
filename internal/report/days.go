package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// dayConclusion says whether the effect depends on the day of exposure.
func dayConclusion(d results.Days) string {
	if !d.Slope.Known() {
		return fmt.Sprintf("%s in %s: a drift needs two days of one phase with units enough in both arms, there are none yet", d.Metric, d.Arm)
	}
	numbers := fmt.Sprintf("%s in %s: the effect grows by %s (%s) with each day of first exposure, p %s",
		d.Metric, d.Arm, words.Difference(d.Slope, d.Kind, d.Unit), words.DifferenceRange(d.Fixed, d.Kind, d.Unit), words.PValue(d.P))
	if d.Drifts {
		return numbers + ": the effect of all units is an average of different effects"
	}
	return numbers + ", no drift is shown"
}

const dayColumns = "DAY\tPHASE\tUNITS\tIN CONTROL\tDIFFERENCE, ONE LOOK\tEFFECT, ONE LOOK"

// dayRows are the effects of each day, in dayColumns.
func dayRows(days results.Days) [][]string {
	var rows [][]string
	for _, x := range days.Days {
		rows = append(rows, []string{x.Day, fmt.Sprint(x.Phase), words.Count(x.Treatment.Units), words.Count(x.Control.Units),
			words.DifferenceWithin(x.Absolute.Estimate, x.Absolute.Fixed, days.Kind, days.Unit), words.PercentWithin(x.Relative.Estimate, x.Relative.Fixed)})
	}
	return rows
}

// severalDays are those that have anything to compare.
func severalDays(d *results.Document) []results.Days {
	return slices.DeleteFunc(slices.Clone(d.Days), func(x results.Days) bool { return len(x.Days) < 2 })
}

func textDays(b *strings.Builder, d *results.Document) {
	if len(d.Days) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n", results.DayNote)
	for _, days := range d.Days {
		var rows []string
		for _, r := range dayRows(days) {
			rows = append(rows, strings.Join(r, "\t"))
		}
		fmt.Fprintf(b, "%s\n", dayConclusion(days))
		table(b, dayColumns, rows)
	}
}

// dayPlot draws the difference among the units of each day of first exposure.
func dayPlot(d results.Days) template.HTML {
	var marks []plots.Mark
	for _, x := range d.Days {
		marks = append(marks, plots.Mark{Label: x.Day[len("2006-"):], Title: dayText(d, x), Effect: x.Absolute})
	}
	return plots.Marks(marks, d.Kind, d.Unit, fmt.Sprintf("difference of %s in %s by the day of first exposure", d.Metric, d.Arm))
}

func dayText(d results.Days, x results.DayEffect) string {
	return fmt.Sprintf("%s, phase %d: %s, %s and %s units", x.Day, x.Phase,
		words.DifferenceWithin(x.Absolute.Estimate, x.Absolute.Fixed, d.Kind, d.Unit), words.Count(x.Treatment.Units), words.Count(x.Control.Units))
}

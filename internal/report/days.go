package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/results"
)

// dayConclusion says whether the effect depends on the day of exposure.
func dayConclusion(d results.Days) string {
	numbers := fmt.Sprintf("%s in %s: the effect grows by %s (%s) with each day of first exposure, p %s",
		d.Metric, d.Arm, Difference(d.Slope, d.Kind, d.Unit), DifferenceRange(d.Fixed, d.Kind, d.Unit), PValue(d.P))
	if d.Drifts {
		return numbers + ": the effect of all units is an average of different effects"
	}
	return numbers + ", no drift is shown"
}

func textDays(b *strings.Builder, d *results.Document) {
	if len(d.Days) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n", results.DayNote)
	for _, days := range d.Days {
		var rows []string
		for _, x := range days.Days {
			rows = append(rows, strings.Join([]string{x.Day, fmt.Sprint(x.Phase), Count(x.Treatment.Units), Count(x.Control.Units),
				Difference(x.Absolute.Estimate, days.Kind, days.Unit), DifferenceRange(x.Absolute.Fixed, days.Kind, days.Unit),
				Percent(x.Relative.Estimate)}, "\t"))
		}
		fmt.Fprintf(b, "%s\n", dayConclusion(days))
		table(b, "DAY\tPHASE\tUNITS\tIN CONTROL\tDIFFERENCE\tINTERVAL, ONE LOOK\tEFFECT", rows)
	}
}

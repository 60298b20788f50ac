package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// armsAbout says what an arm's own interval is, and what it is not.
const armsAbout = "each arm alone, for one look (Wilson's interval for shares, Student's t for means): two arms can differ although these overlap, so read the difference"

// armsText is armsAbout for a page that has any of them.
func armsText(d *results.Document) string {
	for _, c := range d.Comparisons {
		if c.Open.Control.Interval != nil || c.Open.Treatment.Interval != nil {
			return armsAbout
		}
	}
	return ""
}

// meanRange writes the interval of an arm's mean, its unit once: 0.497 to 0.808 USD; ""
// without one.
func meanRange(a results.Arm, kind, unit string) string {
	if a.Interval == nil {
		return ""
	}
	low, high := words.Mean(a.Interval.Low, kind, unit), words.Mean(a.Interval.High, kind, unit)
	if number, suffix, two := strings.Cut(low, " "); two && strings.HasSuffix(high, " "+suffix) {
		low = number
	}
	return low + " to " + high
}

// textArms lists the arms of each metric with their own intervals: of complete windows
// where there are any, as goals are decided by.
func textArms(b *strings.Builder, d *results.Document) {
	var rows []string
	seen := map[string]bool{}
	for _, c := range d.Comparisons {
		e, of := c.Open, "so far"
		if c.Goal && anyMatured(c) {
			e, of = c.Matured, "complete windows"
		}
		for _, x := range []struct {
			name string
			arm  results.Arm
		}{{d.Control, e.Control}, {c.Arm, e.Treatment}} {
			row := strings.Join([]string{c.Metric, x.name, words.Count(x.arm.Units), words.Mean(x.arm.Mean, c.Kind, c.Unit), meanRange(x.arm, c.Kind, c.Unit), of}, "\t")
			if x.arm.Interval == nil || seen[row] { // a control without phases of unequal shares is the same in every pair
				continue
			}
			seen[row] = true
			rows = append(rows, row)
		}
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "%s\n", armsAbout)
		table(b, "METRIC\tARM\tUNITS\tMEAN\tINTERVAL, ONE LOOK\tOF", rows)
	}
}

package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// segmentTable is one metric of one arm by one dimension.
type segmentTable struct {
	Title      string // conversion in treatment by device, complete windows
	Conclusion string
	Tone       string
	Lines      []segmentLine
}

// segmentLine is one value of the dimension.
type segmentLine struct {
	Value          string
	Units, Control int64
	Difference     string // with the interval for every look
	Effect         string // the same, relative
	Guess          string // the shrunk difference with its interval
	Family         string // what is shown among all segments of goals
}

// segmentTables lists the goals by dimension, and of other metrics what looks
// different somewhere: a table for each of them would be read for what chance made.
func segmentTables(d *results.Document) []segmentTable {
	var out []segmentTable
	for _, c := range d.Comparisons {
		for _, s := range c.Segments {
			if c.Goal || s.Suspect || s.Differs {
				out = append(out, segmentTableOf(c, s))
			}
		}
	}
	return out
}

func segmentTableOf(c results.Comparison, s results.Segmentation) segmentTable {
	out := segmentTable{Title: fmt.Sprintf("%s in %s by %s, all units so far", c.Metric, c.Arm, s.Dimension), Tone: "none"}
	if s.Matured {
		out.Title = fmt.Sprintf("%s in %s by %s, complete windows", c.Metric, c.Arm, s.Dimension)
	}
	out.Conclusion = segmentConclusion(s)
	if s.Differs {
		out.Tone = "warn"
	}
	for _, x := range s.Segments {
		guess := words.DifferenceWithin(x.Shrunk.Estimate, x.Shrunk.Interval, c.Kind, c.Unit)
		if !x.Shrunk.Estimate.Known() {
			guess = words.Unknown
		}
		family := ""
		if a := x.Adjusted; a != nil {
			family = fmt.Sprintf("%s (p %s)", conclusion(a.Sequential, c.Direction), words.PValue(a.Sequential.P))
		}
		out.Lines = append(out.Lines, segmentLine{
			Family: family,
			Value:  x.Value, Units: x.Treatment.Units, Control: x.Control.Units,
			Difference: words.DifferenceWithin(x.Absolute.Estimate, x.Absolute.Sequential, c.Kind, c.Unit),
			Effect:     words.PercentWithin(x.Relative.Estimate, x.Relative.Sequential), Guess: guess,
		})
	}
	return out
}

// segmentConclusion says whether the segments may be read at all.
func segmentConclusion(s results.Segmentation) string {
	test := fmt.Sprintf("p of equal effects %s at one look, I² %s", words.PValue(s.P), words.Share(s.I2))
	switch {
	case s.Differs:
		return fmt.Sprintf("the effect differs by %s, shown at every look (%s)", s.Dimension, test)
	case s.Suspect:
		return fmt.Sprintf("the effect may differ by %s: it does if this look was planned, and is not shown at every look (%s)", s.Dimension, test)
	default:
		return fmt.Sprintf("no difference by %s is shown: read the effect of all units, the segments are no finding (%s)", s.Dimension, test)
	}
}

func textSegments(b *strings.Builder, d *results.Document) {
	for _, t := range segmentTables(d) {
		var rows []string
		for _, l := range t.Lines {
			rows = append(rows, strings.Join([]string{l.Value, words.Count(l.Units), words.Count(l.Control), l.Difference, l.Effect, l.Guess, l.Family}, "\t"))
		}
		fmt.Fprintf(b, "%s\n%s\n", t.Title, t.Conclusion)
		table(b, "SEGMENT\tUNITS\tIN CONTROL\tDIFFERENCE, EVERY LOOK\tEFFECT, EVERY LOOK\tBEST GUESS OF THE DIFFERENCE\tAMONG ALL SEGMENTS", rows)
	}
}

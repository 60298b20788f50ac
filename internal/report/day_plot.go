package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/assay-dev/assay/internal/results"
)

const (
	dayHeight  = 150.0
	dayLeft    = 96.0
	dayBottom  = 18.0
	dayLabels  = 6 // days that are named below the plot, at most
	dayEndHalf = 4.0
)

// dayPlot draws the difference among the units of each day with its interval for one
// look, zero as a dashed line. A day whose interval is far wider than the others' goes
// on beyond the edge.
func dayPlot(d results.Days) template.HTML {
	if len(d.Days) < 2 {
		return ""
	}
	var all, shown []results.Interval
	for _, x := range d.Days {
		all = append(all, x.Absolute.Fixed)
		shown = append(shown, results.Interval{Low: x.Absolute.Estimate, High: x.Absolute.Estimate})
	}
	v := scaleOf(dayHeight-dayBottom, append(shown, clip(all)...)...)
	y := func(n results.Number, edge float64) float64 { return dayHeight - dayBottom - v.at(n, edge) }
	step := (historyWidth - dayLeft) / float64(len(d.Days))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="history none" viewBox="0 0 %.0f %.0f" role="img" aria-label="difference of %s by the day of first exposure">`,
		historyWidth, dayHeight, template.HTMLEscapeString(d.Metric+" in "+d.Arm))
	fmt.Fprintf(&b, `<line class="zero" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/>`, dayLeft, historyWidth, y(0, 0), y(0, 0))
	for _, n := range []results.Number{results.Number(v.low), 0, results.Number(v.high)} {
		if n == 0 || math.Abs(y(n, 0)-y(0, 0)) > 12 {
			fmt.Fprintf(&b, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`, dayLeft-6, math.Max(10, y(n, 0)+4),
				template.HTMLEscapeString(Difference(n, d.Kind, d.Unit)))
		}
	}
	every := (len(d.Days) + dayLabels - 1) / dayLabels
	for i, x := range d.Days {
		at := dayLeft + (float64(i)+.5)*step
		dayMark(&b, d, x, at, y, v)
		if i%every == 0 {
			fmt.Fprintf(&b, `<text x="%.1f" y="%.0f" text-anchor="middle">%s</text>`, at, dayHeight-3, x.Day[len("2006-"):])
		}
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // numbers, dates and escaped labels only
}

// dayMark draws one day, with its numbers for whoever points at it.
func dayMark(b *strings.Builder, d results.Days, x results.DayEffect, at float64, y func(results.Number, float64) float64, v scale) {
	if !x.Absolute.Estimate.Known() {
		return
	}
	i := x.Absolute.Fixed
	low, high := y(i.Low, 0), y(i.High, v.width)
	fmt.Fprintf(b, `<g><title>%s</title>`, template.HTMLEscapeString(dayText(d, x)))
	fmt.Fprintf(b, `<line class="whisker" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, at, at, low, high)
	for _, end := range []struct {
		n results.Number
		y float64
	}{{i.Low, low}, {i.High, high}} {
		if v.inside(end.n) {
			fmt.Fprintf(b, `<line class="whisker" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, at-dayEndHalf, at+dayEndHalf, end.y, end.y)
		}
	}
	fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="3.5"/></g>`, at, y(x.Absolute.Estimate, 0))
}

func dayText(d results.Days, x results.DayEffect) string {
	return fmt.Sprintf("%s, phase %d: %s (%s), %s and %s units", x.Day, x.Phase, Difference(x.Absolute.Estimate, d.Kind, d.Unit),
		DifferenceRange(x.Absolute.Fixed, d.Kind, d.Unit), Count(x.Treatment.Units), Count(x.Control.Units))
}

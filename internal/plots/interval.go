package plots

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// Scale maps a range of effects to pixels. It always shows zero.
type Scale struct {
	low, high float64
	width     float64
}

// ScaleOf covers what is known of the intervals, and some room at both sides.
func ScaleOf(width float64, intervals ...results.Interval) Scale {
	s := Scale{width: width}
	for _, i := range intervals {
		for _, n := range []results.Number{i.Low, i.High} {
			if n.Known() {
				s.low, s.high = math.Min(s.low, n.Float()), math.Max(s.high, n.Float())
			}
		}
	}
	if s.low == s.high {
		s.low, s.high = -1, 1
	}
	pad := (s.high - s.low) * 0.06
	s.low, s.high = s.low-pad, s.high+pad
	return s
}

// at is the pixel of a value; what is not bounded ends at the edge.
func (s Scale) at(n results.Number, edge float64) float64 {
	if !n.Known() {
		return edge
	}
	x := (n.Float() - s.low) / (s.high - s.low) * s.width
	return math.Max(0, math.Min(s.width, x))
}

const rowHeight = 26.0

// Interval draws one effect: the always-valid interval as a thin line, the
// fixed one as a bar, the estimate as a dot, zero as a dashed line.
func Interval(e results.Effect, s Scale, tone string) template.HTML {
	if !e.Estimate.Known() {
		return ""
	}
	var b strings.Builder
	y := rowHeight / 2
	zero := s.at(0, 0)
	label := fmt.Sprintf("%s, always-valid interval %s", words.Percent(e.Estimate), words.PercentRange(e.Sequential))
	fmt.Fprintf(&b, `<svg class="interval %s" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s">`,
		tone, s.width, rowHeight, s.width, rowHeight, template.HTMLEscapeString(label))
	fmt.Fprintf(&b, `<line class="zero" x1="%.1f" x2="%.1f" y1="0" y2="%.0f"/>`, zero, zero, rowHeight)
	lo, hi := s.at(e.Sequential.Low, 0), s.at(e.Sequential.High, s.width)
	fmt.Fprintf(&b, `<line class="whisker" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, lo, hi, y, y)
	whiskerEnd(&b, lo, y, 0, s.inside(e.Sequential.Low))
	whiskerEnd(&b, hi, y, s.width, s.inside(e.Sequential.High))
	flo, fhi := s.at(e.Fixed.Low, 0), s.at(e.Fixed.High, s.width)
	fmt.Fprintf(&b, `<rect class="bar" x="%.1f" width="%.1f" y="%.1f" height="8" rx="2"/>`, flo, math.Max(1, fhi-flo), y-4)
	fmt.Fprintf(&b, `<circle class="dot" cx="%.1f" cy="%.1f" r="3.5"/></svg>`, s.at(e.Estimate, 0), y)
	return template.HTML(b.String()) //nolint:gosec // numbers and an escaped label only
}

// inside tells whether a value is within the scale.
func (s Scale) inside(n results.Number) bool {
	return n.Known() && n.Float() >= s.low && n.Float() <= s.high
}

// whiskerEnd closes an interval with a bar, or with an arrow where it goes on
// beyond the edge.
func whiskerEnd(b *strings.Builder, x, y, edge float64, inside bool) {
	if inside {
		fmt.Fprintf(b, `<line class="whisker" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x, x, y-5, y+5)
		return
	}
	tip := 7.0
	if edge > 0 {
		tip = -7
	}
	fmt.Fprintf(b, `<path class="dot" d="M%.1f %.1fl%.1f -5v10z"/>`, edge, y, tip)
}

// Point is one past look at one effect.
type Point struct {
	At         time.Time
	Estimate   results.Number
	Sequential results.Interval
}

const (
	historyWidth  = 520.0
	historyHeight = 120.0
	historyLeft   = 56.0
	historyBottom = 18.0
)

// History draws the always-valid interval over time as a band, the estimate
// as a line in it. Its times are in a zone; nil is UTC.
func History(points []Point, zone *time.Location) template.HTML {
	points = bounded(points)
	if len(points) < 2 {
		return ""
	}
	var all []results.Interval
	for _, p := range points {
		all = append(all, p.Sequential)
	}
	v := ScaleOf(historyHeight-historyBottom, all...)
	first, last := points[0].At, points[len(points)-1].At
	x := func(t time.Time) float64 {
		return historyLeft + t.Sub(first).Seconds()/math.Max(last.Sub(first).Seconds(), 1e-9)*(historyWidth-historyLeft-8)
	}
	y := func(n results.Number) float64 { return historyHeight - historyBottom - v.at(n, 0) }
	var upper, lower, line []string
	for _, p := range points {
		upper = append(upper, fmt.Sprintf("%.1f,%.1f", x(p.At), y(p.Sequential.High)))
		lower = append([]string{fmt.Sprintf("%.1f,%.1f", x(p.At), y(p.Sequential.Low))}, lower...)
		line = append(line, fmt.Sprintf("%.1f,%.1f", x(p.At), y(p.Estimate)))
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="history" viewBox="0 0 %.0f %.0f" role="img" aria-label="always-valid interval of the relative effect over time">`, historyWidth, historyHeight)
	fmt.Fprintf(&b, `<polygon class="band" points="%s"/>`, strings.Join(append(upper, lower...), " "))
	fmt.Fprintf(&b, `<line class="zero" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/>`, historyLeft, historyWidth, y(0), y(0))
	fmt.Fprintf(&b, `<polyline class="line" points="%s"/>`, strings.Join(line, " "))
	for _, n := range []results.Number{results.Number(v.low), 0, results.Number(v.high)} {
		if n == 0 || math.Abs(y(n)-y(0)) > 12 {
			fmt.Fprintf(&b, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`, historyLeft-6, math.Max(10, y(n)+4), words.Percent(n))
		}
	}
	fmt.Fprintf(&b, `<text x="%.0f" y="%.0f">%s</text>`, historyLeft, historyHeight-3, words.In(first, zone).Format("01-02 15:04:05"))
	fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="end">%s</text></svg>`, historyWidth-8, historyHeight-3, words.In(last, zone).Format("01-02 15:04:05 MST"))
	return template.HTML(b.String()) //nolint:gosec // numbers only
}

// bounded keeps the points whose interval is known on both sides, and of these
// cuts the first ones that are so wide that the rest would be a line.
func bounded(points []Point) []Point {
	var out []Point
	for _, p := range points {
		if p.Sequential.Low.Known() && p.Sequential.High.Known() && p.Estimate.Known() {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil
	}
	last := out[len(out)-1].Sequential
	limit := 8 * (last.High.Float() - last.Low.Float())
	for len(out) > 2 && out[0].Sequential.High.Float()-out[0].Sequential.Low.Float() > limit {
		out = out[1:]
	}
	return out
}

// Clip leaves out intervals so wide that they would flatten all others.
func Clip(all []results.Interval) []results.Interval {
	narrowest := 0.0
	width := func(i results.Interval) float64 { return i.High.Float() - i.Low.Float() }
	for _, i := range all {
		if i.Low.Known() && i.High.Known() && width(i) > 0 && (narrowest == 0 || width(i) < narrowest) {
			narrowest = width(i)
		}
	}
	var out []results.Interval
	for _, i := range all {
		if i.Low.Known() && i.High.Known() && width(i) <= 12*narrowest {
			out = append(out, i)
		}
	}
	return out
}

package plots

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

const (
	dayHeight  = 150.0
	dayLeft    = 96.0
	dayBottom  = 18.0
	dayLabels  = 6 // days that are named below the plot, at most
	dayEndHalf = 4.0
)

// Mark is the difference on one day.
type Mark struct {
	Label  string // below the plot
	Title  string // its numbers, for whoever points at it
	Effect results.Effect
}

// Marks draws each mark's estimate as a dot with its interval for one look, and zero as
// a dashed line; nothing below two marks. An interval far wider than the others' goes on
// beyond the edge.
func Marks(marks []Mark, kind, unit, label string) template.HTML {
	if len(marks) < 2 {
		return ""
	}
	var all, shown []results.Interval
	for _, m := range marks {
		all = append(all, m.Effect.Fixed)
		shown = append(shown, results.Interval{Low: m.Effect.Estimate, High: m.Effect.Estimate})
	}
	v := ScaleOf(dayHeight-dayBottom, append(shown, Clip(all)...)...)
	y := func(n results.Number, edge float64) float64 { return dayHeight - dayBottom - v.at(n, edge) }
	step := (historyWidth - dayLeft) / float64(len(marks))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="history none" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, historyWidth, dayHeight, template.HTMLEscapeString(label))
	fmt.Fprintf(&b, `<line class="zero" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/>`, dayLeft, historyWidth, y(0, 0), y(0, 0))
	for _, n := range []results.Number{results.Number(v.low), 0, results.Number(v.high)} {
		if n == 0 || math.Abs(y(n, 0)-y(0, 0)) > 12 {
			fmt.Fprintf(&b, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`, dayLeft-6, math.Max(10, y(n, 0)+4),
				template.HTMLEscapeString(words.Difference(n, kind, unit)))
		}
	}
	every := (len(marks) + dayLabels - 1) / dayLabels
	for i, m := range marks {
		x := dayLeft + (float64(i)+.5)*step
		m.draw(&b, x, y, v)
		if i%every == 0 {
			fmt.Fprintf(&b, `<text x="%.1f" y="%.0f" text-anchor="middle">%s</text>`, x, dayHeight-3, m.Label)
		}
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // numbers, dates and escaped labels only
}

func (m Mark) draw(b *strings.Builder, x float64, y func(results.Number, float64) float64, v Scale) {
	if !m.Effect.Estimate.Known() {
		return
	}
	i := m.Effect.Fixed
	low, high := y(i.Low, 0), y(i.High, v.width)
	fmt.Fprintf(b, `<g><title>%s</title>`, template.HTMLEscapeString(m.Title))
	dots := "" // an interval without ends is dotted
	if !i.Low.Known() && !i.High.Known() {
		dots = ` stroke-dasharray="1 4"`
	}
	fmt.Fprintf(b, `<line class="whisker" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"%s/>`, x, x, low, high, dots)
	for _, end := range []struct {
		n results.Number
		y float64
	}{{i.Low, low}, {i.High, high}} {
		if v.inside(end.n) {
			fmt.Fprintf(b, `<line class="whisker" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x-dayEndHalf, x+dayEndHalf, end.y, end.y)
		}
	}
	fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="3.5"/></g>`, x, y(m.Effect.Estimate, 0))
}

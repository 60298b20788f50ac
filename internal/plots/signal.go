package plots

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/signals"
	"github.com/assay-dev/assay/internal/words"
)

const (
	signalWidth  = 720.0
	signalLeft   = 84.0
	signalTop    = 16.0
	signalHeight = 120.0
	exposedTop   = signalTop + signalHeight + 14
	exposedHigh  = 44.0
	signalFoot   = 20.0
)

// Signal draws a signal over time, its mean as a line in the band of its readings and
// broken where there are gaps, its limits as dashed lines, and below it, on the same axis,
// the planned exposure as steps with dots of what was seen. Phases are marked through
// both. Its times are in a zone; nil is UTC. Without two points it is empty.
func Signal(s *signals.Series, r *signals.Report, zone *time.Location) template.HTML {
	if len(s.Points) < 2 || !r.From.Before(r.To) {
		return ""
	}
	low, high, ok := reach(s)
	if !ok {
		return ""
	}
	x := func(t time.Time) float64 {
		part := t.Sub(r.From).Seconds() / r.To.Sub(r.From).Seconds()
		return signalLeft + math.Max(0, math.Min(1, part))*(signalWidth-signalLeft)
	}
	y := func(v float64) float64 { return signalTop + signalHeight - (v-low)/(high-low)*signalHeight }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="history signal" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, signalWidth, exposedTop+exposedHigh+signalFoot,
		template.HTMLEscapeString(s.Name+" over time, and the share of units that are exposed"))
	for _, run := range unbroken(s.Points) {
		drawRun(&b, run, x, y)
	}
	for _, limit := range []*float64{s.Max, s.Min} {
		if limit != nil && *limit >= low && *limit <= high {
			fmt.Fprintf(&b, `<line class="zero" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"><title>limit %s</title></line>`, signalLeft, signalWidth, y(*limit), y(*limit), signalNumber(*limit, s.Unit))
		}
	}
	for _, v := range []float64{low, high} {
		fmt.Fprintf(&b, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`, signalLeft-6, y(v)+4, signalNumber(v, s.Unit))
	}
	drawExposed(&b, s, r, x)
	fmt.Fprintf(&b, `<text x="%.0f" y="%.0f">%s</text>`, signalLeft, exposedTop+exposedHigh+15, hour(r.From, zone))
	fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="end">%s</text></svg>`, signalWidth, exposedTop+exposedHigh+15, words.In(r.To, zone).Format("2 Jan 15:04:05 MST"))
	return template.HTML(b.String()) //nolint:gosec // numbers, times and escaped labels only
}

// reach is the range of the readings, and of limits that are not far beyond it.
func reach(s *signals.Series) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for i := range s.Points {
		if p := &s.Points[i]; p.Low != nil && p.High != nil {
			low, high = math.Min(low, *p.Low), math.Max(high, *p.High)
		}
	}
	if low > high {
		return 0, 0, false
	}
	spread := math.Max(high-low, math.Abs(high)*0.05)
	for _, limit := range []*float64{s.Max, s.Min} {
		if limit != nil && *limit > low-3*spread && *limit < high+3*spread {
			low, high = math.Min(low, *limit), math.Max(high, *limit)
		}
	}
	if low == high {
		low, high = low-0.5, high+0.5
	}
	return low, high, true
}

// unbroken are the stretches of points without a gap between them.
func unbroken(points []signals.Point) (runs [][]signals.Point) {
	begin := 0
	for i := range points {
		if points[i].Mean != nil {
			continue
		}
		if i > begin {
			runs = append(runs, points[begin:i])
		}
		begin = i + 1
	}
	if begin < len(points) {
		runs = append(runs, points[begin:])
	}
	return runs
}

func drawRun(b *strings.Builder, run []signals.Point, x func(time.Time) float64, y func(float64) float64) {
	if len(run) == 1 {
		fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="1.5"/>`, x(run[0].To), y(*run[0].Mean))
		return
	}
	var upper, line []string
	lower := make([]string, len(run))
	for i, p := range run {
		upper = append(upper, fmt.Sprintf("%.1f,%.1f", x(p.To), y(*p.High)))
		line = append(line, fmt.Sprintf("%.1f,%.1f", x(p.To), y(*p.Mean)))
		lower[len(run)-1-i] = fmt.Sprintf("%.1f,%.1f", x(p.To), y(*p.Low))
	}
	fmt.Fprintf(b, `<polygon class="band" points="%s"/><polyline class="line" points="%s"/>`, strings.Join(append(upper, lower...), " "), strings.Join(line, " "))
}

// drawExposed draws the steps of the planned exposure, and what was seen of it.
func drawExposed(b *strings.Builder, s *signals.Series, r *signals.Report, x func(time.Time) float64) {
	most := 0.0
	for _, p := range r.Phases {
		most = math.Max(most, p.Planned)
	}
	for i := range s.Points {
		if share := s.Points[i].Share; share != nil {
			most = math.Max(most, *share)
		}
	}
	if most == 0 {
		most = 1
	}
	y := func(share float64) float64 { return exposedTop + exposedHigh*(1-share/most) }
	for i, p := range r.Phases {
		end := r.To
		if i+1 < len(r.Phases) && r.Phases[i+1].From.Before(end) {
			end = r.Phases[i+1].From
		}
		if !p.From.Before(end) || !r.From.Before(end) {
			continue
		}
		title := fmt.Sprintf("phase %d: %s of the units are exposed", p.Phase, words.Share(results.Number(p.Planned)))
		fmt.Fprintf(b, `<g><title>%s</title><rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, title, x(p.From), y(p.Planned), math.Max(1, x(end)-x(p.From)), exposedTop+exposedHigh-y(p.Planned))
		if i > 0 && !p.From.Before(r.From) {
			fmt.Fprintf(b, `<line class="zero" x1="%.1f" x2="%.1f" y1="%.0f" y2="%.0f"/><text x="%.1f" y="%.0f">%s</text>`,
				x(p.From), x(p.From), signalTop-4, exposedTop+exposedHigh, x(p.From)+3, signalTop-4, words.Share(results.Number(p.Planned)))
		}
		b.WriteString(`</g>`)
	}
	for i := range s.Points {
		if p := &s.Points[i]; p.Share != nil {
			fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="1.5"/>`, x(p.To), y(*p.Share))
		}
	}
	fmt.Fprintf(b, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`, signalLeft-6, exposedTop+8, words.Share(results.Number(most)))
}

func signalNumber(v float64, unit string) string {
	return template.HTMLEscapeString(words.Mean(results.Number(v), "", unit))
}

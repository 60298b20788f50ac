package plots

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/words"
)

const (
	shareWidth  = 240.0
	shareHeight = 16.0
)

// Share draws a part of a whole as a bar, with a mark where it should end.
func Share(got, intended float64, label string) template.HTML {
	x := func(share float64) float64 { return math.Max(0, math.Min(1, share)) * shareWidth }
	return template.HTML(fmt.Sprintf(`<svg class="share" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s">`+ //nolint:gosec // numbers and an escaped label
		`<rect class="track" width="%.0f" height="8" y="4" rx="2"/><rect class="fill" width="%.1f" height="8" y="4" rx="2"/>`+
		`<line class="mark" x1="%.1f" x2="%.1f" y1="0" y2="%.0f"/></svg>`,
		shareWidth, shareHeight, shareWidth, shareHeight, template.HTMLEscapeString(label), shareWidth, x(got), x(intended), x(intended), shareHeight))
}

// Stretch is a time in which something stayed as it was.
type Stretch struct {
	From time.Time
	Name string // what it was; also the class of its colour
	Tone string
}

// Moment is something that happened.
type Moment struct {
	At    time.Time
	Label string // short: it stands beside the mark
	Title string // for whoever points at it
	Tone  string
}

// Lane is one row of a timeline.
type Lane struct {
	Name      string // stands above it where there are several
	Stretches []Stretch
}

const (
	timelineWidth = 720.0
	timelineFoot  = 28.0
	laneTop       = 26.0
	laneHeight    = 20.0
	laneName      = 16.0 // height of its name
)

// Timeline draws lanes below one another, each of stretches one after the other until
// an end, and moments above and through them. Lanes in which nothing was said are left
// out. Its times are in a zone; nil is UTC.
func Timeline(lanes []Lane, moments []Moment, until time.Time, zone *time.Location, label string) template.HTML {
	lanes = slices.DeleteFunc(slices.Clone(lanes), func(l Lane) bool { return len(l.Stretches) == 0 })
	if len(lanes) == 0 {
		return ""
	}
	from := lanes[0].Stretches[0].From
	for _, l := range lanes {
		if at := l.Stretches[0].From; at.Before(from) {
			from = at
		}
	}
	for _, m := range moments {
		if m.At.Before(from) {
			from = m.At
		}
		if m.At.After(until) {
			until = m.At
		}
	}
	whole := math.Max(until.Sub(from).Seconds(), 1e-9)
	x := func(t time.Time) float64 { return t.Sub(from).Seconds() / whole * timelineWidth }
	step := laneHeight
	if len(lanes) > 1 {
		step += laneName
	}
	bottom := laneTop + float64(len(lanes))*step
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="timeline" viewBox="-6 0 %.0f %.0f" role="img" aria-label="%s">`, timelineWidth+12, bottom+timelineFoot, template.HTMLEscapeString(label))
	for i, l := range lanes {
		top := laneTop + float64(i)*step
		if len(lanes) > 1 {
			top += laneName
			fmt.Fprintf(&b, `<text x="0" y="%.0f">%s</text>`, top-4, template.HTMLEscapeString(l.Name))
		}
		l.draw(&b, x, top, until, zone)
	}
	drawMoments(&b, moments, x, bottom)
	fmt.Fprintf(&b, `<text x="0" y="%.0f">%s</text><text x="%.0f" y="%.0f" text-anchor="end">%s</text></svg>`,
		bottom+timelineFoot-8, hour(from, zone), timelineWidth, bottom+timelineFoot-8, words.In(until, zone).Format("2 Jan 15:04:05 MST"))
	return template.HTML(b.String()) //nolint:gosec // numbers, times and escaped labels only
}

func (l Lane) draw(b *strings.Builder, x func(time.Time) float64, top float64, until time.Time, zone *time.Location) {
	for i, s := range l.Stretches {
		end := until
		if i+1 < len(l.Stretches) {
			end = l.Stretches[i+1].From
		}
		width := math.Max(1, x(end)-x(s.From))
		fmt.Fprintf(b, `<g class="%s"><title>%s</title><rect class="lane" x="%.1f" y="%.0f" width="%.1f" height="%.0f"/>`, template.HTMLEscapeString(s.Tone),
			template.HTMLEscapeString(s.Name+" from "+hour(s.From, zone)+" to "+hour(end, zone)), x(s.From), top, width, laneHeight)
		if width > 8*float64(len(s.Name)) {
			fmt.Fprintf(b, `<text class="on" x="%.1f" y="%.0f">%s</text>`, x(s.From)+6, top+14, template.HTMLEscapeString(s.Name))
		}
		b.WriteString(`</g>`)
	}
}

// drawMoments names those that have room beside the one before.
func drawMoments(b *strings.Builder, moments []Moment, x func(time.Time) float64, bottom float64) {
	free := -timelineWidth
	for _, m := range moments {
		at, wide := x(m.At), 7*float64(len([]rune(m.Label)))
		fmt.Fprintf(b, `<g class="%s"><title>%s</title><line class="mark" x1="%.1f" x2="%.1f" y1="%.0f" y2="%.0f"/><circle class="dot" cx="%.1f" cy="%.0f" r="3.5"/>`,
			template.HTMLEscapeString(m.Tone), template.HTMLEscapeString(m.Title), at, at, laneTop-8, bottom+2, at, laneTop-9)
		left, anchor := at+6, "start"
		if at+wide > timelineWidth {
			left, anchor = at-6, "end"
		}
		begin := left
		if anchor == "end" {
			begin = left - wide
		}
		if begin > free {
			fmt.Fprintf(b, `<text x="%.1f" y="12" text-anchor="%s">%s</text>`, left, anchor, template.HTMLEscapeString(m.Label))
			free = math.Max(at+6, begin+wide) + 4
		}
		b.WriteString(`</g>`)
	}
}

func hour(t time.Time, zone *time.Location) string { return words.In(t, zone).Format("2 Jan 15:04:05") }

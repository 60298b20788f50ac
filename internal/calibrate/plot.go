package main

import (
	"fmt"
	"math"
	"strings"
)

const (
	plotLeft, plotWidth, plotRow = 260, 440, 15
	plotTop                      = 28 // of the first row
)

// scale places values between 0 and its end.
type scale float64

func (end scale) x(v float64) float64 {
	return plotLeft + min(v, float64(end))/float64(end)*plotWidth
}

// plotHead opens a plot of so many rows with its grid, and some rows below it; the
// marked line is red.
func (end scale) plotHead(b *strings.Builder, rows, below int, step, marked float64, unit string) {
	grid := plotTop + plotRow*rows
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="10"><rect width="100%%" height="100%%" fill="#fff"/>`,
		plotLeft+plotWidth+40, grid+plotRow*below)
	for at := 0.0; at <= float64(end); at += step {
		colour := "ddd"
		if at == marked {
			colour = "c33"
		}
		fmt.Fprintf(b, `<path d="M%.0f 18V%d" stroke="#%s"/><text x="%.0f" y="12" text-anchor="middle">%g %s</text>`, end.x(at), grid-6, colour, end.x(at), at, unit)
	}
}

func plotLabel(b *strings.Builder, y int, name string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, plotLeft-8, y+3, name)
}

// plotErrors draws of each scenario the rate of errors that comes closest to its
// target, as a part of it, with three standard errors to both sides; the red line is
// the target.
func plotErrors(all []outcome) string {
	type row struct {
		name        string
		rate, error float64
	}
	var rows []row
	for _, f := range all {
		worst := row{rate: -1}
		for _, m := range f.Figures {
			if m.Bound.Kind == atMost && m.Bound.Target > 0 && m.Mean/m.Bound.Target > worst.rate {
				worst = row{f.Scenario, m.Mean / m.Bound.Target, m.SD / math.Sqrt(float64(f.Replicates)) / m.Bound.Target}
			}
		}
		if worst.rate >= 0 {
			rows = append(rows, worst)
		}
	}
	var b strings.Builder
	end := scale(1.5)
	end.plotHead(&b, len(rows), 0, .5, 1, "× target")
	for i, r := range rows {
		y := plotTop + plotRow*i
		plotLabel(&b, y, r.name)
		fmt.Fprintf(&b, `<path d="M%.1f %dH%.1f" stroke="#357"/><circle cx="%.1f" cy="%d" r="3" fill="#357"/>`,
			end.x(max(0, r.rate-3*r.error)), y, end.x(r.rate+3*r.error), end.x(r.rate), y)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// plotUnits draws the mean numbers of units until an effect is found, in those of the
// fixed plan: the engine's, GAVI's at the same looks and Wald's.
func plotUnits(all []outcome) string {
	var b strings.Builder
	var body strings.Builder
	end, rows := scale(1.5), 0
	for _, f := range all {
		engine, wald := f.measure("mean units at the stop ÷ fixed plan"), f.measure("Wald: mean units at the stop ÷ fixed plan")
		if engine == nil || wald == nil {
			continue
		}
		y := plotTop + plotRow*rows
		rows++
		plotLabel(&body, y, f.Scenario)
		fmt.Fprintf(&body, `<circle cx="%.1f" cy="%d" r="3" fill="#357"/><path d="M%.1f %dv10" stroke="#c60" stroke-width="2"/><circle cx="%.1f" cy="%d" r="3" fill="none" stroke="#393"/>`,
			end.x(engine.Mean), y, end.x(engine.Bound.Target), y-5, end.x(wald.Mean), y)
	}
	end.plotHead(&b, rows, 1, .5, 1, "× plan")
	b.WriteString(body.String())
	y := plotTop + plotRow*rows
	plotLabel(&b, y, "units until the decision:")
	fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="3" fill="#357"/><text x="%d" y="%d">always valid</text>`, plotLeft+10, y, plotLeft+18, y+3)
	fmt.Fprintf(&b, `<path d="M%d %dv10" stroke="#c60" stroke-width="2"/><text x="%d" y="%d">GAVI at the same looks</text>`, plotLeft+100, y-5, plotLeft+108, y+3)
	fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="3" fill="none" stroke="#393"/><text x="%d" y="%d">Wald, which must know the effect</text>`, plotLeft+240, y, plotLeft+248, y+3)
	b.WriteString("</svg>\n")
	return b.String()
}

// measure finds a figure by its name.
func (f *outcome) measure(name string) *measure {
	for i := range f.Figures {
		if f.Figures[i].Name == name {
			return &f.Figures[i]
		}
	}
	return nil
}

package pages

import (
	"html/template"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// metricGroup are the metrics that answer one question.
type metricGroup struct {
	Title string
	About string
	Rows  []metricRow
}

// metricRow is one metric of one arm: what it shows, in words and drawn.
type metricRow struct {
	results.Comparison
	Effect     catalog.Effect
	Estimate   results.Estimate
	Of         string // which units
	Conclusion string
	Second     bool // of the same metric and arm as the row before
	Plot       template.HTML
}

// metricPlotWidth is that of the plots in the table of metrics, in pixels.
const metricPlotWidth = 240

// metricGroups are the comparisons in their groups, drawn on one scale.
func metricGroups(d *results.Document) []metricGroup {
	groups := groupsOf(d)
	draw(groups)
	return groups
}

// groupsOf are the comparisons in their groups, not drawn yet.
func groupsOf(d *results.Document) []metricGroup {
	goals := metricGroup{Title: "Goals", About: "what should get better"}
	guards := metricGroup{Title: "Guardrails", About: "what must not get worse"}
	others := metricGroup{Title: "Other metrics"}
	for i := range d.Comparisons {
		c := &d.Comparisons[i]
		switch {
		case c.Goal:
			goals.Rows = append(goals.Rows, rowsOf(d, c)...)
		case c.Guardrail:
			guards.Rows = append(guards.Rows, rowsOf(d, c)...)
		default:
			others.Rows = append(others.Rows, rowsOf(d, c)...)
		}
	}
	var out []metricGroup
	for _, g := range []metricGroup{goals, guards, others} {
		if len(g.Rows) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// rowsOf are those of a comparison: of complete windows first, where a goal has any.
func rowsOf(d *results.Document, c *results.Comparison) []metricRow {
	row := func(complete bool, of string) metricRow {
		r := metricRow{Comparison: *c, Effect: catalog.EffectOf(c, d.At, complete), Estimate: c.Open, Of: of}
		if complete {
			r.Estimate = c.Matured
		}
		r.Conclusion = conclusion(&r)
		return r
	}
	matured := c.Matured.Treatment.Units + c.Matured.Control.Units
	all := c.Open.Treatment.Units + c.Open.Control.Units
	switch {
	case !c.Goal || matured == 0 || c.Overflow > 0:
		return []metricRow{row(false, "all units so far")}
	case matured == all:
		return []metricRow{row(true, "complete windows")}
	}
	second := row(false, "all units so far")
	second.Second = true
	return []metricRow{row(true, "complete windows"), second}
}

// conclusion says what a row shows.
func conclusion(r *metricRow) string {
	switch {
	case r.Overflow > 0:
		return "too large"
	case !r.Effect.Absolute.Estimate.Known():
		return "no numbers yet"
	case r.Effect.Complete && r.Gate != nil && !r.Gate.Passes:
		return "too few events"
	case r.Effect.Tone == catalog.Good:
		return "better"
	case r.Effect.Tone == catalog.Bad:
		return "worse"
	}
	return "not shown"
}

// draw puts all rows on one scale, which no very wide interval flattens.
func draw(groups []metricGroup) {
	var all, shown []results.Interval
	each := func(do func(*metricRow)) {
		for i := range groups {
			for j := range groups[i].Rows {
				do(&groups[i].Rows[j])
			}
		}
	}
	each(func(r *metricRow) {
		e := r.Effect.Relative
		all = append(all, results.Interval{Low: e.Low, High: e.High})
		shown = append(shown, results.Interval{Low: e.Estimate, High: e.Estimate})
	})
	s := plots.ScaleOf(metricPlotWidth, append(shown, plots.Clip(all)...)...)
	each(func(r *metricRow) {
		e := r.Effect.Relative
		drawn := results.Effect{Estimate: e.Estimate, Fixed: r.Estimate.Relative.Fixed, Sequential: results.Interval{Low: e.Low, High: e.High}}
		r.Plot = plots.Interval(drawn, s, string(r.Effect.Tone))
	})
}

// Arrow says which way is good.
func (r metricRow) Arrow() string {
	if r.Direction == string(experiment.Increase) {
		return "higher is better"
	}
	return "lower is better"
}

// Means are the arms' means: control, treatment.
func (r metricRow) Means() [2]string {
	return [2]string{words.Mean(r.Estimate.Control.Mean, r.Kind, r.Unit), words.Mean(r.Estimate.Treatment.Mean, r.Kind, r.Unit)}
}

// history is an effect over time, drawn.
type history struct {
	Metric, Arm string
	Plot        template.HTML
	Points      []plots.Point
}

// histories draws the goals, and the guardrails after them.
func histories(d *results.Document, past map[Series][]plots.Point, zone *time.Location) []history {
	var goals, others []history
	for i := range d.Comparisons {
		c := &d.Comparisons[i]
		h := history{Metric: c.Metric, Arm: c.Arm, Points: past[Series{c.Metric, c.Arm}]}
		if h.Plot = plots.History(h.Points, zone); h.Plot == "" {
			continue
		}
		if c.Goal {
			goals = append(goals, h)
		} else if c.Guardrail {
			others = append(others, h)
		}
	}
	return append(goals, others...)
}

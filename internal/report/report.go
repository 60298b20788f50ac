package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/daily"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
)

//go:embed *.html
var files embed.FS

// Day is everything that the report of one day shows. It knows no clock: of the same looks
// and decisions it is the same to the byte.
type Day struct {
	Date        daily.Date
	Zone        *time.Location
	From, To    time.Time       // the day's bounds
	AsOf        time.Time       // of the newest look in it; zero: there was none
	Code        string          // version of the program
	Head        string          // hash of the decision log's newest row
	Difference  int64           // of the reconciliation; must be 0
	Gaps        []string        // accepted gaps in the log, in words
	Records     []results.Fates // what was read on the day, by topic
	Experiments []Entry
	Over        []Entry // those that came to their end on an earlier day
	URL         string  // where people find the reports; empty: nowhere
}

// Entry is one experiment of the report.
type Entry struct {
	Experiment *experiment.Experiment
	Iteration  *experiment.Iteration    // nil: it has none
	Document   *results.Document        // the newest look of the day; nil: there was none yet
	Before     *results.Document        // the newest one of the days before; nil: there was none
	History    map[Series][]plots.Point // the relative effects of earlier looks
	Decisions  []Decision               // of the day
	Due        []governance.Due         // what people are to be reminded of
	Since      time.Time                // when the day began
	Until      time.Time                // what is said holds for this time
	zone       *time.Location
}

// Series names one line of the history.
type Series struct{ Metric, Arm string }

// Decision is a row of the decision log in words.
type Decision struct {
	Seq    uint64
	At     time.Time
	Kind   string
	Actor  string
	Reason string
	Text   string
}

// Box says what to do: the catalog's word, which is also the pages'.
func (e Entry) Box() catalog.Box { return catalog.Decide(e.subject()) }

// Row is the experiment in a list.
func (e Entry) Row() catalog.Row { return catalog.RowOf(e.subject(), "") }

// subject leaves out the plan of the analysis: its gates are for who asks how the numbers
// came about, and stand below.
func (e Entry) subject() catalog.Subject {
	if d := e.Document; d != nil {
		plain := *d
		plain.Plan, e.Document = nil, &plain
	}
	return catalog.Subject{Experiment: e.Experiment, Iteration: e.Iteration, Document: e.Document, Now: e.Until, Zone: e.zone}
}

// Place is where an experiment's page lies, as the index links to it.
func (e Entry) Place() string { return "experiments/" + e.Experiment.Key + ".html" }

// Index writes the page of the day, which links to one for each experiment.
func Index(w io.Writer, d Day) error { return page(w, "index-page", view{Day: d, Title: d.Title()}) }

// Page writes the page of one experiment on the day.
func Page(w io.Writer, d Day, e Entry) error {
	d.Experiments = []Entry{e}
	return page(w, "experiment-page", view{Day: d, Title: e.Experiment.Key + " on " + d.Date.Long()})
}

// HTML writes the day as one file: index and experiments.
func HTML(w io.Writer, d Day) error {
	return page(w, "whole-page", view{Day: d, Title: d.Title(), Whole: true})
}

// view is a day on its way to a template.
type view struct {
	Day
	Title string
	Whole bool // everything is in one file
}

// page writes one of the pages. None loads anything from elsewhere.
func page(w io.Writer, name string, v view) error {
	t, err := parse(v.Zone)
	if err != nil {
		return err
	}
	v.Experiments = slices.Clone(v.Experiments)
	for i := range v.Experiments {
		v.Experiments[i].zone = v.Zone
	}
	if err := t.ExecuteTemplate(w, name, v); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// row is one line of the table of effects: a comparison so far, or of complete
// windows. All rows of one experiment share a scale.
type row struct {
	results.Comparison
	Estimate results.Estimate
	Of       string // which units, and what the metric is for
	Plot     template.HTML
	Tone     string
}

// plotWidth is that of an interval's plot, in pixels.
const plotWidth = 200

// anyMatured tells whether any unit's window is complete: before that there is no
// estimate to show.
func anyMatured(c results.Comparison) bool {
	return c.Matured.Treatment.Units+c.Matured.Control.Units > 0
}

// allMatured tells whether every unit's window is complete: then nothing is different
// so far.
func allMatured(c results.Comparison) bool {
	return anyMatured(c) && c.Matured.Treatment.Units == c.Open.Treatment.Units && c.Matured.Control.Units == c.Open.Control.Units
}

// effectRows are the comparisons of a document. Goals have a second row: that of
// complete windows is the one to decide by.
func effectRows(d *results.Document) []row {
	var rows []row
	for _, c := range d.Comparisons {
		complete := c.Goal && c.Overflow == 0 && anyMatured(c)
		if !complete || !allMatured(c) {
			rows = append(rows, row{Comparison: c, Estimate: c.Open, Of: role(c)})
		}
		if complete {
			rows = append(rows, row{Comparison: c, Estimate: c.Matured, Of: "goal, complete windows"})
		}
	}
	return rows
}

// role says what a metric is for in the row of all units so far.
func role(c results.Comparison) string {
	switch {
	case c.Goal && c.Guardrail:
		return "goal and guardrail, so far"
	case c.Goal:
		return "goal, so far"
	case c.Guardrail:
		return "guardrail, so far"
	}
	return ""
}

// effectPlots draws the rows on one scale.
func effectPlots(d *results.Document) []row {
	rows := effectRows(d)
	var all, shown []results.Interval
	for _, r := range rows {
		all = append(all, r.Estimate.Relative.Sequential)
		e := r.Estimate.Relative.Estimate
		shown = append(shown, results.Interval{Low: e, High: e}) // every estimate is on the scale
	}
	s := plots.ScaleOf(plotWidth, append(shown, plots.Clip(all)...)...)
	for i := range rows {
		r := &rows[i]
		r.Tone = string(catalog.EffectTone(r.Estimate, r.Direction))
		r.Plot = plots.Interval(r.Estimate.Relative, s, r.Tone)
	}
	return rows
}

package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
)

//go:embed *.html
var files embed.FS

// Day is everything that one report shows.
type Day struct {
	At          time.Time // when it was written
	From, To    time.Time // the stretch whose decisions are listed
	Code        string    // version of the program
	Head        string    // hash of the decision log's newest row
	Difference  int64     // of the reconciliation; must be 0
	Gaps        []string  // accepted gaps in the log, in words
	Experiments []Entry
}

// Entry is one experiment of the report.
type Entry struct {
	Experiment *experiment.Experiment
	Document   *results.Document        // the newest look; nil: there was none yet
	History    map[Series][]plots.Point // the relative effects of earlier looks
	Decisions  []Decision
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

// HTML writes the report as one file that loads nothing from elsewhere.
func HTML(w io.Writer, d Day) error {
	t, err := parse()
	if err != nil {
		return err
	}
	if err := t.Execute(w, d); err != nil {
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

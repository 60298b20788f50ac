package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

//go:embed report.html
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
	Document   *results.Document  // the newest look; nil: there was none yet
	History    map[Series][]Point // the relative effects of earlier looks
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
	t, err := template.New("report.html").Funcs(template.FuncMap{
		"instant": Instant, "percent": Percent, "interval": PercentRange, "mean": Mean,
		"difference": Difference, "p": PValue, "count": Count, "share": func(x float64) string { return percent(results.Number(x), false) },
		"plots": plots, "headline": headline, "tone": tone, "overall": Overall, "doubts": doubts, "srm": SRMAlarm,
		"history": func(e Entry, c results.Comparison) template.HTML {
			return historyPlot(e.History[Series{c.Metric, c.Arm}])
		},
	}).ParseFS(files, "report.html")
	if err != nil {
		return fmt.Errorf("parse the report's template: %w", err)
	}
	if err := t.Execute(w, d); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// row is a comparison with its plot; the rows of one experiment share a scale.
type row struct {
	results.Comparison
	Plot template.HTML
	Tone string
}

// plots draws the comparisons of a document on one scale.
func plots(d *results.Document) []row {
	var all, shown []results.Interval
	for _, c := range d.Comparisons {
		all = append(all, c.Open.Relative.Sequential)
		e := c.Open.Relative.Estimate
		shown = append(shown, results.Interval{Low: e, High: e}) // every estimate is on the scale
	}
	s := scaleOf(240, append(shown, clip(all)...)...)
	var rows []row
	for _, c := range d.Comparisons {
		t := effectTone(c)
		rows = append(rows, row{Comparison: c, Plot: intervalPlot(c.Open.Relative, s, t), Tone: t})
	}
	return rows
}

// clip leaves out intervals so wide that they would flatten all others.
func clip(all []results.Interval) []results.Interval {
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

// effectTone says whether the always-valid interval shows good, bad or nothing.
func effectTone(c results.Comparison) string {
	i := c.Open.Absolute.Sequential
	up := i.Low.Known() && i.Low.Float() > 0
	down := i.High.Known() && i.High.Float() < 0
	switch {
	case up == down:
		return "none"
	case up == (c.Direction == string(experiment.Increase)):
		return "good"
	default:
		return "bad"
	}
}

package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
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
	t, err := template.New("report.html").Funcs(template.FuncMap{
		"instant": words.Instant, "percent": words.Percent, "interval": words.PercentRange, "mean": words.Mean,
		"difference": words.Difference, "p": words.PValue, "count": words.Count, "share": func(x float64) string { return words.Share(results.Number(x)) },
		"plots": effectPlots, "headline": catalog.Headline, "tone": catalog.VerdictTone, "overall": catalog.Overall, "doubts": doubts, "srm": catalog.SRMAlarm,
		"bounds": words.DifferenceRange, "split": splitLines, "splitBy": splitBy, "oneLook": oneLook, "budget": budgetText, "spent": spentLines, "parts": budgetLines, "anomaly": anomalyText, "limits": limits,
		"kill": catalog.KillText, "armOff": func(k results.Kill) string { return catalog.KillText(&k) }, "after": afterText, "gap": catalog.GapText,
		"excluded": Excluded, "slow": slowRows, "checks": slowChecks, "segments": segmentTables, "slowAge": slowAge, "family": goalFamily, "asides": asides, "placebo": placeboLines, "placeboText": placeboText, "dated": datedLines, "datedText": datedText, "datedEnds": datedEnds, "beliefs": beliefLines, "prior": priorText, "familyText": familyText, "familyLines": familyLines,
		"meanRange": meanRange, "armsText": armsText, "planSummary": planSummary, "planLines": planLines,
		"dayNote": func() string { return results.DayNote }, "severalDays": severalDays, "dayConclusion": dayConclusion, "dayPlot": dayPlot, "dayRows": dayRows,
		"dayHeader": func() []string { return strings.Split(strings.ToLower(dayColumns), "\t") },
		"history": func(e Entry, c results.Comparison) template.HTML {
			return plots.History(e.History[Series{c.Metric, c.Arm}])
		},
	}).ParseFS(files, "*.html")
	if err != nil {
		return fmt.Errorf("parse the report's template: %w", err)
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

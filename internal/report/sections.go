package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// parse reads the report's template and its parts, which write times in a zone; nil is UTC.
func parse(zone *time.Location) (*template.Template, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		"instant": func(t time.Time) string { return words.InstantIn(t, zone) }, "percent": words.Percent, "interval": words.PercentRange, "mean": words.Mean,
		"difference": words.Difference, "p": words.PValue, "count": words.Count, "count64": func(n uint64) string { return words.Count(int64(n)) }, "share": func(x float64) string { return words.Share(results.Number(x)) },
		"plots": effectPlots, "tone": catalog.VerdictTone, "overall": catalog.Overall, "doubts": doubts, "srm": catalog.SRMAlarm,
		"bounds": words.DifferenceRange, "split": splitLines, "splitBy": splitBy, "oneLook": oneLook, "budget": budgetText, "spent": spentLines, "parts": budgetLines, "anomaly": anomalyText, "limits": limits,
		"kill":   func(k *results.Kill) string { return catalog.KillText(k, zone) },
		"armOff": func(k results.Kill) string { return catalog.KillText(&k, zone) }, "after": afterText,
		"gap":      func(g results.Gap) string { return catalog.GapText(g, zone) },
		"excluded": Excluded, "sampled": Sampled, "slow": slowRows, "checks": slowChecks, "segments": segmentTables, "slowAge": slowAge, "family": goalFamily, "asides": asides, "placebo": placeboLines, "placeboText": placeboText, "dated": datedLines, "datedText": datedText, "datedEnds": datedEnds, "beliefs": beliefLines, "prior": priorText, "familyText": familyText, "together": togetherLines, "togetherNote": togetherNote, "togetherLeftOut": togetherLeftOut, "familyLines": familyLines,
		"meanRange": meanRange, "armsText": armsText, "planSummary": planSummary, "planLines": planLines,
		"dayNote": func() string { return results.DayNote }, "severalDays": severalDays, "dayConclusion": dayConclusion, "dayPlot": dayPlot, "dayRows": dayRows,
		"dayHeader": func() []string { return strings.Split(strings.ToLower(dayColumns), "\t") },
		"history": func(e Entry, c results.Comparison) template.HTML {
			return plots.History(e.History[Series{c.Metric, c.Arm}], zone)
		},
		"callTone": callTone, "callWord": callWord, "sayings": sayings, "mainPlots": mainPlots, "glossary": glossary,
	}).ParseFS(files, "*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the report's template: %w", err)
	}
	return t, nil
}

// Section is a part of the report by itself, without its heading.
type Section struct {
	Name  string // short, for programs
	Title string
	Body  template.HTML
}

// Sections renders the parts of a look that say how its numbers came about, for whoever
// has a frame of his own around them.
type Sections struct{ templates *template.Template }

// NewSections parses the templates, which write times in a zone; nil is UTC.
func NewSections(zone *time.Location) (*Sections, error) {
	t, err := parse(zone)
	return &Sections{t}, err
}

// Of renders what there is of an experiment that was looked at.
func (s *Sections) Of(e Entry) ([]Section, error) {
	d := e.Document
	var out []Section
	var failed error
	add := func(there bool, name, title string, data any) {
		if !there || failed != nil {
			return
		}
		var b strings.Builder
		failed = s.templates.ExecuteTemplate(&b, name, data)
		out = append(out, Section{name, title, template.HTML(b.String())}) //nolint:gosec // a template escaped it
	}
	add(len(familyLines(d)) > 0, "families", "Goals together", d)
	add(d.Dated != nil, "dated", "Dated looks", d.Dated)
	add(len(d.Together) > 0, "together", "Runs together", d.Together)
	for _, a := range asides(d) {
		add(true, "aside", a.Title, a)
	}
	add(d.Slow != nil, "slow", "From stored events", d)
	add(len(severalDays(d)) > 0, "days", "By day of first exposure", severalDays(d))
	add(d.Beliefs != nil, "beliefs", "Beliefs", d.Beliefs)
	add(len(placeboLines(d)) > 0, "placebo", "Placebo", d)
	add(len(d.Plan) > 0, "plan", "How each question is answered", d)
	add(true, "split", "The split in numbers", d)
	add(true, "about", "Hypothesis and data", e)
	if failed != nil {
		return nil, fmt.Errorf("write a section of %s: %w", d.Experiment, failed)
	}
	return slices.Clip(out), nil
}

// Doubts are the warnings of a look in words.
func Doubts(d *results.Document) []string { return doubts(d) }

package pages

import (
	"embed"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

//go:embed templates
var templateFiles embed.FS

// parse reads the templates: each page with the frame and the parts that all share.
func parse(a assets, zone *time.Location) (map[string]*template.Template, error) {
	shared, err := template.New("").Funcs(funcs(a, zone)).ParseFS(templateFiles, "templates/shared/*.html")
	if err != nil {
		return nil, err
	}
	entries, err := templateFiles.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	out := map[string]*template.Template{}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		t, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		if _, err := t.ParseFS(templateFiles, path.Join("templates", e.Name())); err != nil {
			return nil, err
		}
		out[strings.TrimSuffix(e.Name(), ".html")] = t
	}
	return out, nil
}

func funcs(a assets, zone *time.Location) template.FuncMap {
	return template.FuncMap{
		"asset": a.address, "count": words.Count, "instant": func(t time.Time) string { return words.InstantIn(t, zone) }, "clock": func(t time.Time) string { return clock(t, zone) }, "iso": iso, "p": words.PValue,
		"level":   func(x float64) string { return words.PValue(results.Number(x)) },
		"share":   func(x float64) string { return words.Share(results.Number(x)) },
		"percent": words.Percent, "percents": words.PercentRange, "mean": words.Mean,
		"difference": words.Difference, "differences": words.DifferenceRange,
		"total": func(n uint64) string { return words.Count(int64(n)) },
		"short": func(hash string) string { return hash[:min(12, len(hash))] },
		"plural": func(n int, one, many string) string {
			if n == 1 {
				return "1 " + one
			}
			return fmt.Sprintf("%s %s", words.Count(int64(n)), many)
		},
		"callWord": callWord, "callTone": callTone, "callText": callText, "healthWord": healthWord, "healthTone": healthTone, "stateWord": stateWord,
		"verdictTone": catalog.VerdictTone, "kindWord": kindWord, "rampTone": rampTone, "entryTone": entryTone, "gap": func(g results.Gap) string { return catalog.GapText(g, zone) }, "margin": margin,
		"span":    func(w catalog.Within) results.Interval { return results.Interval{Low: w.Low, High: w.High} },
		"nav":     func() []link { return parts },
		"inside":  func(section string) bool { return slices.Contains(diagnostics, section) },
		"thinned": thinned, "lag": lag, "findingTone": findingTone,
		"spaced":       func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"shownChoices": func() []catalog.Shown { return []catalog.Shown{catalog.Better, catalog.Worse, catalog.Nothing} },
		"stateChoices": func() []catalog.State { return catalog.States()[1:] },
		"role":         func(x catalog.WrittenEffect) string { return report.Role(&x) },
		"bothUnits":    func(u catalog.Units) string { return words.Count(u.Treatment + u.Control) },
		"answerTone": func(a governance.Answer) string {
			return map[governance.Answer]string{governance.Yes: "good", governance.No: "bad", governance.Unknown: "warn"}[a]
		},
		"next":    func(n int) int { return n + 1 },
		"stopAll": func(who access.Principal) bool { return may(who, access.StopAll, "", "") },
	}
}

// iso is a time for programs; the pages' script makes an age of it.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// clock is a time of day with its date, to the second.
func clock(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return words.Unknown
	}
	return words.In(t, zone).Format("2 Jan 15:04:05")
}

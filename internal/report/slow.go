package report

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// slowRow is a metric computed from stored events, with its names for people.
type slowRow struct {
	results.SlowComparison
	Name string
	Of   string // which units, and what the method did
}

func slowRows(d *results.Document) []slowRow {
	if d.Slow == nil {
		return nil
	}
	var out []slowRow
	for _, c := range d.Slow.Comparisons {
		r := slowRow{SlowComparison: c, Name: c.Metric, Of: "all units so far"}
		if c.Matured {
			r.Of = "complete windows"
		}
		switch {
		case c.Kind == string(experiment.Quantile):
			r.Name = fmt.Sprintf("%s, %s percentile", c.Metric, ordinal(100*c.Quantile))
			if c.DesignEffect.Known() {
				r.Of += fmt.Sprintf(", design effect %.1f", c.DesignEffect.Float())
			}
		default:
			r.Name = fmt.Sprintf("%s, adjusted by %s", c.Metric, covariateName(c.Covariate))
			if c.Reduction.Known() {
				r.Of += fmt.Sprintf(", variance −%s", words.Share(c.Reduction))
			}
		}
		out = append(out, r)
	}
	return out
}

// checkLine says what else the stored events tell of a comparison.
type checkLine struct {
	Text string
	Tone string
	Plot template.HTML // of a trend, for pages
}

// slowChecks are the comparisons of covariates and the trends by day: an alarm each,
// and of the goals what is not shown too.
func slowChecks(d *results.Document) []checkLine {
	var out []checkLine
	for _, r := range slowRows(d) {
		for i := range r.Balances {
			if b := &r.Balances[i]; r.Goal || b.Alarm {
				out = append(out, balanceLine(r.SlowComparison, b))
			}
		}
		if t := r.ByDay; t != nil && (r.Goal || t.Moves) {
			out = append(out, trendLine(r.SlowComparison, t))
		}
	}
	return out
}

func balanceLine(c results.SlowComparison, b *results.Balance) checkLine {
	what := c.Metric + " in the 30 days before"
	if b.Covariate != experiment.PrePeriod {
		what = covariateName(b.Covariate)
	}
	if b.Missing {
		what = "units without " + what
	}
	numbers := fmt.Sprintf("%s, %s units and %s in control: difference %s (%s)", what+" in "+c.Arm, words.Count(b.Treatment.Units), words.Count(b.Control.Units),
		signed(b.Absolute.Estimate), signedRange(b.Absolute.Sequential))
	if b.Alarm {
		return checkLine{Text: "The arms differed before the experiment: " + numbers + ". Find out why before reading any effect.", Tone: "bad"}
	}
	return checkLine{Text: "before the experiment: " + numbers + ", no difference is shown", Tone: "none"}
}

func trendLine(c results.SlowComparison, t *results.Trend) checkLine {
	numbers := fmt.Sprintf("%s in %s: the effect grows by %s (%s) a day over the first %d days since exposure", c.Metric, c.Arm,
		words.Difference(t.Absolute.Estimate, c.Kind, c.Unit), words.DifferenceRange(t.Absolute.Sequential, c.Kind, c.Unit), t.Days)
	if t.Moves {
		return checkLine{numbers + ": the mean over the window is not what will last", "warn", agePlot(c)}
	}
	return checkLine{numbers + ", no trend is shown", "none", agePlot(c)}
}

func signed(n results.Number) string { return words.Difference(n, "", "") }

func signedRange(i results.Interval) string { return words.DifferenceRange(i, "", "") }

func covariateName(c string) string {
	terms := experiment.CovariateTerms(c)
	for i, term := range terms {
		if terms[i] = strings.TrimPrefix(term, "attrs."); term == experiment.PrePeriod {
			terms[i] = "the 30 days before"
		}
	}
	return strings.Join(terms, " and ")
}

// ordinal writes 95th, 99.9th, 1st.
func ordinal(x float64) string {
	text := strings.TrimSuffix(fmt.Sprintf("%.4g", x), ".0")
	if !strings.Contains(text, ".") && !strings.HasSuffix(text, "11") && !strings.HasSuffix(text, "12") && !strings.HasSuffix(text, "13") {
		switch text[len(text)-1] {
		case '1':
			return text + "st"
		case '2':
			return text + "nd"
		case '3':
			return text + "rd"
		}
	}
	return text + "th"
}

// slowAge says how old the slow metrics are, against the look beside them.
func slowAge(d *results.Document) string {
	age := d.At.Sub(d.Slow.At).Round(time.Second)
	when := fmt.Sprintf("%v before the look above", age)
	if age <= 0 {
		when = "with the look above or after it"
	}
	return fmt.Sprintf("computed at %s, %s, configuration %d", words.Instant(d.Slow.At), when, d.Slow.Version)
}

func textSlow(b *strings.Builder, d *results.Document) {
	var rows []string
	for _, r := range slowRows(d) {
		e := r.Estimate
		rows = append(rows, strings.Join([]string{r.Name, r.Arm, words.Count(e.Treatment.Units), words.Count(e.Control.Units),
			words.Mean(e.Control.Mean, r.Kind, r.Unit), words.Mean(e.Treatment.Mean, r.Kind, r.Unit),
			words.DifferenceWithin(e.Absolute.Estimate, e.Absolute.Sequential, r.Kind, r.Unit),
			words.Percent(e.Relative.Estimate), words.PercentRange(e.Relative.Fixed), words.PercentRange(e.Relative.Sequential),
			words.PValue(e.Absolute.SequentialP), r.Of}, "\t"))
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "from stored events, %s\n", slowAge(d))
		table(b, strings.Replace(effectHeader, "ARM'S MEAN", "ARM'S VALUE", 1)+"\tOF", rows)
	}
	for _, c := range slowChecks(d) {
		fmt.Fprintf(b, "%s\n", c.Text)
	}
	if len(slowChecks(d)) > 0 {
		b.WriteByte('\n')
	}
}

// agePlot draws the difference on each day since a unit's first exposure.
func agePlot(c results.SlowComparison) template.HTML {
	var marks []plots.Mark
	for _, x := range c.ByDay.Effects {
		title := fmt.Sprintf("day %d: %s", x.Day, words.DifferenceWithin(x.Absolute.Estimate, x.Absolute.Fixed, c.Kind, c.Unit))
		marks = append(marks, plots.Mark{Label: fmt.Sprintf("day %d", x.Day), Title: title, Effect: x.Absolute})
	}
	return plots.Marks(marks, c.Kind, c.Unit, fmt.Sprintf("difference of %s in %s by the day since first exposure", c.Metric, c.Arm))
}

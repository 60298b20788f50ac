package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// placeboLine is what halves of the control say of one metric.
type placeboLine struct {
	results.PlaceboMetric
	Alarms  string // at any look
	Outside string // of one look
	Inside  string // coverage, with its interval
	State   string
}

func placeboLines(d *results.Document) []placeboLine {
	if d.Placebo == nil {
		return nil
	}
	var out []placeboLine
	for i := range d.Placebo.Metrics {
		m := &d.Placebo.Metrics[i]
		line := placeboLine{
			PlaceboMetric: *m, Alarms: fmt.Sprintf("%d of %d", len(m.Ever), d.Placebo.Splits), Outside: "–", Inside: "–", State: "ok",
		}
		if m.Judged > 0 {
			between := m.CoverageBetween
			line.Outside = fmt.Sprintf("%d of %d", m.Outside, m.Judged)
			line.Inside = fmt.Sprintf("%s (%s to %s)", words.Share(m.Coverage), words.Share(between.Low), words.Share(between.High))
		}
		switch {
		case m.Suspect:
			line.State = "SUSPECT"
		case m.Judged == 0:
			line.State = "no numbers yet"
		}
		out = append(out, line)
	}
	return out
}

// placeboText says what was done, when, and what is promised.
func placeboText(d *results.Document) string {
	p := d.Placebo
	looks := "one look"
	if p.Looks > 1 {
		looks = fmt.Sprintf("%d looks", p.Looks)
	}
	return fmt.Sprintf("the control's units halved at random %d times and compared as arms are, at %s after %s; promised: false alarms in at most %s of the halvings at any look, and %s of the one-look intervals hold 0",
		p.Splits, words.Instant(p.At), looks, words.Share(results.Number(p.Alpha)), words.Share(results.Number(1-p.Alpha)))
}

// placeboDoubts warn of metrics whose intervals find effects where there are none.
func placeboDoubts(d *results.Document) []string {
	var out []string
	for _, m := range d.Placebo.Suspect() {
		out = append(out, fmt.Sprintf("%s: %d of %d random halvings of the control differ, more than chance explains (p = %s): its units are not independent or few of them carry its total; decide nothing on it",
			m.Metric, len(m.Ever), d.Placebo.Splits, words.PValue(m.P)))
	}
	return out
}

func textPlacebo(b *strings.Builder, d *results.Document) {
	var rows []string
	for _, l := range placeboLines(d) {
		rows = append(rows, strings.Join([]string{l.Metric, words.Count(l.Units), l.Alarms, l.Outside, l.Inside, l.State}, "\t"))
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "placebo: %s\n", placeboText(d))
	table(b, "METRIC\tUNITS\tFALSE ALARMS, ANY LOOK\tOUTSIDE, ONE LOOK\tCOVERAGE, ONE LOOK\tSTATE", rows)
}

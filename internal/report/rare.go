package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

const (
	rareAbout  = "by units with at least one (no normal approximation; a guardrail judges by it where its file says method: count)"
	smallAbout = "score intervals for one look, in place of Welch's"
)

const rareHeader = "METRIC\tARM\tWITH EVENT\tIN CONTROL\tRATE RATIO\tEVERY LOOK\tP\tHARM BEYOND\tP OF HARM"

// rareRows are the count tests of the metrics whose events are rare.
func rareRows(d *results.Document) []string {
	var rows []string
	for _, c := range d.Comparisons {
		f := c.Open.FirstEvents
		if f == nil {
			continue
		}
		rows = append(rows, strings.Join([]string{
			c.Metric, c.Arm, words.Count(f.Treatment), words.Count(f.Control), times(f.Ratio),
			times(f.Sequential.Low) + " to " + times(f.Sequential.High), words.PValue(f.SequentialP),
			fmt.Sprintf("%.3g %%", 100*f.Margin), words.PValue(f.HarmP),
		}, "\t"))
	}
	return rows
}

// times writes a ratio.
func times(n results.Number) string {
	switch {
	case math.IsInf(n.Float(), 1):
		return "∞"
	case !n.Known():
		return "?"
	}
	return fmt.Sprintf("×%.3g", n.Float())
}

const smallHeader = "METRIC\tARM\tDIFFERENCE, ONE LOOK\tEFFECT, ONE LOOK"

// smallRows are the score intervals of shares with few units of the rarer outcome.
func smallRows(d *results.Document) []string {
	var rows []string
	for _, c := range d.Comparisons {
		if s := c.Open.SmallCounts; s != nil && c.Open.Treatment.Units > 0 {
			rows = append(rows, strings.Join([]string{c.Metric, c.Arm, words.DifferenceRange(s.Absolute, c.Kind, c.Unit), words.PercentRange(s.Relative)}, "\t"))
		}
	}
	return rows
}

// aside is a table of what stands beside the effects, for pages.
type aside struct {
	Title  string
	About  string
	Header []string
	Rows   [][]string
}

// asides are the count tests and score intervals as the terminal shows them.
func asides(d *results.Document) []aside {
	var out []aside
	add := func(title, about, header string, rows []string) {
		if len(rows) == 0 {
			return
		}
		a := aside{Title: title, About: about, Header: strings.Split(strings.ToLower(header), "\t")}
		for _, r := range rows {
			a.Rows = append(a.Rows, strings.Split(r, "\t"))
		}
		out = append(out, a)
	}
	add("Rare events", rareAbout, rareHeader, rareRows(d))
	add("Few units of the rarer outcome", smallAbout, smallHeader, smallRows(d))
	return out
}

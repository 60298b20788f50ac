package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/assay-dev/assay/internal/results"
)

// Text writes one experiment's look for a terminal.
func Text(w io.Writer, d *results.Document) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s · iteration %d of %d · %s%s\n", d.Experiment, d.Iteration, d.Iterations, Overall(d), flags(d))
	fmt.Fprintf(&b, "%s\n\n", headline(d))
	textEffects(&b, d)
	textGuardrails(&b, d)
	textSplit(&b, d)
	for _, c := range d.Crossovers {
		fmt.Fprintf(&b, "crossovers: %s units saw %s, then %s (phase %d)\n", Count(c.Units), c.First, c.Other, c.Phase)
	}
	textAside(&b, d)
	fmt.Fprintf(&b, "look at %s, fresh to %s, configuration %d\n", Instant(d.At), Instant(d.Freshness), d.Version)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

func flags(d *results.Document) string {
	var out string
	if SRMAlarm(d) {
		out += " · split broken"
	}
	if d.Killed != nil {
		out += " · stopped"
	}
	return out
}

// table aligns tab-separated rows below one another.
func table(b *strings.Builder, header string, rows []string) {
	if len(rows) == 0 {
		return
	}
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, header) // a strings.Builder takes everything
	for _, r := range rows {
		_, _ = fmt.Fprintln(t, r)
	}
	_ = t.Flush()
	b.WriteByte('\n')
}

func textEffects(b *strings.Builder, d *results.Document) {
	var rows []string
	for _, c := range d.Comparisons {
		if c.Overflow > 0 {
			rows = append(rows, fmt.Sprintf("%s\t%s\toverflow: %s units' totals are too large", c.Metric, c.Arm, Count(c.Overflow)))
			continue
		}
		e := c.Open
		rows = append(rows, strings.Join([]string{c.Metric, c.Arm, Count(e.Treatment.Units), Count(e.Control.Units),
			Mean(e.Control.Mean, c.Kind, c.Unit), Mean(e.Treatment.Mean, c.Kind, c.Unit),
			Difference(e.Absolute.Estimate, c.Kind, c.Unit), Percent(e.Relative.Estimate),
			PercentRange(e.Relative.Fixed), PercentRange(e.Relative.Sequential), PValue(e.Absolute.SequentialP)}, "\t"))
	}
	table(b, "METRIC\tARM\tUNITS\tIN CONTROL\tCONTROL\tARM'S MEAN\tDIFFERENCE\tEFFECT\tINTERVAL, ONE LOOK\tINTERVAL, EVERY LOOK\tP", rows)
	if doubts := doubts(d); len(doubts) > 0 {
		b.WriteString("warnings:\n  " + strings.Join(doubts, "\n  ") + "\n\n")
	}
}

// doubts lists the warnings of all comparisons, each text once with whom it concerns.
func doubts(d *results.Document) []string {
	var texts []string
	about := map[string][]string{}
	for _, c := range d.Comparisons {
		for _, w := range c.Open.Warnings {
			if about[w.Text] == nil {
				texts = append(texts, w.Text)
			}
			about[w.Text] = append(about[w.Text], c.Metric+" in "+c.Arm)
		}
	}
	out := make([]string, len(texts))
	for i, text := range texts {
		who := strings.Join(about[text], ", ")
		if len(about[text]) == len(d.Comparisons) && len(d.Comparisons) > 1 {
			who = "all"
		}
		out[i] = who + ": " + text
	}
	return out
}

func textGuardrails(b *strings.Builder, d *results.Document) {
	var rows []string
	for _, v := range d.Verdicts {
		rows = append(rows, strings.Join([]string{v.Metric, v.Arm, v.Mode, v.Verdict, v.Text}, "\t"))
	}
	table(b, "GUARDRAIL\tARM\tMODE\tVERDICT\tWHY", rows)
}

func textSplit(b *strings.Builder, d *results.Document) {
	var rows []string
	for _, p := range d.Phases {
		var arms []string
		for _, a := range p.Arms {
			arms = append(arms, fmt.Sprintf("%s %s (%s)", a.Variant, Count(a.Units), percent(results.Number(a.Share), false)))
		}
		state := "ok"
		if p.SRM.Alarm {
			state = "BROKEN"
		}
		rows = append(rows, fmt.Sprintf("%d\t%s\t%s\t%s", p.Number, strings.Join(arms, ", "), PValue(p.SRM.P), state))
	}
	table(b, "PHASE\tUNITS (INTENDED)\tP, EVERY LOOK\tSPLIT", rows)
}

func textAside(b *strings.Builder, d *results.Document) {
	a := d.Aside
	if a.Moved+a.Outside+a.UnknownVariants+a.OtherUnitKind > 0 {
		fmt.Fprintf(b, "aside: %s moved, %s outside every iteration, %s of unknown variants, %s of another unit kind\n",
			Count(a.Moved), Count(a.Outside), Count(a.UnknownVariants), Count(a.OtherUnitKind))
	}
	for _, m := range d.AfterEnd {
		fmt.Fprintf(b, "after the stop: %s exposures to %s, newest %s\n", Count(m.Exposures), m.Variant, Instant(m.Newest))
	}
	for _, t := range d.Troubles {
		fmt.Fprintf(b, "trouble: %s %s\n", t.Code, t.Detail)
	}
}

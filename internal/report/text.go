package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/terminal"
	"github.com/assay-dev/assay/internal/words"
)

// Text writes one experiment's look as plain text.
func Text(w io.Writer, d *results.Document) error { return Colour(w, d, terminal.Palette{}) }

// Colour writes one experiment's look for a terminal. Colours repeat what the words say.
func Colour(w io.Writer, d *results.Document, p terminal.Palette) error {
	var b strings.Builder
	if d.Exploratory != "" {
		fmt.Fprintf(&b, "%s\n%s\n\n", p.Strong("EXPLORATORY, no planned result"), d.Exploratory)
	}
	overall := catalog.Overall(d)
	fmt.Fprintf(&b, "%s · iteration %d of %d · %s%s\n", p.Strong(d.Experiment), d.Iteration, d.Iterations,
		p.Tone(string(catalog.VerdictTone(overall)), overall), p.Tone("bad", flags(d)))
	if d.AsOf {
		fmt.Fprintf(&b, "as of %s: what came later is not in it\n", words.Instant(d.At))
	}
	box := catalog.Decide(catalog.Subject{Document: d, Now: d.At})
	fmt.Fprintf(&b, "%s\n\n", p.Tone(callTone(box.Call), box.Text))
	textEffects(&b, d, p)
	textArms(&b, d)
	textSlow(&b, d)
	textSegments(&b, d)
	textFamilies(&b, d)
	textDated(&b, d)
	textTogether(&b, d)
	textDays(&b, d)
	textBeliefs(&b, d)
	textPlacebo(&b, d)
	textGuardrails(&b, d, p)
	textSplit(&b, d)
	textCrossovers(&b, d)
	if text := Sampled(d); text != "" {
		fmt.Fprintf(&b, "sampled: %s\n", text)
	}
	for _, c := range d.LossChecks {
		if c.Alarm {
			fmt.Fprintf(&b, "LOSS DIFFERS BY ARM: %s\n", c.Text)
		}
	}
	if text := Excluded(d); text != "" {
		fmt.Fprintf(&b, "excluded: %s\n", text)
	}
	for i := range d.Consents {
		fmt.Fprintf(&b, "consent: %s\n", d.Consents[i].String())
	}
	textAside(&b, d)
	textActs(&b, d)
	textBudget(&b, d)
	fmt.Fprintf(&b, "look at %s, fresh to %s, configuration %d\n", words.Instant(d.At), words.Instant(d.Freshness), d.Version)
	if d.LogHead != "" {
		fmt.Fprintf(&b, "decision log head %s\n", d.LogHead)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

func flags(d *results.Document) string {
	var out string
	if catalog.SRMAlarm(d) {
		out += " · split broken"
	}
	if d.Killed != nil {
		out += " · stopped"
	}
	return out
}

// table aligns tab-separated rows below one another.
func table(b *strings.Builder, header string, rows []string) {
	if len(rows) > 0 {
		b.WriteString(terminal.Table(header, rows) + "\n")
	}
}

const effectHeader = "METRIC\tARM\tUNITS\tIN CONTROL\tCONTROL\tARM'S MEAN\tDIFFERENCE, EVERY LOOK\tEFFECT\tINTERVAL, ONE LOOK\tINTERVAL, EVERY LOOK\tP"

func textEffects(b *strings.Builder, d *results.Document, p terminal.Palette) {
	var rows, complete, totals []string
	for _, c := range d.Comparisons {
		if c.Overflow > 0 {
			rows = append(rows, fmt.Sprintf("%s\t%s\toverflow: %s units' totals are too large", c.Metric, c.Arm, words.Count(c.Overflow)))
			continue
		}
		rows = append(rows, effectRow(c, c.Open, p))
		if c.Goal && anyMatured(c) {
			complete = append(complete, effectRow(c, c.Matured, p))
		}
		if c.Open.Treatment.Total != "" {
			totals = append(totals, fmt.Sprintf("%s: %s in %s, %s in %s", c.Metric, c.Open.Treatment.Total, c.Arm, c.Open.Control.Total, d.Control))
		}
	}
	b.WriteString("all units so far\n")
	table(b, effectHeader, rows)
	if len(complete) > 0 {
		b.WriteString(completeText(d) + "\n")
		table(b, effectHeader, complete)
	}
	if rare := rareRows(d); len(rare) > 0 {
		b.WriteString("rare events, " + rareAbout + "\n")
		table(b, rareHeader, rare)
	}
	if small := smallRows(d); len(small) > 0 {
		b.WriteString("few units of the rarer outcome: " + smallAbout + "\n")
		table(b, smallHeader, small)
	}
	if len(totals) > 0 {
		b.WriteString("totals so far: " + strings.Join(totals, "; ") + "\n\n")
	}
	if doubts := doubts(d); len(doubts) > 0 {
		b.WriteString("warnings:\n  " + strings.Join(doubts, "\n  ") + "\n\n")
	}
}

func effectRow(c results.Comparison, e results.Estimate, p terminal.Palette) string {
	tone := string(catalog.EffectTone(e, c.Direction))
	return strings.Join([]string{c.Metric, c.Arm, words.Count(e.Treatment.Units), words.Count(e.Control.Units),
		words.Mean(e.Control.Mean, c.Kind, c.Unit), words.Mean(e.Treatment.Mean, c.Kind, c.Unit),
		words.DifferenceWithin(e.Absolute.Estimate, e.Absolute.Sequential, c.Kind, c.Unit),
		p.Tone(tone, words.Percent(e.Relative.Estimate)), words.PercentRange(e.Relative.Fixed), words.PercentRange(e.Relative.Sequential),
		words.PValue(e.Absolute.SequentialP)}, "\t")
}

// doubts lists the warnings of all comparisons, each text once with whom it concerns.
func doubts(d *results.Document) []string {
	var texts []string
	about := map[string][]string{}
	for _, c := range d.Comparisons {
		for _, w := range slices.Concat(c.Open.Warnings, drifts(c.Matured)) {
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
	return slices.Concat(out, splitDoubts(d), placeboDoubts(d))
}

// drifts are the warnings that only units with complete windows can give.
func drifts(e results.Estimate) []results.Doubt {
	var out []results.Doubt
	for _, w := range e.Warnings {
		if w.Code == results.EffectDrifts {
			out = append(out, w)
		}
	}
	return out
}

func textGuardrails(b *strings.Builder, d *results.Document, p terminal.Palette) {
	var rows []string
	for _, v := range d.Verdicts {
		mode := v.Mode
		if v.Limit != "" {
			mode += " (" + v.Limit + ")"
		}
		rows = append(rows, strings.Join([]string{v.Metric, v.Arm, mode, p.Tone(string(catalog.VerdictTone(v.Verdict)), v.Verdict), v.Text}, "\t"))
	}
	table(b, "GUARDRAIL\tARM\tMODE\tVERDICT\tWHY", rows)
}

func textAside(b *strings.Builder, d *results.Document) {
	a := d.Aside
	if a.Moved+a.Outside+a.UnknownVariants+a.OtherUnitKind > 0 {
		fmt.Fprintf(b, "aside: %s moved, %s outside every iteration, %s of unknown variants, %s of another unit kind\n",
			words.Count(a.Moved), words.Count(a.Outside), words.Count(a.UnknownVariants), words.Count(a.OtherUnitKind))
	}
	for _, metric := range slices.Sorted(maps.Keys(a.OutOfRange)) {
		fmt.Fprintf(b, "out of range: %s values of %s are too large to be counted\n", words.Count(a.OutOfRange[metric]), metric)
	}
	for _, g := range d.Gaps {
		fmt.Fprintf(b, "gap: %s\n", catalog.GapText(g, nil))
	}
	for _, t := range d.Troubles {
		fmt.Fprintf(b, "trouble: %s %s\n", t.Code, t.Detail)
	}
	for _, a := range d.Anomalies {
		fmt.Fprintf(b, "anomaly: %s\n", anomalyText(a))
	}
}

// textActs tells what was done about the iteration, and what came after.
func textActs(b *strings.Builder, d *results.Document) {
	for _, l := range limits(d) {
		fmt.Fprintf(b, "limit: %s\n", l)
	}
	if d.Kill != nil {
		fmt.Fprintf(b, "kill: %s\n", catalog.KillText(d.Kill, nil))
		for _, a := range d.Kill.After {
			fmt.Fprintf(b, "after the decision: %s\n", afterText(a))
		}
	}
	for i := range d.ArmKills {
		fmt.Fprintf(b, "arm off: %s\n", catalog.KillText(&d.ArmKills[i], nil))
	}
	for _, m := range d.AfterEnd {
		fmt.Fprintf(b, "after the stop: %s exposures to %s, newest %s\n", words.Count(m.Exposures), m.Variant, words.Instant(m.Newest))
	}
}

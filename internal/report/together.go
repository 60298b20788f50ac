package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// togetherLine is what several runs say of a metric in an arm, in words.
type togetherLine struct{ Metric, Arm, Runs, Same, Mean, Differ string }

func togetherLines(all []results.Together) []togetherLine {
	out := make([]togetherLine, len(all))
	for i := range all {
		t := &all[i]
		number := func(e results.Pooled) string {
			return words.DifferenceWithin(e.Estimate, e.Interval, t.Kind, t.Unit)
		}
		out[i] = togetherLine{t.Metric, t.Arm, runsText(t.Runs), number(t.Same), number(t.Mean), fmt.Sprintf("p = %s, I² %s", words.PValue(t.P), words.Share(t.I2))}
	}
	return out
}

func runsText(numbers []uint32) string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = fmt.Sprint(n)
	}
	return strings.Join(out, ", ")
}

// togetherNote says what the numbers are worth.
func togetherNote(all []results.Together) string {
	out := "Differences to the control by each iteration's one-look error, on complete windows (docs/statistics.md#runs-together)."
	if !all[0].Declared {
		out += " Not every later one was declared beforehand to repeat an earlier one."
	}
	for i := range all {
		if all[i].Killed {
			out += " One of them was turned off by its result, so the numbers lean that way."
			break
		}
	}
	if all[0].Shared {
		out += " Their units are assigned elsewhere: where the same units came again, the intervals are too narrow."
	}
	return out
}

func togetherLeftOut(all []results.Together) (out []string) {
	for i := range all {
		for _, why := range all[i].LeftOut {
			out = append(out, fmt.Sprintf("Left out of %s in %s: %s.", all[i].Metric, all[i].Arm, why))
		}
	}
	return out
}

func textTogether(b *strings.Builder, d *results.Document) {
	if len(d.Together) == 0 {
		return
	}
	b.WriteString("runs together\n")
	var rows []string
	for _, l := range togetherLines(d.Together) {
		rows = append(rows, strings.Join([]string{l.Metric, l.Arm, l.Runs, l.Same, l.Mean, l.Differ}, "\t"))
	}
	table(b, "METRIC\tARM\tITERATIONS\tIF THEY HAVE ONE EFFECT\tIF IT DIFFERS: THE MEAN\tDIFFER?", rows)
	b.WriteString(strings.Join(append([]string{togetherNote(d.Together)}, togetherLeftOut(d.Together)...), "\n") + "\n\n")
}

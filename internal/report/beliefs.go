package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// beliefLine is one posterior in words.
type beliefLine struct{ Name, Arm, Of, Chance, Absolute, Relative, Ship, Keep string }

func beliefLines(b *results.Beliefs) []beliefLine {
	out := make([]beliefLine, len(b.Comparisons))
	for i, c := range b.Comparisons {
		name, of := c.Metric, "all units so far"
		switch {
		case c.Kind == string(experiment.Quantile):
			name = fmt.Sprintf("%s, %s percentile", c.Metric, ordinal(100*c.Quantile))
		case c.Covariate != "":
			name = fmt.Sprintf("%s, adjusted by %s", c.Metric, covariateName(c.Covariate))
		}
		if c.Matured {
			of = "complete windows"
		}
		out[i] = beliefLine{
			Name: name, Arm: c.Arm, Of: of, Chance: words.Share(c.ChanceBetter),
			Absolute: words.DifferenceRange(c.Absolute, c.Kind, c.Unit), Relative: words.PercentRange(c.Relative),
			Ship: loss(c.LossShip, c), Keep: loss(c.LossKeep, c),
		}
	}
	return out
}

// loss is an amount in the metric's unit, without a sign.
func loss(n results.Number, c results.Belief) string {
	return strings.TrimPrefix(words.Difference(n, c.Kind, c.Unit), "+")
}

func priorText(b *results.Beliefs) string {
	prior := "a flat prior"
	if b.PriorSD > 0 {
		prior = fmt.Sprintf("a normal prior on the lift, centred at 0 with a standard deviation of %s", words.Share(results.Number(b.PriorSD)))
	}
	return fmt.Sprintf("from %s; intervals hold %s of the posterior", prior, words.Share(results.Number(b.Credibility)))
}

func textBeliefs(b *strings.Builder, d *results.Document) {
	if d.Beliefs == nil {
		return
	}
	lines := beliefLines(d.Beliefs)
	rows := make([]string, len(lines))
	for i, l := range lines {
		rows[i] = strings.Join([]string{l.Name, l.Arm, l.Of, l.Chance, l.Absolute, l.Relative, l.Ship, l.Keep}, "\t")
	}
	fmt.Fprintf(b, "%s\n%s\n", d.Beliefs.Note, priorText(d.Beliefs))
	table(b, "METRIC\tARM\tOF\tCHANCE TO BE BETTER\tCREDIBLE DIFFERENCE\tCREDIBLE EFFECT\tEXPECTED LOSS, SHIPPING\tEXPECTED LOSS, KEEPING", rows)
}

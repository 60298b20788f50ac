package results

import (
	"fmt"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// shortKept is what internal/assignment calls a unit whose producer kept fewer units than
// the phase says.
const shortKept = "less"

// UnevenLoss is the code of a loss that differs by arm. It makes every rule blind.
const UnevenLoss = "uneven_loss"

// LossCheck tests, in a phase that measures some units only, whether the units whose
// producer kept too few are divided like the arms. Where they are not, one arm has lost
// units that the other has not, and the split alone may take long to show it.
type LossCheck struct {
	Phase     uint16  `json:"phase"`
	ShortKept []int64 `json:"short_kept"` // units by arm, in the phase's order
	P         Number  `json:"p"`          // valid at every look
	Threshold float64 `json:"threshold"`
	Alarm     bool    `json:"alarm"`
	Text      string  `json:"text"`
}

// checkLosses tests every phase that samples, with error rates of its own as the split's are.
func (c *computation) checkLosses() {
	for i := range c.it.Phases {
		p := &c.it.Phases[i]
		if !c.it.Samples() {
			return
		}
		short := make([]int64, len(c.e.Variants))
		for v := range c.e.Variants {
			short[v] = c.sampled(shortKept, p.Number, false, c.e.Variants[v].Key)
		}
		c.doc.LossChecks = append(c.doc.LossChecks, CheckLoss(c.e.Variants, p, short))
	}
}

// CheckLoss tests the units of one phase whose producer kept too few, by arm.
func CheckLoss(variants []experiment.Variant, p *experiment.Phase, short []int64) LossCheck {
	threshold := stats.SRMThreshold(int(p.Number))
	s := stats.SampleRatio(short, p.Shares)
	l := LossCheck{Phase: p.Number, ShortKept: short, P: Number(s.P), Threshold: threshold, Alarm: s.P < threshold}
	for v, n := range short {
		if v > 0 {
			l.Text += ", "
		}
		l.Text += fmt.Sprintf("%s %d", variants[v].Key, n)
	}
	l.Text = fmt.Sprintf("units of phase %d whose producer kept fewer than %.6g %%: %s (p %.2g)", p.Number, 100*p.Kept(), l.Text, s.P)
	if l.Alarm {
		l.Text += "; they are not divided like the arms: one has lost units that the other has not"
	}
	return l
}

// sampled adds up the units of which one thing is said about sampling.
func (c *computation) sampled(what string, phase uint16, settling bool, variant string) int64 {
	var n int64
	for _, cell := range c.rest {
		if cell.Metric == ingest.Sample && cell.Value == what && cell.Phase == phase && cell.Settling == settling && cell.Variant == variant {
			n += cell.Open.N
		}
	}
	return n
}

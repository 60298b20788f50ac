package results

import (
	"fmt"
	"math"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// Together are the runs of one metric in one arm as one.
type Together struct {
	Metric   string   `json:"metric"`
	Arm      string   `json:"arm"`
	Kind     string   `json:"kind"`
	Unit     string   `json:"unit,omitempty"`
	Runs     []uint32 `json:"iterations"`         // that are in it
	LeftOut  []string `json:"left_out,omitempty"` // those that are not, with the reason
	Declared bool     `json:"declared"`           // before each began its file said which one it repeats
	Killed   bool     `json:"killed,omitempty"`   // one in it was ended by its result
	Shared   bool     `json:"shared,omitempty"`   // nobody knows whether they share units

	Same Pooled `json:"same"` // the effect, if all runs have one
	Mean Pooled `json:"mean"` // the mean of effects that differ from run to run

	Q    Number `json:"q"` // Cochran's, of whether they differ
	P    Number `json:"p"`
	I2   Number `json:"i2"`
	Tau2 Number `json:"tau2"`
}

// Pooled is an effect of several runs, absolute, in the metric's unit.
type Pooled struct {
	Estimate Number   `json:"estimate"`
	Interval Interval `json:"interval"`
	P        Number   `json:"p"`
}

// RunsTogether puts the goals and guardrails of an experiment's iterations up to the one
// of the last document together, on complete windows, by each run's one-look error. Of
// runs with the same units the last one counts, and a run that counted a metric by another
// definition, or against another control, is left out. Documents are one of each iteration
// that was looked at, in order.
func RunsTogether(e *experiment.Experiment, documents []*Document) []Together {
	if len(documents) < 2 {
		return nil
	}
	runs := runs{e: e, documents: documents}
	last := documents[len(documents)-1]
	var out []Together
	for i := range last.Comparisons {
		if t := runs.of(&last.Comparisons[i]); len(t.Runs) >= 2 {
			out = append(out, t)
		}
	}
	return out
}

type runs struct {
	e         *experiment.Experiment
	documents []*Document
}

func (r runs) iteration(k int) *experiment.Iteration { return r.e.Iteration(r.documents[k].Iteration) }

func (r runs) of(c *Comparison) Together {
	t := Together{Metric: c.Metric, Arm: c.Arm, Kind: c.Kind, Unit: c.Unit, Declared: true, Shared: !r.e.Assignment.Ours()}
	var effects []stats.Estimate
	for k := range r.documents {
		e, why := r.estimate(k, c)
		if why != "" {
			t.LeftOut = append(t.LeftOut, fmt.Sprintf("iteration %d %s", r.documents[k].Iteration, why))
			continue
		}
		it := r.iteration(k)
		t.Declared = t.Declared && (len(effects) == 0 || it.Repeats > 0)
		effects, t.Runs = append(effects, e), append(t.Runs, it.Number)
		t.Killed = t.Killed || it.Killed != nil
	}
	s := stats.CombineRuns(effects, r.e.Alpha)
	t.Same, t.Mean = pooled(s.Same), pooled(s.Mean)
	t.Q, t.P, t.I2, t.Tau2 = Number(s.Q), Number(s.P), Number(s.I2), Number(s.Tau2)
	return t
}

func pooled(e stats.Effect) Pooled {
	return Pooled{Number(e.Estimate), Interval{Number(e.Low), Number(e.High)}, Number(e.P)}
}

// estimate is what one run says of a comparison of the last one, or why it says nothing.
func (r runs) estimate(k int, c *Comparison) (stats.Estimate, string) {
	run, last := r.documents[k], r.documents[len(r.documents)-1]
	it, is := r.iteration(k), r.iteration(len(r.documents)-1)
	if it == nil || is == nil {
		return stats.Estimate{}, "is no more"
	}
	for later := k + 1; later < len(r.documents); later++ {
		if o := r.iteration(later); o != nil && r.e.SaltOf(it) == r.e.SaltOf(o) {
			return stats.Estimate{}, fmt.Sprintf("had the same units as iteration %d", o.Number)
		}
	}
	if run.Control != last.Control {
		return stats.Estimate{}, "had another control"
	}
	if why := r.e.Apart(it, is, c.Metric); why != "" {
		return stats.Estimate{}, "counted it otherwise: " + why
	}
	for i := range run.Comparisons {
		if o := &run.Comparisons[i]; o.Metric == c.Metric && o.Arm == c.Arm {
			e := o.Matured.Absolute
			if !e.Estimate.Known() || !e.StdError.Known() || e.StdError <= 0 {
				break
			}
			return stats.Estimate{Value: e.Estimate.Float(), StdError: e.StdError.Float(), DoF: math.Inf(1)}, ""
		}
	}
	return stats.Estimate{}, "has no complete windows"
}

package results

import (
	"math"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// BeliefNote stands wherever beliefs are shown.
const BeliefNote = "Beliefs, not tests: they do not control errors under repeated looks. Who stops as soon as a chance passes 95 % is wrong far more often than in 5 % of experiments without an effect. Decide by the intervals that hold at every look."

// Beliefs are posteriors of the effects, for readers who ask "how likely is it
// better?". They are computed when somebody asks, and decide nothing.
type Beliefs struct {
	Note string `json:"note"` // BeliefNote
	// PriorSD is that of the normal prior on the lift, centred at no effect; 0 is the
	// flat prior.
	PriorSD     float64  `json:"prior_sd"`
	Credibility float64  `json:"credibility"` // of the intervals
	Comparisons []Belief `json:"comparisons"`
}

// Belief is one metric of one arm. The loss is what is expected to be lost by a
// choice, in the metric's bad direction and its unit.
type Belief struct {
	Metric       string   `json:"metric"`
	Arm          string   `json:"arm"`
	Kind         string   `json:"kind"`
	Unit         string   `json:"unit,omitempty"`
	Matured      bool     `json:"matured"` // of units whose window has passed; else of all so far
	Quantile     float64  `json:"quantile,omitempty"`
	Covariate    string   `json:"covariate,omitempty"`
	ChanceBetter Number   `json:"chance_better"`
	Mean         Number   `json:"mean"`
	Absolute     Interval `json:"absolute"` // credible
	// Relative is Absolute over the control's mean, taken as if it were known.
	Relative Interval `json:"relative"`
	LossShip Number   `json:"loss_ship"` // by shipping the arm
	LossKeep Number   `json:"loss_keep"` // by keeping the control
}

// Believe computes the posteriors of all comparisons of a document, those from
// stored events too. A metric without a standard error has none: its numbers are
// null under a flat prior, and those of the prior otherwise; null as well where the
// control's mean gives a prior on the lift no size.
func Believe(d *Document, priorSD float64) *Beliefs {
	alpha := d.Budget.Alpha
	out := &Beliefs{Note: BeliefNote, PriorSD: priorSD, Credibility: 1 - alpha}
	for _, c := range d.Comparisons {
		e, matured := c.Open, false
		if c.Goal && c.Matured.Treatment.Units > 0 && c.Matured.Control.Units > 0 {
			e, matured = c.Matured, true
		}
		b := believe(e, c.Direction, priorSD, alpha)
		b.Metric, b.Arm, b.Kind, b.Unit, b.Matured = c.Metric, c.Arm, c.Kind, c.Unit, matured
		out.Comparisons = append(out.Comparisons, b)
	}
	if d.Slow == nil {
		return out
	}
	for _, c := range d.Slow.Comparisons {
		b := believe(c.Estimate, c.Direction, priorSD, alpha)
		b.Metric, b.Arm, b.Kind, b.Unit, b.Matured = c.Metric, c.Arm, c.Kind, c.Unit, c.Matured
		b.Quantile, b.Covariate = c.Quantile, c.Covariate
		out.Comparisons = append(out.Comparisons, b)
	}
	return out
}

func believe(e Estimate, direction string, priorSD, alpha float64) Belief {
	base := math.Abs(e.Control.Mean.Float())
	estimate := stats.Estimate{Value: e.Absolute.Estimate.Float(), StdError: e.Absolute.StdError.Float(), DoF: math.Inf(1)}
	var prior *stats.Prior
	if priorSD > 0 {
		prior = &stats.Prior{SD: priorSD * base}
	}
	p := estimate.Posterior(prior)
	better := p.Better()
	keep, ship := p.Risk()
	if direction == string(experiment.Decrease) {
		better, keep, ship = 1-better, ship, keep
	}
	interval := p.Credible(alpha)
	return Belief{
		ChanceBetter: Number(better), Mean: Number(p.Mean),
		Absolute: Interval{Number(interval.Low), Number(interval.High)},
		Relative: Interval{Number(interval.Low / base), Number(interval.High / base)},
		LossShip: Number(ship), LossKeep: Number(keep),
	}
}

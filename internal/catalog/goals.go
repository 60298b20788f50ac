package catalog

import (
	"math"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

func nan() float64 { return math.NaN() }

// goal is one goal of one arm with what it shows on complete windows.
type goal struct {
	Effect
	gated   bool // too few units had an event to rely on it
	suspect bool // halves of the control differ in it too
	many    bool // arms, so that it is named by its arm too
}

func (g *goal) name() string {
	if g.many {
		return g.Metric + " in " + g.Arm
	}
	return g.Metric
}

// goalsOf are the goals as they are decided: at the dated looks where the file dates
// them, else at every look; of complete windows, or of all units so far.
func goalsOf(d *results.Document, complete bool) []goal {
	var out []goal
	many := severalArms(d)
	add := func(e Effect, gated bool) {
		out = append(out, goal{Effect: e, gated: gated, suspect: suspect(d, e.Metric), many: many})
	}
	dated := func(metric, arm string) *results.DatedGoal {
		if d.Dated == nil {
			return nil
		}
		i := slices.IndexFunc(d.Dated.Goals, func(g results.DatedGoal) bool { return g.Metric == metric && g.Arm == arm })
		if i < 0 {
			return nil
		}
		return &d.Dated.Goals[i]
	}
	for i := range d.Comparisons {
		c := &d.Comparisons[i]
		if !c.Goal || c.Overflow > 0 {
			continue
		}
		if g := dated(c.Metric, c.Arm); complete && g != nil {
			add(ofDated(g), false)
			continue
		}
		add(EffectOf(c, d.At, complete), complete && c.Gate != nil && !c.Gate.Passes)
	}
	return append(out, slowGoals(d, complete, many)...)
}

// slowGoals are the quantiles among the goals. What a covariate adjusts is a second
// reading of a goal that is judged already.
func slowGoals(d *results.Document, complete, many bool) []goal {
	if d.Slow == nil {
		return nil
	}
	var out []goal
	for i := range d.Slow.Comparisons {
		c := &d.Slow.Comparisons[i]
		if c.Goal && c.Kind == string(experiment.Quantile) && c.Matured == complete {
			out = append(out, goal{Effect: ofSlow(c, d.Slow.At), many: many})
		}
	}
	return out
}

func isGoal(d *results.Document, metric string) bool {
	return slices.ContainsFunc(d.Comparisons, func(c results.Comparison) bool { return c.Goal && c.Metric == metric })
}

func severalArms(d *results.Document) bool {
	return slices.ContainsFunc(d.Comparisons, func(c results.Comparison) bool { return c.Arm != d.Comparisons[0].Arm })
}

// known are the goals on complete windows, and so far where none is complete yet.
func known(complete, open []goal) []goal {
	out := slices.Clone(complete)
	for i := range out {
		g := &out[i]
		j := slices.IndexFunc(open, func(o goal) bool { return o.Metric == g.Metric && o.Arm == g.Arm })
		if !g.Absolute.Estimate.Known() && j >= 0 {
			*g = open[j]
		}
	}
	return out
}

// suspect tells whether random halves of the control differ in the metric by more than
// chance explains.
func suspect(d *results.Document, metric string) bool {
	return d.Placebo != nil && slices.ContainsFunc(d.Placebo.Suspect(), func(m results.PlaceboMetric) bool { return m.Metric == metric })
}

// shown are the goals that are shown to differ, as "name (effect)"; those behind a gate
// and those that the control's halves put in doubt are not among them.
func shown(goals []goal) (good, bad []string) {
	for i := range goals {
		g := &goals[i]
		if g.gated || g.suspect {
			continue
		}
		text := g.name() + " (" + g.Text + ")"
		switch g.Tone {
		case Good:
			good = append(good, text)
		case Bad:
			bad = append(bad, text)
		}
	}
	return good, bad
}

// first is the first goal that differs and of which something else holds; nil without one.
func first(goals []goal, holds func(*goal) bool) *goal {
	for i := range goals {
		if g := &goals[i]; g.Tone != Neutral && holds(g) {
			return g
		}
	}
	return nil
}

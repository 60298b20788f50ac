package report

import (
	"fmt"
	"html/template"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// callWord is what to do, as the box has it. What was stopped need not be stopped again.
func callWord(c catalog.Call, d *results.Document) string {
	if c == catalog.Stop && d != nil && d.Killed != nil {
		return "Stopped"
	}
	return map[catalog.Call]string{
		catalog.Ship: "Ship", catalog.Stop: "Stop", catalog.KeepRunning: "Keep running", catalog.CannotTell: "Can’t tell",
	}[c]
}

// callTone colours it.
func callTone(c catalog.Call) string {
	return map[catalog.Call]string{catalog.Ship: "good", catalog.Stop: "bad", catalog.CannotTell: "warn", catalog.KeepRunning: "none"}[c]
}

// saying is what one metric of one arm shows, in a sentence with its numbers.
type saying struct{ Tone, Text string }

// sayings go through the metrics in the document's order: each as the decision reads it,
// of complete windows where there are any.
func sayings(d *results.Document) []saying {
	var all []saying
	for i := range d.Comparisons {
		c := &d.Comparisons[i]
		if c.Overflow > 0 {
			all = append(all, saying{"warn", fmt.Sprintf("%s in %s: the totals of %s units are too large, no number is shown.", c.Metric, c.Arm, words.Count(c.Overflow))})
			continue
		}
		all = append(all, sayingOf(c, d))
	}
	return all
}

// effectOf is the effect that a reader decides by: goals by complete windows once there
// are any, everything else by all units so far.
func effectOf(c *results.Comparison, d *results.Document) catalog.Effect {
	return catalog.EffectOf(c, d.At, c.Goal && anyMatured(*c))
}

// sayingOf says of a goal whose complete windows show nothing also what all units so far
// do: nobody should have to wonder why two numbers differ.
func sayingOf(c *results.Comparison, d *results.Document) saying {
	e := effectOf(c, d)
	s := say(e, d.Control)
	open := catalog.EffectOf(c, d.At, false)
	if e.Complete && e.Tone == catalog.Neutral && open.Tone != catalog.Neutral {
		how := map[catalog.Tone]string{catalog.Good: "better", catalog.Bad: "worse"}[open.Tone]
		s.Text += fmt.Sprintf(" Among all units so far it is %s (%s), but not all of them have had their time.", how, open.Text)
	}
	return s
}

// say puts an effect into a sentence.
func say(e catalog.Effect, control string) saying {
	who := e.Metric
	if e.Complete {
		who += ", units whose time is over"
	} else {
		who += ", all units so far"
	}
	if !e.Absolute.Estimate.Known() {
		return saying{"none", fmt.Sprintf("%s: nothing can be said of %s yet.", who, e.Arm)}
	}
	estimate, low, high := bounds(e)
	between := fmt.Sprintf("anything from %s to %s fits what was seen", low, high)
	switch e.Tone {
	case catalog.Good, catalog.Bad:
		how := map[catalog.Tone]string{catalog.Good: "better", catalog.Bad: "worse"}[e.Tone]
		return saying{string(e.Tone), fmt.Sprintf("%s: %s is %s than %s. It came out at %s; %s.", who, e.Arm, how, control, estimate, between)}
	}
	return saying{"none", fmt.Sprintf("%s: no difference between %s and %s is shown. It came out at %s; %s.", who, e.Arm, control, estimate, between)}
}

// bounds are the numbers of an effect: as a share of the control where that is bounded.
func bounds(e catalog.Effect) (estimate, low, high string) {
	r := e.Relative
	if r.Estimate.Known() && (r.Low.Known() || r.High.Known()) {
		return words.Percent(r.Estimate), end(r.Low, words.Percent), end(r.High, words.Percent)
	}
	difference := func(n results.Number) string { return words.Difference(n, e.Kind, e.Unit) }
	return difference(e.Absolute.Estimate), end(e.Absolute.Low, difference), end(e.Absolute.High, difference)
}

// end is one end of an interval.
func end(n results.Number, write func(results.Number) string) string {
	if !n.Known() {
		return "no bound"
	}
	return write(n)
}

// mainPlots draw the main metric of each experiment on a scale of their own, by key.
func mainPlots(all []Entry) map[string]template.HTML {
	out := map[string]template.HTML{}
	for _, e := range all {
		m := e.Row().Main
		if m == nil {
			continue
		}
		interval := results.Interval{Low: m.Relative.Low, High: m.Relative.High}
		effect := results.Effect{Estimate: m.Relative.Estimate, Fixed: interval, Sequential: interval}
		point := results.Interval{Low: m.Relative.Estimate, High: m.Relative.Estimate}
		out[e.Experiment.Key] = plots.Interval(effect, plots.ScaleOf(plotWidth, interval, point), string(m.Tone))
	}
	return out
}

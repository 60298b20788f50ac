package experiment

import (
	"fmt"
	"reflect"
	"time"
)

// Apart says in what a metric is another one in two iterations, so that their effects on
// it cannot be put together; "" when it is one. Owner and texts do not matter.
func (e *Experiment) Apart(a, b *Iteration, metric string) string {
	x, y := a.Metric(metric), b.Metric(metric)
	switch {
	case e.AsOf(a).Control != e.AsOf(b).Control:
		return "another control"
	case x == nil || y == nil:
		return "it is not counted in both"
	case e.AsOf(a).WindowOf(x) != e.AsOf(b).WindowOf(y):
		return "another window"
	case !reflect.DeepEqual(wordless(*x), wordless(*y)):
		return "another definition"
	}
	return ""
}

// wordless is a definition without what only people read.
func wordless(m Metric) Metric {
	m.Owner, m.Describe, m.Unit = "", "", ""
	return m
}

// checkRepeats wants every iteration that is to repeat another, and has not begun yet,
// to measure the goals of that one as it did, and to draw units of its own.
func (e *experimentFile) checkRepeats(plans []plan, at time.Time) {
	all := e.Experiment
	all.Iterations = make([]Iteration, len(plans))
	for i, p := range plans {
		all.Iterations[i] = p.Iteration
	}
	for i := range all.Iterations {
		it, p := &all.Iterations[i], &plans[i]
		if it.Repeats == 0 || p.before != nil && p.before.begun(at) {
			continue
		}
		path, first := p.path+".repeats", all.Iteration(it.Repeats)
		switch {
		case it.Repeats >= it.Number:
			e.refuse(path, RuleRepeats, fmt.Sprintf("iteration %d cannot repeat iteration %d, which is not before it", it.Number, it.Repeats), "name an earlier one")
		case first == nil: // one that a resume opened stands in no file; where there is none, a gap is refused
		case all.SaltOf(first) == all.SaltOf(it):
			e.refuse(path, RuleRepeats, fmt.Sprintf("iteration %d has the salt of iteration %d: the same units would come again, and say nothing new", it.Number, it.Repeats), "leave salt: out, or write another one")
		default:
			e.checkRepeated(path, &all, first, it)
		}
	}
}

func (e *experimentFile) checkRepeated(path string, all *Experiment, first, it *Iteration) {
	measured := all.AsOf(first).Goals
	if len(measured) == 0 {
		measured = all.AsOf(first).metricNames()
	}
	for _, name := range measured {
		if why := all.Apart(first, it, name); why != "" {
			e.refuse(path, RuleRepeats, fmt.Sprintf("iteration %d does not repeat iteration %d: %s: %s", it.Number, first.Number, name, why),
				"put back what was, or leave repeats: out: it asks another question then")
			return
		}
	}
}

package governance

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// comparison gathers what differs between two states of one experiment.
type comparison struct {
	at      time.Time
	was, is *experiment.Experiment
	list    []Reason
}

func (c *comparison) add(class Class, format string, args ...any) {
	c.list = append(c.list, Reason{class, fmt.Sprintf(format, args...)})
}

// more adds a fact that grows when it becomes more, and shrinks when it becomes less.
func (c *comparison) more(sign int, format string, args ...any) {
	switch {
	case sign > 0:
		c.add(Grow, format, args...)
	case sign < 0:
		c.add(Shrink, format, args...)
	}
}

func (c *comparison) reasons() []Reason {
	if c.was == nil {
		if ended(c.is, c.at) {
			c.add(Neutral, "a new experiment that has ended: it is only counted")
		} else {
			c.add(Grow, "a new experiment starts")
		}
		return c.list
	}
	if reflect.DeepEqual(c.was, c.is) {
		return nil
	}
	c.words()
	c.more(c.was.Approvals-c.is.Approvals, "approvals %d → %d", c.was.Approvals, c.is.Approvals)
	c.reminders()
	c.design()
	c.guardrails()
	c.checks()
	c.signals()
	c.killSwitch()
	c.assignment()
	c.iterations()
	if len(c.list) == 0 {
		c.add(Neutral, "nothing that is still to come")
	}
	return c.list
}

// words are what only people read.
func (c *comparison) words() {
	for _, f := range []struct{ what, was, is string }{
		{"owner", c.was.Owner, c.is.Owner},
		{"objective", c.was.Objective, c.is.Objective},
		{"hypothesis", c.was.Hypothesis, c.is.Hypothesis},
		{"success criteria", c.was.SuccessCriteria, c.is.SuccessCriteria},
		{"rollback plan", c.was.RollbackPlan, c.is.RollbackPlan},
		{"privacy review", c.was.PrivacyReview, c.is.PrivacyReview},
		{"flag link", c.was.Links.Flag, c.is.Links.Flag},
		{"change link", c.was.Links.Change, c.is.Links.Change},
		{"schema link", c.was.Links.Schema, c.is.Links.Schema},
	} {
		if f.was != f.is {
			c.add(Neutral, "%s: another text", f.what)
		}
	}
}

// design is what is judged by. It cannot change while an iteration runs, and after the
// last one it changes nobody's exposure: the next iteration grows by itself. What is
// approved and has not begun must not change under the approval.
func (c *comparison) design() {
	class, when := Neutral, ""
	if c.toBegin() {
		class, when = Grow, ": an iteration is to begin that was planned with another"
	}
	for _, f := range []struct {
		what    string
		was, is any
	}{
		{"unit_kind", c.was.UnitKind, c.is.UnitKind},
		{"control", c.was.Control, c.is.Control},
		{"window", c.was.Window, c.is.Window},
		{"grace", c.was.Grace, c.is.Grace},
		{"crossovers", c.was.Crossovers, c.is.Crossovers},
		{"exclude", c.was.Exclude, c.is.Exclude},
		{"dimensions", c.was.Dimensions, c.is.Dimensions},
		{"consent", c.was.Consent, c.is.Consent},
		{"attributes", c.was.Attributes.String(), c.is.Attributes.String()},
		{"covariate", c.was.Covariate, c.is.Covariate},
		{"planned_units", c.was.PlannedUnits, c.is.PlannedUnits},
		{"alpha", c.was.Alpha, c.is.Alpha},
		{"alpha_kill", c.was.AlphaKill, c.is.AlphaKill},
		{"families", c.was.Families, c.is.Families},
		{"looks", c.was.Looks, c.is.Looks},
		{"stall", c.was.Stall, c.is.Stall},
		{"silence", c.was.Silence, c.is.Silence},
	} {
		if !reflect.DeepEqual(f.was, f.is) {
			c.add(class, "another %s%s", f.what, when)
		}
	}
	for _, g := range c.was.Goals {
		if !slices.Contains(c.is.Goals, g) {
			c.add(class, "goal %s taken out%s", g, when)
		}
	}
	for _, g := range c.is.Goals {
		if !slices.Contains(c.was.Goals, g) {
			c.add(Neutral, "new goal %s", g)
		}
	}
	c.variants()
}

// toBegin tells whether an iteration that was there before is still to begin.
func (c *comparison) toBegin() bool {
	return slices.ContainsFunc(c.was.Iterations, func(it experiment.Iteration) bool { return planned(&it, c.at) })
}

func (c *comparison) variants() {
	for _, v := range c.is.Variants {
		if c.was.VariantIndex(v.Key) < 0 {
			c.add(Grow, "new variant %s", v.Key)
		}
	}
	for _, v := range c.was.Variants {
		if c.is.VariantIndex(v.Key) < 0 {
			c.add(Shrink, "variant %s taken out", v.Key)
		}
	}
}

func (c *comparison) killSwitch() {
	was, is := c.was.KillSwitch, c.is.KillSwitch
	switch {
	case was == is:
	case is == "":
		c.add(Grow, "kill switch %s taken out: nothing can turn it off", was)
	case was == "":
		c.add(Shrink, "it can be turned off: kill switch %s", is)
	default:
		c.add(Grow, "another kill switch: %s → %s", was, is)
	}
}

func (c *comparison) iterations() {
	for i := range c.is.Iterations {
		it := &c.is.Iterations[i]
		if old := c.was.Iteration(it.Number); old != nil {
			c.iteration(old, it)
		} else if over(it, c.at) {
			c.add(Neutral, "iteration %d is new and has ended: it is only counted", it.Number)
		} else {
			c.add(Grow, "iteration %d is new: it starts", it.Number)
		}
	}
	for i := range c.was.Iterations {
		it := &c.was.Iterations[i]
		if c.is.Iteration(it.Number) == nil && !over(it, c.at) {
			c.add(Shrink, "iteration %d taken out", it.Number)
		}
	}
}

func (c *comparison) iteration(was, is *experiment.Iteration) {
	if over(was, c.at) {
		return
	}
	c.start(was, is)
	c.bound(is.Number, "enrol_until", was.EnrolUntil, is.EnrolUntil)
	c.bound(is.Number, "end", was.End, is.End)
	if planned(was, c.at) {
		c.toBeWatched(was, is)
	}
	c.ramp(is.Number, was.Ramp, is.Ramp)
	c.phases(was, is)
}

// ramp compares how far the traffic may rise by itself, and what each step asks for.
func (c *comparison) ramp(number uint32, was, is *experiment.Ramp) {
	switch {
	case reflect.DeepEqual(was, is):
		return
	case was == nil:
		c.add(Grow, "iteration %d: a ramp raises its traffic by itself", number)
		return
	case is == nil:
		c.add(Shrink, "iteration %d: no ramp any more", number)
		return
	case was.OnBreach != is.OnBreach && is.OnBreach == experiment.RevertOnBreach:
		c.add(Shrink, "iteration %d: a breach takes everybody out of its ramp", number)
	case was.OnBreach != is.OnBreach:
		c.add(Grow, "iteration %d: a breach only holds its ramp", number)
	}
	c.more(len(is.Steps)-len(was.Steps), "iteration %d: %d → %d steps of its ramp", number, len(was.Steps), len(is.Steps))
	for i := range min(len(was.Steps), len(is.Steps)) {
		a, b := was.Steps[i], is.Steps[i]
		c.more(signOf(b.Traffic-a.Traffic), "iteration %d: step %d of its ramp %s → %s", number, i+1, percent(a.Traffic), percent(b.Traffic))
		switch {
		case b.For < a.For, b.Units < a.Units, a.Approval && !b.Approval:
			c.add(Grow, "iteration %d: step %d of its ramp may be left sooner", number, i+1)
		case b.For != a.For, b.Units != a.Units, a.Approval != b.Approval:
			c.add(Shrink, "iteration %d: step %d of its ramp asks for more", number, i+1)
		}
	}
}

// start compares the beginnings. One that the file does not name is that of the first
// apply, which stays, so to write it down, or to leave it out, says nothing new.
func (c *comparison) start(was, is *experiment.Iteration) {
	switch {
	case was.Start.Equal(is.Start):
	case is.Start.IsZero() && planned(was, c.at):
		c.add(Grow, "iteration %d: start %s → at the apply", is.Number, stamp(was.Start))
	case was.Start.IsZero() || is.Start.IsZero():
		c.add(Neutral, "iteration %d: start %s → %s", is.Number, stamp(was.Start), stamp(is.Start))
	default:
		c.more(was.Start.Compare(is.Start), "iteration %d: start %s → %s", is.Number, stamp(was.Start), stamp(is.Start))
	}
}

func (c *comparison) bound(number uint32, what string, was, is time.Time) {
	switch {
	case was.Equal(is):
	case was.IsZero() || is.IsZero():
		c.add(Grow, "iteration %d: %s %s → %s; without the iteration's start in the file nobody can tell which is later", number, what, stamp(was), stamp(is))
	default:
		c.more(is.Compare(was), "iteration %d: %s %s → %s", number, what, stamp(was), stamp(is))
	}
}

// toBeWatched are the facts of an iteration that has not begun which are not read from
// the experiment.
func (c *comparison) toBeWatched(was, is *experiment.Iteration) {
	if was.Salt != is.Salt {
		c.add(Grow, "iteration %d: another salt, so other units", is.Number)
	}
	for i := range is.Metrics {
		if old := was.Metric(is.Metrics[i].Name); old != nil && !reflect.DeepEqual(*old, is.Metrics[i]) {
			c.add(Grow, "iteration %d, which is to begin, was planned with another definition of %s", is.Number, old.Name)
		}
	}
}

// stamp writes a time for people.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "as by default"
	}
	return t.UTC().Format("2006-01-02T15:04:05.999Z")
}

func percent(x float64) string { return strconv.FormatFloat(x*100, 'g', 12, 64) + "%" }

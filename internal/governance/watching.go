package governance

import (
	"reflect"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// guardrails compares how closely it is watched.
func (c *comparison) guardrails() {
	for _, is := range c.is.Guardrails {
		i := slices.IndexFunc(c.was.Guardrails, func(g experiment.Guardrail) bool { return g.Metric == is.Metric })
		if i < 0 {
			c.add(Shrink, "new guardrail %s", is.Metric)
			continue
		}
		c.guardrail(c.was.Guardrails[i], is)
	}
	for _, was := range c.was.Guardrails {
		if !slices.ContainsFunc(c.is.Guardrails, func(g experiment.Guardrail) bool { return g.Metric == was.Metric }) {
			c.add(Grow, "guardrail %s taken out", was.Metric)
		}
	}
}

func (c *comparison) guardrail(was, is experiment.Guardrail) {
	name := is.Metric
	modes := []experiment.Mode{experiment.Kill, experiment.Notify, experiment.Observe}
	c.more(slices.Index(modes, is.Mode)-slices.Index(modes, was.Mode), "guardrail %s: mode %s → %s", name, was.Mode, is.Mode)
	silent := []experiment.OnNoData{experiment.KillOnNoData, experiment.HoldOnNoData, experiment.WarnOnNoData}
	c.more(slices.Index(silent, is.OnNoData)-slices.Index(silent, was.OnNoData), "guardrail %s: on_no_data %s → %s", name, was.OnNoData, is.OnNoData)
	switch {
	case was.Relative != is.Relative:
		c.add(Grow, "guardrail %s: its margin is measured otherwise", name)
	case was.Margin != is.Margin && is.Relative:
		c.more(signOf(is.Margin-was.Margin), "guardrail %s: margin %s → %s", name, percent(was.Margin), percent(is.Margin))
	default:
		c.more(signOf(is.Margin-was.Margin), "guardrail %s: margin %v → %v", name, was.Margin, is.Margin)
	}
	for _, f := range []struct {
		what    string
		was, is int64
	}{
		{"hold", int64(was.Hold), int64(is.Hold)},
		{"min_units", was.MinUnits, is.MinUnits},
		{"min_events", was.MinEvents, is.MinEvents},
		{"warm_up", int64(was.WarmUp), int64(is.WarmUp)},
	} {
		switch {
		case f.is > f.was:
			c.add(Grow, "guardrail %s: a higher %s, so it speaks later", name, f.what)
		case f.is < f.was:
			c.add(Shrink, "guardrail %s: a lower %s, so it speaks sooner", name, f.what)
		}
	}
	if was.Direction != is.Direction || was.MethodOf() != is.MethodOf() {
		c.add(Grow, "guardrail %s: judged by another direction or method", name)
	}
	switch {
	case is.NeverKill && !was.NeverKill:
		c.add(Grow, "guardrail %s: may never kill any more", name)
	case was.NeverKill && !is.NeverKill:
		c.add(Shrink, "guardrail %s: may kill", name)
	}
}

// limit is a check of the experiment itself that has one.
type limit struct {
	is    bool
	at    float64
	holds bool
}

func (c *comparison) checks() {
	limits := func(k experiment.Checks) (out [2]limit) {
		if x := k.Crossovers; x != nil {
			out[0] = limit{true, x.Limit, x.OnAlarm == experiment.HoldOnAlarm}
		}
		if x := k.Assignment; x != nil {
			out[1] = limit{true, x.Limit, x.OnAlarm == experiment.HoldOnAlarm}
		}
		return out
	}
	was, is := limits(c.was.Checks), limits(c.is.Checks)
	for i, what := range []string{"crossovers", "assignment"} {
		a, b := was[i], is[i]
		switch {
		case a == b:
		case a.is && !b.is, a.is && b.is && (signOf(b.at-a.at) > 0 || a.holds && !b.holds):
			c.add(Grow, "check of %s: looser", what)
		default:
			c.add(Shrink, "check of %s: stricter", what)
		}
	}
}

// signals compares the numbers of services whose breakers make a ramp wait. One with
// another rule counts as watched less: which of two queries says more nobody can tell.
func (c *comparison) signals() {
	find := func(list []experiment.Signal, name string) *experiment.Signal {
		i := slices.IndexFunc(list, func(s experiment.Signal) bool { return s.Name == name })
		if i < 0 {
			return nil
		}
		return &list[i]
	}
	for i := range c.is.Signals {
		is := &c.is.Signals[i]
		if was := find(c.was.Signals, is.Name); was == nil {
			c.add(Shrink, "new signal %s", is.Name)
		} else if !reflect.DeepEqual(was, is) {
			c.add(Grow, "signal %s: another rule", is.Name)
		}
	}
	for i := range c.was.Signals {
		if name := c.was.Signals[i].Name; find(c.is.Signals, name) == nil {
			c.add(Grow, "signal %s taken out", name)
		}
	}
}

// reminders compares how soon people are told to look at it, and when it is held.
func (c *comparison) reminders() {
	is, was := c.is.ReviewsOf(c.is.Latest()), c.was.ReviewsOf(c.was.Latest())
	for _, at := range was {
		if at.After(c.at) && !slices.ContainsFunc(is, at.Equal) {
			c.add(Grow, "the review at %s taken out", stamp(at))
		}
	}
	for _, at := range is {
		if !slices.ContainsFunc(was, at.Equal) {
			c.add(Shrink, "a review at %s", stamp(at))
		}
	}
	c.more(later(c.was.StopWhen.Units, c.is.StopWhen.Units), "stop_when: %s → %s", c.was.StopWhen, c.is.StopWhen)
	c.more(later(int64(c.was.StopWhen.After), int64(c.is.StopWhen.After)), "stop_when: %s → %s", c.was.StopWhen, c.is.StopWhen)
	for _, b := range [][2]bool{{c.was.StopWhen.Decided, c.is.StopWhen.Decided}, {c.was.StopWhen.Ended, c.is.StopWhen.Ended}} {
		if b[0] != b[1] {
			c.more(map[bool]int{true: 1, false: -1}[b[0]], "stop_when: %s → %s", c.was.StopWhen, c.is.StopWhen)
		}
	}
	c.more(later(int64(c.was.Stale.After), int64(c.is.Stale.After)), "stale: %s → %s", c.was.Stale, c.is.Stale)
	c.more(later(int64(c.was.Stale.Hold), int64(c.is.Stale.Hold)), "stale: %s → %s", c.was.Stale, c.is.Stale)
}

// later is above 0 when a limit is reached later than before, and 0 is never.
func later(was, is int64) int {
	switch {
	case was == is:
		return 0
	case is == 0 || was != 0 && is > was:
		return 1
	}
	return -1
}

package experiment

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// iterations compares the timelines.
func (c *changeList) iterations(was, is *Experiment) {
	for i := range is.Iterations {
		it := &is.Iterations[i]
		old := was.Iteration(it.Number)
		if old == nil {
			c.add(true, "iteration %d from %s to %s%s", it.Number, stamp(it.Start), stamp(it.End), remark(it))
			continue
		}
		c.iteration(is.AsOf(it).Variants, old, it)
	}
	for i := range was.Iterations {
		if it := &was.Iterations[i]; is.Iteration(it.Number) == nil {
			c.add(true, "iteration %d withdrawn before its start", it.Number)
		}
	}
}

func remark(it *Iteration) string {
	switch {
	case it.Repeats > 0 && it.Retrospective:
		return fmt.Sprintf("; repeats iteration %d; retrospective: its guardrails only notify", it.Repeats)
	case it.Repeats > 0:
		return fmt.Sprintf("; repeats iteration %d", it.Repeats)
	case it.Retrospective:
		return "; retrospective: its guardrails only notify"
	case it.NotifyOnly:
		return "; its guardrails only notify"
	}
	return ""
}

func (c *changeList) iteration(variants []Variant, was, is *Iteration) {
	for _, f := range []struct{ what, was, is string }{
		{"start", stamp(was.Start), stamp(is.Start)},
		{"enrol_until", stamp(was.EnrolUntil), stamp(is.EnrolUntil)},
		{"end", stamp(was.End), stamp(is.End)},
	} {
		if f.was != f.is {
			c.add(true, "iteration %d: %s %s → %s", is.Number, f.what, f.was, f.is)
		}
	}
	if was.Salt != is.Salt {
		c.add(false, "iteration %d: salt %q → %q", is.Number, was.Salt, is.Salt)
	}
	if was.Repeats != is.Repeats {
		c.add(false, "iteration %d: repeats iteration %d → %d", is.Number, was.Repeats, is.Repeats)
	}
	if was.AlphaKill != is.AlphaKill || !slices.Equal(was.KillGuardrails, is.KillGuardrails) {
		c.add(false, "iteration %d: %s of false kills shared by %s", is.Number, percent(is.AlphaKill), strings.Join(is.KillGuardrails, ", "))
	}
	if a, b := was.Ramp.String(), is.Ramp.String(); a != b {
		c.add(false, "iteration %d: ramp %s → %s", is.Number, a, b)
	}
	c.phases(variants, was, is)
	for i := range is.Metrics {
		m := is.Metrics[i]
		if old := was.Metric(m.Name); old == nil {
			c.add(true, "iteration %d: counts %s too", is.Number, m.Name)
		} else if !reflect.DeepEqual(*old, m) {
			c.add(true, "iteration %d: takes the new text of %s", is.Number, m.Name)
		}
	}
	for i := range was.Metrics {
		if is.Metric(was.Metrics[i].Name) == nil {
			c.add(true, "iteration %d: counts %s no more", is.Number, was.Metrics[i].Name)
		}
	}
}

func (c *changeList) phases(variants []Variant, was, is *Iteration) {
	for j, p := range is.Phases {
		switch {
		case j >= len(was.Phases):
			c.add(true, "iteration %d: phase %d from %s%s", is.Number, p.Number, stamp(p.From), step(variants, is.Phases, j))
		case !reflect.DeepEqual(was.Phases[j], p):
			c.add(!was.Phases[j].From.Equal(p.From) || was.Phases[j].Settle != p.Settle,
				"iteration %d: phase %d is now from %s%s", is.Number, p.Number, stamp(p.From), step(variants, is.Phases, j))
		}
	}
	for j := len(is.Phases); j < len(was.Phases); j++ {
		c.add(true, "iteration %d: phase %d withdrawn before its start", is.Number, j+1)
	}
}

// step says what a phase changes against the one before it.
func step(variants []Variant, phases []Phase, j int) string {
	p, was := phases[j], Phase{}
	if j > 0 {
		was = phases[j-1]
	}
	var out string
	if p.Traffic != was.Traffic {
		out += fmt.Sprintf(", traffic %s → %s", percent(was.Traffic), percent(p.Traffic))
	}
	if !slices.Equal(p.Shares, was.Shares) {
		out += ", shares " + shareList(variants, p.Shares)
	}
	if p.Kept() != was.Kept() {
		out += fmt.Sprintf(", sample %s → %s", percent(was.Kept()), percent(p.Kept()))
	}
	return out
}

package ingest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (x *explainer) outcome(s *Step, r *row, i int) {
	if i < 0 {
		s.say(FoundOutside, "no iteration covers its time")
		return
	}
	run, a := &x.t.runs[i], &x.stances[i]
	ours := func(m term) bool { return m.event == r.name }
	switch {
	case !slices.ContainsFunc(run.terms, ours):
		s.say(FoundOther, "no metric of the iteration counts this event")
	case a.first == nil:
		s.say(FoundNotCounted, "the unit has no first exposure in this iteration")
	case a.leftOut:
		s.say(FoundNotCounted, "the unit is not among those that are measured")
	case a.barred:
		s.say(FoundNotCounted, "the attributes of the unit's first exposure exclude it")
	case a.cross != nil:
		s.say(FoundNotCounted, "the unit was taken out by a crossover")
	default:
		x.metrics(s, r, run, a)
	}
}

// metrics says of each metric of the outcome's event whether it counts there.
func (x *explainer) metrics(s *Step, r *row, run *run, a *stance) {
	var reasons []string
	for k := range run.terms {
		m := &run.terms[k]
		if m.event != r.name {
			continue
		}
		reason, ok := x.metric(r, a, m)
		if ok {
			s.Metrics = append(s.Metrics, m.name)
		}
		reasons = append(reasons, run.label(k)+": "+reason)
	}
	slices.Sort(s.Metrics)
	s.Metrics = slices.Compact(s.Metrics)
	s.say(FoundNotCounted, "%s", strings.Join(reasons, "; "))
	if len(s.Metrics) > 0 {
		s.Finding = FoundCounted
	}
}

// label names a total for people.
func (r *run) label(k int) string {
	t := &r.terms[k]
	switch m := &r.metrics[t.metric]; {
	case !m.ratio:
		return t.name
	case k == m.first:
		return t.name + " (numerator)"
	default:
		return t.name + " (denominator)"
	}
}

func (x *explainer) metric(r *row, a *stance, m *term) (reason string, ok bool) {
	if since := r.t - a.first.t; !m.timely(r.t, a.first.t) {
		switch {
		case since < 0:
			return fmt.Sprintf("%s before the first exposure", time.Duration(-since)*time.Millisecond), false
		case since < m.after:
			return fmt.Sprintf("%s after the first exposure, too early", time.Duration(since)*time.Millisecond), false
		}
		return fmt.Sprintf("%s after the first exposure, beyond the window", time.Duration(since)*time.Millisecond), false
	}
	switch v, what := m.read(r, x.j.attrs(r)); what {
	case unmet:
		return `its attributes do not meet "where"`, false
	case outOfRange:
		return "its value is out of the metric's range", false
	case badAttribute:
		return fmt.Sprintf("its attribute %q holds no number", m.attribute), false
	default:
		if !m.numeric() {
			return "counts", true
		}
		return "counts as " + decimal(v, m.decimals), true
	}
}

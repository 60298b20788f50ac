package experiment

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// plan is an iteration on its way from the file into the version.
type plan struct {
	Iteration
	path   string         // its place in the file; "iterations" when it does not stand there
	text   *iterationText // what the file says; nil when it does not stand there
	before *Iteration     // what the version before says; nil when it is new
}

// timeline settles the iterations of a file against the version before at the
// time of apply. With a zero time it is a rehearsal: facts that the time of apply
// decides stay open (zero), and only what is written is held against the rules.
func (set *Set) timeline(e *experimentFile, before *Experiment, at time.Time) []Iteration {
	plans := e.plans(before)
	for i := range plans {
		set.settle(e, &plans[i], at)
	}
	if last := plans[len(plans)-1]; last.before == nil || !last.before.begun(at) {
		e.checkDates(&last.Iteration)
	}
	plans = e.keep(plans, before, at)
	e.checkRepeats(plans, at)
	if e.checkNumbers(plans, before != nil || !at.IsZero()) {
		e.checkOrder(plans)
	}
	out := make([]Iteration, len(plans))
	for i, p := range plans {
		out[i] = p.Iteration
	}
	set.pinLate(e, out, at)
	return out
}

// plans numbers the iterations of the file; without any there is one.
func (e *experimentFile) plans(before *Experiment) []plan {
	texts := e.text.iterations
	if len(texts) == 0 {
		texts = []iterationText{{}}
	}
	out := make([]plan, len(texts))
	var last uint32
	for i := range texts {
		last++
		if n := texts[i].number; n != nil {
			if *n < last {
				e.refuse(fmt.Sprintf("iterations[%d].number", i), RuleIterationNumber,
					fmt.Sprintf("iteration %d stands after iteration %d", *n, last-1), "number them 1, 2, … or leave the numbers out")
			}
			last = max(*n, last)
		}
		out[i] = plan{path: fmt.Sprintf("iterations[%d]", i), text: &texts[i], before: before.Iteration(last)}
		out[i].Number = last
	}
	return out
}

// Iteration finds an iteration by its number, nil without one.
func (e *Experiment) Iteration(number uint32) *Iteration {
	if e == nil {
		return nil
	}
	for i := range e.Iterations {
		if e.Iterations[i].Number == number {
			return &e.Iterations[i]
		}
	}
	return nil
}

// settle decides the facts of one iteration: a new one by its text, a running one
// by its text within what may change, an ended one by the version before.
func (set *Set) settle(e *experimentFile, p *plan, at time.Time) {
	switch {
	case p.before == nil || !p.before.begun(at):
		set.settleNew(e, p, at)
	case p.before.over(at):
		e.settleOver(p)
	default:
		set.settleRunning(e, p, at)
	}
}

func (it *Iteration) begun(at time.Time) bool { return !at.Before(it.Start) }

// over is true of a killed iteration whatever the clock says: nothing brings it
// back.
func (it *Iteration) over(at time.Time) bool { return it.Killed != nil || !at.Before(it.End) }

// running tells whether units may still be counted at that time.
func (it *Iteration) running(at time.Time) bool { return it.begun(at) && !it.over(at) }

func (set *Set) settleNew(e *experimentFile, p *plan, at time.Time) {
	p.Start = cmp.Or(p.text.start, at)
	p.Retrospective = p.Start.Before(at)
	p.Salt, p.Ramp, p.Repeats = p.text.salt, p.text.ramp.ramp(), p.text.repeats
	p.Metrics = set.pins(e, nil)
	p.AlphaKill = e.AlphaKill
	p.KillGuardrails = killGuardrails(e.Guardrails)
	p.KillRules = len(p.KillGuardrails) * (len(e.Variants) - 1)
	p.EnrolUntil, p.End = e.bounds(p)
	p.Phases = e.phases(p, at)
}

// bounds gives enrol_until and end, written or by default; zero while the start
// is open.
func (e *experimentFile) bounds(p *plan) (enrolUntil, end time.Time) {
	enrolUntil, end = p.text.enrolUntil, p.text.end
	if enrolUntil.IsZero() && !p.Start.IsZero() {
		enrolUntil = p.Start.Add(defaultEnrol)
		if !end.IsZero() && end.Before(enrolUntil) {
			enrolUntil = end // to end an iteration early takes one line, not two
		}
	}
	if end.IsZero() && !enrolUntil.IsZero() {
		end = enrolUntil.Add(e.longestWindow(p.Metrics))
	}
	return enrolUntil, end
}

func (e *Experiment) longestWindow(metrics []Metric) time.Duration {
	longest := e.Window
	for i := range metrics {
		longest = max(longest, e.WindowOf(&metrics[i]))
	}
	return longest.Std()
}

// phases gives the phases of the text. A phase that begins at no written time
// begins when it is first applied.
func (e *experimentFile) phases(p *plan, at time.Time) []Phase {
	if p.text.ramp != nil {
		return e.rampPhases(p, at)
	}
	texts := p.text.phases
	if len(texts) == 0 {
		texts = []phaseText{{}}
	}
	out := make([]Phase, len(texts))
	traffic, sample := 1.0, 0.0
	for j, shares := range e.sharesOf(texts) {
		if t := texts[j].traffic; t != nil {
			traffic = float(t)
		}
		if s := texts[j].sample; s != nil {
			sample = e.sample(fmt.Sprintf("%s.phases[%d].sample", p.path, j), float(s), sample)
		}
		out[j] = Phase{Number: uint16(j + 1), From: texts[j].from, Shares: shares, Traffic: traffic, Sample: sample}
		switch {
		case j == 0:
			out[j].From = p.Start
			continue
		case out[j].From.IsZero() && p.before != nil && j < len(p.before.Phases) && !p.before.Phases[j].From.After(at):
			out[j].From = p.before.Phases[j].From
		case out[j].From.IsZero():
			out[j].From = at
		}
		out[j].Settle = defaultSettle
		if s := texts[j].settle; s != nil {
			out[j].Settle = *s
		}
	}
	return out
}

// keep adds what has begun and does not stand in the file: ended iterations, and
// one that a resume opened. Others must not vanish while they run.
func (e *experimentFile) keep(plans []plan, before *Experiment, at time.Time) []plan {
	if before == nil {
		return plans
	}
	for i := range before.Iterations {
		it := &before.Iterations[i]
		if slices.ContainsFunc(plans, func(p plan) bool { return p.Number == it.Number }) || !it.begun(at) {
			continue
		}
		if it.running(at) && it.Resumes == 0 {
			e.refuse("iterations", RuleFileGone, fmt.Sprintf("iteration %d runs until %s and cannot be taken out", it.Number, stamp(it.End)),
				"keep it in the file; to end it, give it an end:")
		}
		plans = append(plans, plan{Iteration: *it, path: "iterations", before: it})
	}
	slices.SortStableFunc(plans, func(a, b plan) int { return cmp.Compare(a.Number, b.Number) })
	return plans
}

// pins gives the metric texts of an iteration: those that it has, and the file's
// for the others.
func (set *Set) pins(e *experimentFile, have []Metric) []Metric {
	out := slices.Clone(have)
	for _, name := range e.metricNames() {
		if !slices.ContainsFunc(out, func(m Metric) bool { return m.Name == name }) {
			if m := set.metric(name); m != nil {
				out = append(out, m.Metric)
			}
		}
	}
	slices.SortFunc(out, func(a, b Metric) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// metricNames lists the goals and the guardrails' metrics, each once.
func (e *Experiment) metricNames() []string {
	names := slices.Clone(e.Goals)
	for _, g := range e.Guardrails {
		names = append(names, g.Metric)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// pinLate lets a new metric into an experiment that has ended: when no iteration
// is left to count it, the last one does.
func (set *Set) pinLate(e *experimentFile, its []Iteration, at time.Time) {
	if at.IsZero() || len(its) == 0 || slices.ContainsFunc(its, func(it Iteration) bool { return !it.over(at) }) {
		return
	}
	last := &its[len(its)-1]
	last.Metrics = set.pins(e, last.Metrics)
}

// killGuardrails names those that may kill, in whatever mode they begin: moving
// one from observe to kill later then costs nothing.
func killGuardrails(guardrails []Guardrail) []string {
	var out []string
	for _, g := range guardrails {
		if !g.NeverKill {
			out = append(out, g.Metric)
		}
	}
	slices.Sort(out)
	return out
}

// stamp writes a time for people.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999Z") }

package experiment

import (
	"fmt"
	"math/big"
	"slices"
	"time"
)

// maxSteps is how many steps a ramp can have.
const maxSteps = 50

// rampText is a ramp as it was written.
type rampText struct {
	steps    []stepText
	onBreach OnBreach
}

type stepText struct {
	RampStep
	traffic *big.Rat
	settle  *Duration
}

func rampFields() []field[rampText] {
	type t = rampText
	return []field[t]{
		must(as("steps", listOf(object(stepText{}, stepFields()), maxSteps), func(r *t) *[]stepText { return &r.steps }, "The steps, each with more traffic than the one before. The first begins with the iteration.")),
		as("on_breach", choice(HoldOnBreach, RevertOnBreach), func(r *t) *OnBreach { return &r.onBreach }, "When a guardrail in mode notify is breached: hold (default) stays at the step, revert lets nobody take part any more. One in mode kill kills."),
	}
}

func stepFields() []field[stepText] {
	type t = stepText
	return []field[t]{
		must(as("traffic", share(), func(s *t) **big.Rat { return &s.traffic }, "Share of the eligible units that take part.")),
		as("for", span(0), func(s *t) *Duration { return &s.For }, "The step lasts at least so long; default 0s, but never shorter than it takes to settle and to be judged."),
		as("units", whole[int64](2, 1e12), func(s *t) *int64 { return &s.Units }, "Units of this step that each arm must have, their windows passed; default 2."),
		as("settle", pointer(span(0)), func(s *t) **Duration { return &s.settle }, "Units that enter this soon after the step's beginning are kept apart; default 10m."),
		as("approval", yesNo(), func(s *t) *bool { return &s.Approval }, "true: a person must agree before the next step; default false."),
	}
}

// yesNo is true or false.
func yesNo() shape[bool] {
	return scalarShape(schema{"type": "boolean"}, RuleChoice, func(path, text string) (bool, string, string) {
		switch text {
		case "true":
			return true, "", ""
		case "false":
			return false, "", ""
		}
		return false, fmt.Sprintf("%s cannot be %q", path, text), "write true or false"
	})
}

// ramp is what the text means; nil without one.
func (t *rampText) ramp() *Ramp {
	if t == nil {
		return nil
	}
	r := &Ramp{OnBreach: t.onBreach}
	for i, s := range t.steps {
		s.Traffic = float(s.traffic)
		if i > 0 {
			s.Settle = defaultSettle
		}
		if s.settle != nil {
			s.Settle = *s.settle
		}
		r.Steps = append(r.Steps, s.RampStep)
	}
	return r
}

// checkRamps holds the ramps against the rest of the file.
func (e *experimentFile) checkRamps() {
	for i := range e.text.iterations {
		if it := &e.text.iterations[i]; it.ramp != nil {
			e.checkRamp(fmt.Sprintf("iterations[%d].ramp", i), it)
		}
	}
}

func (e *experimentFile) checkRamp(at string, it *iterationText) {
	steps := it.ramp.steps
	switch {
	case len(it.phases) > 0:
		e.refuse(at, RuleRamp, "this iteration has both a ramp and phases", "the steps of a ramp become its phases: take phases: out, or the ramp")
	case len(steps) < 2:
		e.refuse(at+".steps", RuleRamp, "a ramp has at least two steps", "with one step there is nothing to ramp: write phases: [{traffic: …}]")
	case len(e.Guardrails) == 0 && !e.written("guardrails"):
		e.refuse(at, RuleRamp, "this ramp has no guardrails: nothing would ever hold it", "add guardrails:; a step is left only when all of them are healthy")
	case e.KillSwitch == "" && !e.written("kill_switch"):
		e.refuse(at, RuleRamp, "nobody can carry this ramp out", "name the kill_switch of an Unleash or a webhook, or let assay assign: assignment: {system: assay}")
	}
	for j := range steps {
		e.checkStep(fmt.Sprintf("%s.steps[%d]", at, j), steps, j)
	}
}

func (e *experimentFile) checkStep(at string, steps []stepText, j int) {
	s := steps[j]
	if s.traffic == nil {
		return
	}
	switch {
	case s.traffic.Sign() == 0:
		e.refuse(at+".traffic", RuleRamp, "a step without traffic has nobody to judge by", "begin with a small share, such as 1%")
	case j > 0 && steps[j-1].traffic != nil && s.traffic.Cmp(steps[j-1].traffic) <= 0:
		e.refuse(at+".traffic", RuleRamp, fmt.Sprintf("step %d (%s) does not have more traffic than step %d (%s)", j+1, exactPercent(s.traffic), j, exactPercent(steps[j-1].traffic)),
			"a ramp only grows; it shrinks by assay ramp revert")
	}
	if j == 0 && s.settle != nil && *s.settle != 0 {
		e.refuse(at+".settle", RuleRamp, "the first step has nothing to settle from", "take the line out")
	}
	if j > 0 && j == len(steps)-1 && (s.For > 0 || s.Units > 0 || s.Approval) {
		e.refuse(at, RuleRamp, "the last step leads nowhere, so nothing can be asked of it", "leave it with its traffic alone; the iteration ends by enrol_until and end")
	}
	switch {
	case e.Assignment.Ours():
		e.parts(at+".traffic", s.traffic)
	case e.Assignment != nil:
		if hint := trafficHint(e.Assignment.System, s.traffic); hint != "" {
			e.refuse(at+".traffic", RuleAssignment, fmt.Sprintf("who takes part at this traffic cannot be computed of %s", e.Assignment.System), hint)
		}
	}
}

// SignalProblem is a problem of a signal of an experiment's file, where it stands.
func (set *Set) SignalProblem(key, signal, text, hint string) Problem {
	for _, e := range set.experiments {
		if e.Key != key {
			continue
		}
		for i := range e.Signals {
			if e.Signals[i].Name == signal {
				return e.problemAt(e.place(fmt.Sprintf("signals[%d].query", i)), RuleSignal, text, hint)
			}
		}
	}
	return Problem{Rule: RuleSignal, Text: text, Hint: hint}
}

// CheckRamps asks of the newest ramp of each file why its switch cannot carry it out, and
// gives a problem for each answer that is not empty.
func (set *Set) CheckRamps(cannot func(sw string, r *Ramp) string) (out Problems) {
	for _, e := range set.experiments {
		i := len(e.text.iterations) - 1
		if i < 0 || e.text.iterations[i].ramp == nil {
			continue
		}
		if why := cannot(e.KillSwitch, e.text.iterations[i].ramp.ramp()); why != "" {
			at := e.place(fmt.Sprintf("iterations[%d].ramp", i))
			out = append(out, e.problemAt(at, RuleRamp, "this ramp cannot be carried out: "+why, "docs/ramps.md says who can; phases: ramps by hand"))
		}
	}
	return out.sorted()
}

// keepRamp holds a ramp that has begun: what it was at in the steps so far, and that
// there is one. What a step asks for and steps to come are free from now on.
func (e *experimentFile) keepRamp(p *plan) {
	was, is, path := p.before.Ramp, p.text.ramp.ramp(), join(p.path, "ramp")
	switch {
	case was == nil && is == nil:
	case was == nil:
		e.refuse(path, RulePast, fmt.Sprintf("iteration %d began without a ramp", p.Number), hintNewIteration)
	case is == nil:
		e.refuse(p.path, RulePast, fmt.Sprintf("iteration %d began with a ramp, which cannot be taken out", p.Number), "put it back; assay ramp pause holds it where it is")
	default:
		begun := 0
		for i := range p.before.Phases {
			begun = max(begun, int(p.before.Phases[i].Step))
		}
		for j := range begun {
			at := fmt.Sprintf("%s.steps[%d]", path, j)
			if j >= len(is.Steps) {
				e.refuse(path+".steps", RulePast, fmt.Sprintf("step %d of the ramp has begun and cannot be taken out", j+1), "put it back; only steps to come may change")
				break
			}
			if a, b := was.Steps[j].Traffic, is.Steps[j].Traffic; a != b {
				e.refuse(at+".traffic", RulePast, fmt.Sprintf("step %d of the ramp has begun: its traffic was %s and cannot become %s", j+1, percent(a), percent(b)),
					fmt.Sprintf("write traffic: %s here; only steps to come may change", percent(a)))
			}
		}
	}
	p.Ramp = is
}

// rampPhases are the phases of a ramp: its first step, and what has begun since, which
// stands in no file.
func (e *experimentFile) rampPhases(p *plan, at time.Time) []Phase {
	if p.before != nil && p.before.begun(at) && p.before.Ramp != nil {
		return slices.Clone(p.before.Phases)
	}
	first := Phase{Number: 1, From: p.Start, Traffic: float(p.text.ramp.steps[0].traffic), Step: 1}
	for _, v := range e.Variants {
		first.Shares = append(first.Shares, v.Share)
	}
	return []Phase{first}
}

// doubtRamp warns of a ramp that cannot go as its file reads: a guardrail is decided
// by units whose window has passed.
func (set *Set) doubtRamp(e *experimentFile, i int) {
	it := &e.text.iterations[i]
	if it.ramp == nil {
		return
	}
	var window Duration
	var slowest string
	for _, g := range e.Guardrails {
		if m := set.metric(g.Metric); m != nil && e.WindowOf(&m.Metric) > window {
			window, slowest = e.WindowOf(&m.Metric), g.Metric
		}
	}
	var least time.Duration
	warned := false
	for j, s := range it.ramp.steps[:max(0, len(it.ramp.steps)-1)] {
		least += max(s.For, window).Std()
		if s.For < window && !warned {
			warned = true
			e.warn(fmt.Sprintf("iterations[%d].ramp.steps[%d]", i, j), WarnRampWindow,
				fmt.Sprintf("step %d lasts longer than %s: %s counts for %s after a unit's first exposure, and only then it is decided", j+1, s.For, slowest, window),
				"guard a ramp by metrics with a short window: of their own")
		}
	}
	enrol := defaultEnrol
	if !it.start.IsZero() && !it.enrolUntil.IsZero() {
		enrol = it.enrolUntil.Sub(it.start)
	}
	if least >= enrol && !warned {
		e.warn(fmt.Sprintf("iterations[%d].ramp", i), WarnRampLong,
			fmt.Sprintf("the ramp takes %s at least, and nobody enrols after %s: its last step cannot be reached", Duration(least), Duration(enrol)), "write a later enrol_until, or shorter steps")
	}
}

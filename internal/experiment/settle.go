package experiment

import (
	"fmt"
	"math/big"
	"slices"
	"time"
)

const hintNewIteration = "start a new iteration: give this one an end:, and when that has passed add the next"

// settleRunning decides a running iteration. What it has counted by stays; its
// ends and its later phases may move, from now on.
func (set *Set) settleRunning(e *experimentFile, p *plan, at time.Time) {
	p.Iteration = *p.before
	e.keepIdentity(p)
	p.Metrics = set.pins(e, p.before.Metrics)
	enrolUntil, end := e.bounds(p)
	p.EnrolUntil = e.move(p.path+".enrol_until", "enrol_until", p.before.EnrolUntil, enrolUntil, at)
	p.End = e.move(p.path+".end", "end", p.before.End, end, at)
	e.keepRamp(p)
	if len(p.text.phases) == 0 && p.before.Resumes > 0 {
		return // it goes on as it was opened
	}
	// The file knows nothing of arms that were turned off since: it is held against
	// what it declared, and they stay off.
	before := *p.before
	before.Phases = declaredPhases(before.Phases)
	p.before = &before
	p.Phases = e.phases(p, at)
	e.keepBegun(p, at)
	p.Phases = e.withArmsOff(p.Phases, &p.Iteration)
}

// keepIdentity holds the start and the salt: what an iteration has begun with. A
// fact that the file leaves out stays as it is.
func (e *experimentFile) keepIdentity(p *plan) {
	if t := p.text.start; !t.IsZero() && !t.Equal(p.before.Start) {
		e.refuse(p.path+".start", RulePast, fmt.Sprintf("iteration %d began at %s; that cannot become %s", p.Number, stamp(p.before.Start), stamp(t)),
			fmt.Sprintf("write start: %s, or add another iteration", stamp(p.before.Start)))
	}
	if s := p.text.salt; s != "" && s != p.before.Salt {
		e.refuse(p.path+".salt", RulePast, fmt.Sprintf("iteration %d began with salt %q; that cannot become %q", p.Number, p.before.Salt, s), hintNewIteration)
	}
	if r := p.text.repeats; r != p.before.Repeats && (r != 0 || e.written(p.path+".repeats")) {
		e.refuse(p.path+".repeats", RulePast, fmt.Sprintf("iteration %d has begun: whether it repeats another was to be said before", p.Number), "take the line out")
	}
}

// move changes one end of a running iteration: only while it lies ahead, and only
// to a time that does.
func (e *experimentFile) move(path, what string, from, to, at time.Time) time.Time {
	switch {
	case to.Equal(from):
	case !from.After(at):
		e.refuse(path, RulePast, fmt.Sprintf("%s was %s and has passed; it cannot become %s", what, stamp(from), stamp(to)), hintNewIteration)
	case to.Before(at):
		e.refuse(path, RuleFromNow, fmt.Sprintf("%s cannot become %s, which has passed (it is %s)", what, stamp(to), stamp(at)), "write a time that is still to come")
	}
	return to
}

// keepBegun holds the phases that have begun against the file and lets the others
// begin from now on.
func (e *experimentFile) keepBegun(p *plan, at time.Time) {
	begun := 0
	for ; begun < len(p.before.Phases) && !p.before.Phases[begun].From.After(at); begun++ {
		if begun >= len(p.Phases) {
			e.refuse(p.path+".phases", RulePast, fmt.Sprintf("phase %d began at %s and cannot be taken out", begun+1, stamp(p.before.Phases[begun].From)),
				"put it back; what comes next is another phase")
			return
		}
		e.samePhase(p, begun)
		p.Phases[begun] = p.before.Phases[begun]
	}
	for j := begun; j < len(p.Phases); j++ {
		if p.Phases[j].From.Before(at) {
			e.refuse(fmt.Sprintf("%s.phases[%d].from", p.path, j), RuleFromNow,
				fmt.Sprintf("phase %d cannot begin at %s, which has passed (it is %s)", j+1, stamp(p.Phases[j].From), stamp(at)), "write a later time, or leave from: out to begin at the apply")
		}
	}
}

// samePhase refuses any difference in a phase that has begun.
func (e *experimentFile) samePhase(p *plan, j int) {
	was, is := p.before.Phases[j], p.Phases[j]
	at := fmt.Sprintf("%s.phases[%d]", p.path, j)
	e.samePast(j, at+".from", "from", stamp(was.From), stamp(is.From))
	e.samePast(j, at+".traffic", "traffic", percent(was.Traffic), percent(is.Traffic))
	e.samePast(j, at+".shares", "shares", shareList(e.Variants, was.Shares), shareList(e.Variants, is.Shares))
	e.samePast(j, at+".settle", "settle", was.Settle.String(), is.Settle.String())
	e.samePast(j, at+".sample", "sample", percent(was.Kept()), percent(is.Kept()))
}

func (e *experimentFile) samePast(j int, path, what, was, is string) {
	if was == is {
		return
	}
	hint := fmt.Sprintf("write %s: %s here; a change is another phase, of a later iteration when this one is over", what, was)
	e.refuse(path, RulePast, fmt.Sprintf("phase %d has begun: its %s was %s and cannot become %s", j+1, what, was, is), hint)
}

// settleOver keeps an ended iteration as it was. The file may go on listing it,
// if what it says is still true; a killed one may list its old end and the phases
// that never came.
func (e *experimentFile) settleOver(p *plan) {
	p.Iteration = *p.before
	e.keepIdentity(p)
	if p.Killed == nil {
		e.sameEnd(p, "enrol_until", p.text.enrolUntil, p.EnrolUntil)
		e.sameEnd(p, "end", p.text.end, p.End)
	}
	for j := range p.text.phases {
		e.sameOver(p, j)
	}
}

func (e *experimentFile) sameEnd(p *plan, what string, written, was time.Time) {
	if !written.IsZero() && !written.Equal(was) {
		e.refuse(join(p.path, what), RulePast, fmt.Sprintf("iteration %d is over: its %s was %s and cannot become %s", p.Number, what, stamp(was), stamp(written)), "add another iteration")
	}
}

// sameOver holds what the file writes about one phase of an ended iteration.
func (e *experimentFile) sameOver(p *plan, j int) {
	text, at := p.text.phases[j], fmt.Sprintf("%s.phases[%d]", p.path, j)
	declared := declaredPhases(p.Phases)
	if j >= len(declared) {
		if p.Killed == nil || !text.from.IsZero() && text.from.Before(p.End) {
			e.refuse(at, RulePast, fmt.Sprintf("iteration %d is over (%s): it takes no further phase", p.Number, stamp(p.End)), "add another iteration")
		}
		return
	}
	was, variants := declared[j], e.variantsOf(p)
	if !text.from.IsZero() {
		e.samePast(j, at+".from", "from", stamp(was.From), stamp(text.from))
	}
	if text.traffic != nil {
		e.samePast(j, at+".traffic", "traffic", percent(was.Traffic), percent(float(text.traffic)))
	}
	if len(text.shares) > 0 {
		e.samePast(j, at+".shares", "shares", shareList(variants, was.Shares), shareList(variants, sharesBy(variants, text.shares)))
	}
	if text.sample != nil {
		e.samePast(j, at+".sample", "sample", percent(was.Kept()), percent(float(text.sample)))
	}
	if text.settle != nil {
		e.samePast(j, at+".settle", "settle", was.Settle.String(), text.settle.String())
	}
}

// variantsOf gives the variants under which an iteration ran.
func (e *experimentFile) variantsOf(p *plan) []Variant {
	if p.Design != nil {
		return p.Design.Variants
	}
	return e.Variants
}

func sharesBy(variants []Variant, shares []entry[*big.Rat]) []float64 {
	out := make([]float64, len(variants))
	for _, sh := range shares {
		if k := slices.IndexFunc(variants, func(v Variant) bool { return v.Key == sh.key }); k >= 0 {
			out[k] = float(sh.value)
		}
	}
	return out
}

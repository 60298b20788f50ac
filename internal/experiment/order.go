package experiment

import (
	"fmt"
	"time"
)

// checkNumbers wants 1, 2, … without a gap once the version before is known.
func (e *experimentFile) checkNumbers(plans []plan, whole bool) bool {
	for i, p := range plans {
		if whole && p.Number != uint32(i+1) {
			e.refuse(p.path, RuleIterationNumber, fmt.Sprintf("there is no iteration %d before iteration %d", i+1, p.Number), fmt.Sprintf("the next one is number %d", i+1))
			return false
		}
	}
	return true
}

// point is a time in the order that all times must keep.
type point struct {
	at     time.Time
	path   string
	what   string
	strict bool // later than the point before it, not at the same time
	opens  bool // it begins an iteration
}

// checkOrder holds all times of all iterations in one chain: start < phases <
// enrol_until ≤ end ≤ the next start. So iterations cannot overlap and no phase
// lies outside its iteration. Times that are still open are passed over.
func (e *experimentFile) checkOrder(plans []plan) {
	var last point
	strict := false
	for _, p := range chain(plans) {
		strict = strict || p.strict
		if p.at.IsZero() {
			if p.opens {
				// It will start when it is applied, or has started by a resume: after the
				// real end of the one before, which a kill may have moved.
				last, strict = point{}, false
			}
			continue
		}
		if !last.at.IsZero() && (p.at.Before(last.at) || strict && p.at.Equal(last.at)) {
			must := "not be before"
			if strict {
				must = "be after"
			}
			path := p.path
			if !e.written(path) && e.written(last.path) {
				path = last.path // blame what is written, not a default
			}
			e.refuse(path, RuleTimeOrder, fmt.Sprintf("%s (%s) must %s %s (%s)", p.what, stamp(p.at), must, last.what, stamp(last.at)), p.hint(e.written(p.path)))
			return
		}
		last, strict = p, false
	}
}

// hint helps with times that the file leaves out, and where an iteration begins
// before the file's end of the one before.
func (p point) hint(written bool) string {
	switch {
	case !p.opens && !written:
		return p.what + " is left out and has its default; write it down"
	case !p.opens:
		return ""
	}
	return "iterations never overlap; if the one before was killed, write the end that it got"
}

func chain(plans []plan) []point {
	var out []point
	for _, p := range plans {
		of := fmt.Sprintf(" of iteration %d", p.Number)
		out = append(out, point{p.Start, p.path + ".start", "the start" + of, false, true})
		for j := range p.Phases[min(1, len(p.Phases)):] {
			out = append(out, point{p.Phases[j+1].From, fmt.Sprintf("%s.phases[%d].from", p.path, j+1), fmt.Sprintf("phase %d", j+2) + of, true, false})
		}
		out = append(out,
			point{p.EnrolUntil, p.path + ".enrol_until", "enrol_until" + of, true, false},
			point{p.End, p.path + ".end", "the end" + of, false, false})
	}
	return out
}

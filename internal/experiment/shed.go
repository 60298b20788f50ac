package experiment

import (
	"errors"
	"fmt"
	"time"
)

// ShedNotice is how long after it is made a step of the shedding begins: until then
// every consumer has adopted it.
const ShedNotice = time.Minute

// ErrShed says that consumers cannot be told to keep such a share of units.
var ErrShed = errors.New("consumers cannot keep that share of units")

// Shed is a step of the plan by which consumers leave whole units out, of all experiments
// alike, by the hash of the unit: who is kept at a share is kept at every larger one.
//
// Exposures go by it from From on. Outcomes of units that may have been counted before go
// on being kept until Outcomes, when the windows of all of them are over: nobody is
// counted in part. A step that keeps more units has no such time.
type Shed struct {
	From     time.Time `json:"from"`
	Keep     float64   `json:"keep"` // share of all units, above 0, at most 1
	Outcomes time.Time `json:"outcomes"`
}

// Shedding makes the version under which consumers keep a share of all units, beginning
// ShedNotice from now. Every iteration that runs then has a phase from there on.
func (v *Version) Shedding(keep float64, reason, author string, now time.Time) (*Version, error) {
	next := v.clone()
	next.Number, next.Author, next.Login, next.Reason = v.Number+1, author, "", reason
	if now = now.UTC().Truncate(time.Millisecond); now.After(v.AppliedAt) {
		next.AppliedAt = now
	}
	was, from := 1.0, next.AppliedAt.Add(ShedNotice)
	if n := len(v.Sheds); n > 0 {
		if was = v.Sheds[n-1].Keep; !from.After(v.Sheds[n-1].From) {
			return nil, fmt.Errorf("%w: a step begins at %s already", ErrShed, stamp(v.Sheds[n-1].From))
		}
	}
	switch {
	case !(keep > 0 && keep <= 1) || PartsOf(keep) == 0:
		return nil, fmt.Errorf("%w: %s is not above 0%% and at most 100%%", ErrShed, percent(keep))
	case keep == was:
		return nil, fmt.Errorf("%w: they keep %s already", ErrShed, percent(was))
	}
	step := Shed{From: from, Keep: keep, Outcomes: from}
	for i := range next.Experiments {
		e := &next.Experiments[i]
		for k := range e.Iterations {
			it := &e.Iterations[k]
			if it.over(next.AppliedAt) || !it.Start.Before(from) || !it.End.After(from) {
				continue
			}
			ran := e.AsOf(it)
			if until := from.Add(ran.longestWindow(it.Metrics)); keep < was && until.After(step.Outcomes) {
				step.Outcomes = until
			}
			if !it.begun(next.AppliedAt) {
				continue // its file may still move it; it begins within the notice
			}
			declared := declaredPhases(it.Phases)
			it.ShedAt = append(it.ShedAt, from)
			it.Phases = ran.withArmsOff(declared, it)
		}
	}
	next.Sheds = append(next.Sheds[:len(next.Sheds):len(next.Sheds)], step)
	return next, nil
}

// KeptBetween is the least share of units that consumers keep from one time to another,
// both included: that of the units that an iteration has which began at the first and
// exposes them at the second. Units that were left out do not come in later.
func (v *Version) KeptBetween(from, to time.Time) float64 {
	least := 1.0
	for i := range v.Sheds {
		s := &v.Sheds[i]
		over := i+1 < len(v.Sheds) && !v.Sheds[i+1].From.After(from)
		if !s.From.After(to) && !over {
			least = min(least, s.Keep)
		}
	}
	return least
}

// wholeUnits refuses iterations, and metrics of running ones, that would count units of
// which outcomes were left out: exposed before a step, with a window that ends after the
// outcomes of such units are no longer kept.
func (v *Version) wholeUnits() Problems {
	var problems Problems
	was := 1.0
	for i := range v.Sheds {
		s := &v.Sheds[i]
		for k := range v.Experiments {
			e := &v.Experiments[k]
			for n := range e.Iterations {
				it := &e.Iterations[n]
				over := s.From.Add(e.AsOf(it).longestWindow(it.Metrics))
				if s.Keep < was && it.Start.Before(s.From) && it.End.After(s.From) && over.After(s.Outcomes) && it.End.After(s.Outcomes) {
					problems = append(problems, Problem{Rule: RuleTimeOrder,
						Text: fmt.Sprintf("iteration %d of experiment %s would count units in part: consumers shed since %s, and outcomes of units that were seen before are kept until %s, not until %s",
							it.Number, e.Key, stamp(s.From), stamp(s.Outcomes), stamp(over)),
						Hint: fmt.Sprintf("start an iteration at %s or later, or shorten the window of what is new", stamp(s.From))})
				}
			}
		}
		was = s.Keep
	}
	return problems
}

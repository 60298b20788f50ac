package experiment

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Apply makes the version that follows from the files at a time. It returns no
// version and no changes when nothing changed, and only problems when the files
// want what may not change any more. The version before (nil for the first) stays
// untouched.
//
// A time before the last version's is taken as that one: with two operators'
// clocks apart, "from now on" still means after everything that was applied.
func Apply(previous *Version, set *Set, at time.Time, author string) (*Version, []Change, Problems) {
	return ApplyBut(previous, set, at, author, nil)
}

// ApplyBut is Apply, with some experiments left as they are in force, or out where they
// are in no version yet: their files wait for approvals.
func ApplyBut(previous *Version, set *Set, at time.Time, author string, waiting []string) (*Version, []Change, Problems) {
	at = at.UTC().Truncate(time.Millisecond)
	before := &Version{}
	if previous != nil {
		before = previous.clone()
		set = set.withCaps(before.Metrics)
	}
	next := &Version{Number: 1, Author: author, Metrics: set.Metrics()}
	if previous != nil {
		next.Number = previous.Number + 1
		next.Floor, next.Floors, next.Erasure, next.Sheds = previous.Floor, previous.Floors, previous.Erasure, previous.Sheds
		if at.Before(previous.AppliedAt) {
			at = previous.AppliedAt
		}
	}
	next.AppliedAt = at
	var problems Problems
	for _, f := range set.experiments {
		if slices.Contains(waiting, f.Key) {
			if e := before.Find(f.Key); e != nil {
				next.Experiments = append(next.Experiments, *e)
			}
			continue
		}
		e, wrong := set.apply(f, before.Find(f.Key), at)
		problems = append(problems, wrong...)
		next.Experiments = append(next.Experiments, e)
	}
	kept, wrong := withoutFile(before, set, at)
	next.Experiments = append(next.Experiments, kept...)
	problems = append(problems, wrong...)
	problems = append(problems, next.aboveFloor(before)...)
	problems = append(problems, next.wholeUnits()...)
	problems = append(problems, set.checkTogether(next, at)...)
	if len(problems) > 0 {
		return nil, nil, problems.sorted()
	}
	slices.SortFunc(next.Experiments, func(a, b Experiment) int { return cmp.Compare(a.Key, b.Key) })
	next = next.clone()
	if previous != nil && Hash(previous) == Hash(next) {
		return nil, nil, nil
	}
	return next, changes(before, next), nil
}

// apply settles one experiment.
func (set *Set) apply(f *experimentFile, before *Experiment, at time.Time) (Experiment, Problems) {
	// A set may be applied more than once; the problems of each time are its own.
	s := *f.source
	s.problems = nil
	e := &experimentFile{source: &s, Experiment: f.Experiment, text: f.text}
	if before != nil {
		changed := e.designChanges(before)
		if running := before.runningAt(at); running != nil && len(changed) > 0 {
			e.refuseFrozen(changed, running)
			return Experiment{}, s.problems
		}
		if len(changed) > 0 {
			before = withDesign(before)
		}
	}
	e.Iterations = set.timeline(e, before, at)
	return e.Experiment, s.problems
}

// runningAt finds the iteration that runs at a time, nil without one.
func (e *Experiment) runningAt(at time.Time) *Iteration {
	for i := range e.Iterations {
		if e.Iterations[i].running(at) {
			return &e.Iterations[i]
		}
	}
	return nil
}

// withDesign gives the iterations their own copy of a design that is about to
// change. Those that have not begun are settled anew from the file anyway.
func withDesign(e *Experiment) *Experiment {
	out := *e
	out.Iterations = slices.Clone(e.Iterations)
	for i := range out.Iterations {
		if it := &out.Iterations[i]; it.Design == nil {
			it.Design = e.design()
		}
	}
	return &out
}

// withoutFile decides what becomes of experiments that no file names: one that
// has ended is kept, for what it counted stays; one that never began goes; one
// that runs must keep its file.
func withoutFile(before *Version, set *Set, at time.Time) ([]Experiment, Problems) {
	var kept []Experiment
	var problems Problems
	for _, e := range before.Experiments {
		if slices.ContainsFunc(set.experiments, func(f *experimentFile) bool { return f.Key == e.Key }) {
			continue
		}
		if it := e.runningAt(at); it != nil {
			problems = append(problems, Problem{Rule: RuleFileGone,
				Text: fmt.Sprintf("experiment %s has no file, but its iteration %d runs until %s", e.Key, it.Number, stamp(it.End)),
				Hint: "bring the file back; to end the experiment write end: in it, apply, and take it away when that time has passed"})
			continue
		}
		e.Iterations = slices.DeleteFunc(e.Iterations, func(it Iteration) bool { return !it.begun(at) })
		if len(e.Iterations) > 0 {
			kept = append(kept, e)
		}
	}
	return kept, problems
}

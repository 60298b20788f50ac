package catalog

import (
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// Subject is one iteration as it is known at a time.
type Subject struct {
	Experiment *experiment.Experiment // nil: only what the documents say is known
	Iteration  *experiment.Iteration
	// Document is the newest look with all metrics, with what was decided since; nil:
	// there was none yet. Guard is the guard's own newest look where that is newer: it
	// knows the guardrails' metrics alone.
	Document *results.Document
	Guard    *results.Document
	Now      time.Time
	Zone     *time.Location // in which sentences write times; nil: UTC
}

// instant writes a time in the subject's zone.
func (s Subject) instant(t time.Time) string { return words.InstantIn(t, s.Zone) }

// merged puts what the guard said last onto the newest full look: verdicts, anomalies and
// alarms are the newest, the numbers stay those of one position of the ledger. Arms that
// were turned off by themselves take no part.
func (s Subject) merged() Subject {
	if s.Document = s.judged(); s.Document != nil {
		s.Document = standing(s.Document)
	}
	return s
}

// judged is the document with what the guard said since, all arms.
func (s Subject) judged() *results.Document {
	full, guard := s.Document, s.Guard
	switch {
	case guard == nil:
		return full
	case full == nil || guard.Iteration > full.Iteration:
		return guard
	case guard.Iteration == full.Iteration && guard.At.After(full.At):
		return under(full, guard)
	}
	return full
}

func under(full, guard *results.Document) *results.Document {
	out := *full
	out.Verdicts, out.Anomalies, out.CrossoverChecks, out.Troubles = guard.Verdicts, guard.Anomalies, guard.CrossoverChecks, guard.Troubles
	out.AssignmentChecks, out.LossChecks = guard.AssignmentChecks, guard.LossChecks
	out.Ramp = guard.Ramp
	out.Killed, out.Kill, out.ArmKills = guard.Killed, guard.Kill, guard.ArmKills
	out.Phases = slices.Clone(full.Phases)
	for i := range out.Phases {
		for j := range guard.Phases {
			if p := &guard.Phases[j]; p.Number == out.Phases[i].Number {
				out.Phases[i].Alarm = p.Alarm
			}
		}
	}
	return &out
}

// lookedAt is when somebody looked last.
func (s Subject) lookedAt() time.Time {
	if s.Guard != nil && s.Guard.At.After(s.Document.At) {
		return s.Guard.At
	}
	return s.Document.At
}

// standing is the document without the arms that were turned off by themselves:
// nothing is to be decided about them any more.
func standing(d *results.Document) *results.Document {
	off := func(arm string) bool {
		return slices.ContainsFunc(d.ArmKills, func(k results.Kill) bool {
			return k.Arm == arm && !k.ReadBackAt.IsZero() && k.OverriddenAt.IsZero()
		})
	}
	if len(d.ArmKills) == 0 {
		return d
	}
	out := *d
	out.Verdicts = without(d.Verdicts, func(v results.Verdict) bool { return off(v.Arm) })
	out.Comparisons = without(d.Comparisons, func(c results.Comparison) bool { return off(c.Arm) })
	if d.Dated != nil {
		dated := *d.Dated
		dated.Goals = without(dated.Goals, func(g results.DatedGoal) bool { return off(g.Arm) })
		out.Dated = &dated
	}
	if d.Slow != nil {
		slow := *d.Slow
		slow.Comparisons = without(slow.Comparisons, func(c results.SlowComparison) bool { return off(c.Arm) })
		out.Slow = &slow
	}
	return &out
}

func without[T any](all []T, leave func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), leave)
}

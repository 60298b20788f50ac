package assignment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Off is what was turned off: an iteration, or one arm of it.
type Off struct {
	Experiment string
	Iteration  uint32
	Arm        string // "": the whole iteration
}

// Plan is how one experiment assigns at one time.
type Plan struct {
	Experiment *experiment.Experiment // as it was when the iteration began
	Iteration  uint32                 // 0: none runs
	Phase      uint16
	Control    int // index of the control

	halted  Why // why nobody takes part; "" when units do
	salt    string
	traffic uint32
	sample  uint32   // units that are measured, in parts of a million; a million: all
	bounds  []uint32 // where each variant's units end, by index; the last is a million
	off     []bool   // arms that were turned off, by index
}

// Set is how all experiments that assay assigns do so at one time.
type Set struct {
	Version uint32
	Plans   []Plan    // by key
	Until   time.Time // when an iteration or a phase begins or ends next; zero: never
	Tag     string    // the same in every process that assigns likewise
}

// Find is the plan of an experiment, nil without one.
func (s *Set) Find(key string) *Plan {
	for i := range s.Plans {
		if s.Plans[i].Experiment.Key == key {
			return &s.Plans[i]
		}
	}
	return nil
}

// SetOf makes the plans of a version for a time, with what was turned off since.
func SetOf(v *experiment.Version, off map[Off]bool, at time.Time) *Set {
	s := &Set{Version: v.Number}
	for i := range v.Experiments {
		e := &v.Experiments[i]
		if !e.Assignment.Ours() {
			continue
		}
		s.Plans = append(s.Plans, planOf(e, off, at))
		s.border(e, at)
	}
	s.Tag = s.tag()
	return s
}

// tag is a hash of what tells one set from another.
func (s *Set) tag() string {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, s.Version)
	for i := range s.Plans {
		p := &s.Plans[i]
		_, _ = fmt.Fprintln(h, p.Experiment.Key, p.Iteration, p.Phase, p.halted, p.off)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// border moves Until to the next time at which the experiment assigns otherwise.
func (s *Set) border(e *experiment.Experiment, at time.Time) {
	next := func(t time.Time) {
		if t.After(at) && (s.Until.IsZero() || t.Before(s.Until)) {
			s.Until = t
		}
	}
	for i := range e.Iterations {
		it := &e.Iterations[i]
		next(it.Start)
		next(it.End)
		for _, p := range it.Phases {
			next(p.From)
		}
	}
}

func planOf(e *experiment.Experiment, off map[Off]bool, at time.Time) Plan {
	it := e.At(at)
	if it == nil {
		return Plan{Experiment: e, Control: e.VariantIndex(e.Control), halted: haltedOf(e, at)}
	}
	then := e.AsOf(it)
	phase := it.PhaseAt(at)
	p := Plan{
		Experiment: then, Iteration: it.Number, Phase: phase.Number, Control: then.VariantIndex(then.Control),
		salt: e.SaltOf(it), traffic: experiment.PartsOf(phase.Traffic), sample: experiment.PartsOf(phase.Kept()), off: make([]bool, len(then.Variants)),
	}
	var sum float64
	for i, share := range e.SplitOf(it, phase) {
		sum += share
		p.bounds = append(p.bounds, experiment.PartsOf(sum))
		arm := then.Variants[i].Key
		p.off[i] = share > 0 && phase.Shares[i] == 0 || off[Off{e.Key, it.Number, arm}]
	}
	switch {
	case !then.Assignment.Ours(): // it began when somebody else assigned
		p.halted = NotRunning
	case off[Off{e.Key, it.Number, ""}]:
		p.halted = TurnedOff
	}
	return p
}

// haltedOf says why nobody takes part when no iteration runs: the last one was turned
// off, or it has ended, or none has begun.
func haltedOf(e *experiment.Experiment, at time.Time) Why {
	why := NotRunning
	for i := range e.Iterations {
		if it := &e.Iterations[i]; !at.Before(it.Start) {
			why = NotRunning
			if it.Killed != nil {
				why = TurnedOff
			}
		}
	}
	return why
}

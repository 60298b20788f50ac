package experiment

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Ramp lets an iteration's traffic grow step by step. A step begins as a phase when
// the one before it may be left; the guard decides that, and no file says when.
type Ramp struct {
	Steps    []RampStep `json:"steps"`     // ascending; the first begins with the iteration
	OnBreach OnBreach   `json:"on_breach"` // what the breach of a guardrail leads to that may not kill
}

// RampStep is one step and what must be so before it is left for the next. The last
// one leads nowhere and asks for nothing.
type RampStep struct {
	Traffic  float64  `json:"traffic"`            // share of the eligible units that take part, 0..1
	For      Duration `json:"for,omitempty"`      // it lasts at least so long
	Units    int64    `json:"units,omitempty"`    // units of the step that each arm must have, their windows passed
	Approval bool     `json:"approval,omitempty"` // a person must agree
	Settle   Duration `json:"settle,omitempty"`   // of its phase; 0 in the first
}

// OnBreach is what a ramp does when harm is shown by a guardrail that may only notify.
// One that may kill kills: that ends the ramp with its iteration.
type OnBreach string

// The policies.
const (
	HoldOnBreach   OnBreach = "hold"   // the ramp stays where it is
	RevertOnBreach OnBreach = "revert" // nobody takes part any more
)

// What a ramp cannot do.
var (
	ErrNoRamp   = errors.New("its iteration has no ramp")
	ErrRampStep = errors.New("the ramp is not at the step before")
)

// String writes the ramp for people.
func (r *Ramp) String() string {
	if r == nil {
		return "none"
	}
	parts := make([]string, len(r.Steps))
	for i, s := range r.Steps {
		parts[i] = s.String()
	}
	return strings.Join(parts, ", ") + "; on breach " + string(r.OnBreach)
}

// String writes the step for people.
func (s RampStep) String() string {
	out := percent(s.Traffic)
	if s.For > 0 {
		out += " for " + s.For.String()
	}
	if s.Units > 0 {
		out += fmt.Sprintf(" and %d units", s.Units)
	}
	if s.Approval {
		out += " until approved"
	}
	return out
}

// RampAt is where a ramp stands at a time, by its phases: the step in force (from 1),
// when it began, and whether it was reverted. Step 0: there is none.
func (it *Iteration) RampAt(at time.Time) (step int, since time.Time, reverted bool) {
	for i := range it.Phases {
		p := &it.Phases[i]
		if p.From.After(at) {
			break
		}
		if int(p.Step) != step || p.Reverted != reverted {
			step, since, reverted = int(p.Step), p.From, p.Reverted
		}
	}
	return step, since, reverted
}

// StepPhases are the numbers of the phases of a ramp's step: more than one when an arm
// was turned off meanwhile.
func (it *Iteration) StepPhases(step int) (numbers []uint16) {
	for i := range it.Phases {
		if p := &it.Phases[i]; int(p.Step) == step && !p.Reverted {
			numbers = append(numbers, p.Number)
		}
	}
	return numbers
}

// HasPhaseOf tells whether a phase began by a line of the decision log.
func (it *Iteration) HasPhaseOf(decision uint64) bool {
	return slices.ContainsFunc(it.Phases, func(p Phase) bool { return p.Decision == decision })
}

// BeginStep makes the version in which a ramp's step begins at a time: a phase with the
// step's traffic and the shares that there were. The traffic is the one that was set in
// the flag system: what the file says meanwhile holds for steps to come.
func (v *Version) BeginStep(key string, step int, traffic float64, at time.Time, decision uint64, reason, author string, now time.Time) (*Version, error) {
	return v.ramp(key, Phase{Step: uint16(step), Traffic: traffic, Decision: decision}, at, reason, author, now)
}

// RevertRamp makes the version in which nobody takes part any more from a time on. The
// ramp never goes on from there.
func (v *Version) RevertRamp(key string, at time.Time, decision uint64, reason, author string, now time.Time) (*Version, error) {
	return v.ramp(key, Phase{Reverted: true, Decision: decision}, at, reason, author, now)
}

func (v *Version) ramp(key string, p Phase, at time.Time, reason, author string, now time.Time) (*Version, error) {
	next, e, err := v.after(key, reason, author, now)
	if err != nil {
		return nil, err
	}
	at = at.UTC().Truncate(time.Millisecond)
	it := e.At(at)
	if it == nil || it.Killed != nil || !at.Before(it.EnrolUntil) {
		return nil, fmt.Errorf("ramp %s at %s: %w", key, stamp(at), ErrNotRunning)
	}
	if it.Ramp == nil {
		return nil, fmt.Errorf("ramp %s: %w", key, ErrNoRamp)
	}
	declared := declaredPhases(it.Phases)
	last := declared[len(declared)-1]
	if last.Reverted || !p.Reverted && p.Step != last.Step+1 || int(p.Step) > len(it.Ramp.Steps) {
		return nil, fmt.Errorf("ramp %s to step %d: %w", key, p.Step, ErrRampStep)
	}
	if p.Reverted {
		p.Step = last.Step
	}
	settle := defaultSettle
	if !p.Reverted {
		settle = it.Ramp.Steps[p.Step-1].Settle
	}
	if newest := it.Phases[len(it.Phases)-1].From; !at.After(newest) {
		at = newest.Add(time.Millisecond) // phases of nearly the same time stay in order
	}
	p.Number, p.From, p.Shares, p.Settle = uint16(len(declared)+1), at, last.Shares, settle
	it.Phases = e.AsOf(it).withArmsOff(append(declared, p), it)
	return next, nil
}

func (it *Iteration) validateRamp() error {
	for _, p := range it.Phases {
		if it.Ramp == nil && (p.Step != 0 || p.Reverted) || it.Ramp != nil && (p.Step == 0 || int(p.Step) > len(it.Ramp.Steps)) {
			return fmt.Errorf("phase %d is no step of its ramp", p.Number)
		}
	}
	if it.Ramp == nil {
		return nil
	}
	for i, s := range it.Ramp.Steps[1:] {
		if s.Traffic <= it.Ramp.Steps[i].Traffic {
			return fmt.Errorf("step %d of its ramp does not have more traffic than step %d", i+2, i+1)
		}
	}
	return nil
}

// rampTraffic is the traffic that an iteration had before its ramp was reverted; else
// the one given.
func (it *Iteration) rampTraffic(now float64) float64 {
	for i := len(it.Phases) - 1; i >= 0; i-- {
		if p := &it.Phases[i]; p.Step > 0 && !p.Reverted {
			return p.Traffic
		}
	}
	return now
}

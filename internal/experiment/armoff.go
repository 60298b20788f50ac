package experiment

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNoSuchArm says that an arm cannot be turned off by itself: the experiment has
// no such variant, it is the control, or it is off already.
var ErrNoSuchArm = errors.New("it has no such arm to turn off")

// ArmOff says that one arm was turned off by its kill switch while the iteration
// goes on: from At on its share is 0.
type ArmOff struct {
	Variant  string    `json:"variant"`
	At       time.Time `json:"at"`       // t_k: when the accepted off call was sent
	Decision uint64    `json:"decision"` // sequence number in the decision log
	Reason   string    `json:"reason"`
}

// TurnOffArm makes the version in which one arm of the running iteration is off from
// at on. That is a new phase: the arm has share 0 in it and in all later ones, the
// others keep their proportions, and units are settled into it as into any phase.
func (v *Version) TurnOffArm(key, arm string, at time.Time, decision uint64, reason, author string, now time.Time) (*Version, error) {
	next, e, err := v.after(key, reason, author, now)
	if err != nil {
		return nil, err
	}
	at = at.UTC().Truncate(time.Millisecond)
	it := e.At(at)
	if it == nil || it.Killed != nil || !at.After(it.Start) {
		return nil, fmt.Errorf("turn off %s of %s at %s: %w", arm, key, stamp(at), ErrNotRunning)
	}
	ran := e.AsOf(it)
	if arm == ran.Control || ran.VariantIndex(arm) < 0 || it.ArmOff(arm) != nil {
		return nil, fmt.Errorf("turn off %s of %s: %w", arm, key, ErrNoSuchArm)
	}
	declared := declaredPhases(it.Phases)
	it.ArmsOff = append(it.ArmsOff, ArmOff{Variant: arm, At: at, Decision: decision, Reason: reason})
	it.Phases = ran.withArmsOff(declared, it)
	return next, nil
}

// ArmOff is how an arm was turned off; nil while it is on.
func (it *Iteration) ArmOff(arm string) *ArmOff {
	for i := range it.ArmsOff {
		if it.ArmsOff[i].Variant == arm {
			return &it.ArmsOff[i]
		}
	}
	return nil
}

// declaredPhases are an iteration's phases as its file has them, without what was
// turned off.
func declaredPhases(phases []Phase) []Phase {
	var out []Phase
	for _, p := range phases {
		if p.ArmsOff {
			continue
		}
		if p.Declared != nil {
			p.Shares, p.Declared = p.Declared, nil
		}
		p.Number = uint16(len(out) + 1)
		out = append(out, p)
	}
	return out
}

// withArmsOff lays the arms that were turned off over the phases as declared. It is
// a function of both, so that an apply of the same file changes nothing.
func (e *Experiment) withArmsOff(declared []Phase, it *Iteration) []Phase {
	phases := slices.Clone(declared)
	cuts := slices.Clone(it.ShedAt)
	for _, off := range it.ArmsOff {
		cuts = append(cuts, off.At)
	}
	for _, at := range cuts {
		i := slices.IndexFunc(phases, func(p Phase) bool { return p.From.After(at) })
		if i < 0 {
			i = len(phases)
		}
		if i == 0 || phases[i-1].From.Equal(at) || !at.Before(it.EnrolUntil) {
			continue // a phase begins with it, or nobody enrols any more
		}
		cut := phases[i-1]
		cut.From, cut.Settle, cut.ArmsOff, cut.Decision = at, defaultSettle, true, 0
		phases = slices.Insert(phases, i, cut)
	}
	for i := range phases {
		p := &phases[i]
		p.Number = uint16(i + 1)
		for _, off := range it.ArmsOff {
			if p.From.Before(off.At) {
				continue
			}
			if p.Declared == nil {
				p.Declared = p.Shares
			}
			p.Shares = without(p.Shares, e.VariantIndex(off.Variant), e.VariantIndex(e.Control))
		}
	}
	return phases
}

// without are shares with that of one arm divided among the others as they stand. The
// control gets it when there are no others.
func without(shares []float64, arm, control int) []float64 {
	out := slices.Clone(shares)
	out[arm] = 0
	var rest float64
	for _, s := range out {
		rest += s
	}
	if rest == 0 {
		out[control] = 1
		return out
	}
	for i := range out {
		out[i] /= rest
	}
	return out
}

package experiment

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Validate checks what every consumer relies on: keys sorted, variants with a
// control, iterations numbered without gaps and never overlapping, phases inside
// them with shares that sum to 1, metrics pinned. Parse and Apply make no other
// versions; a version from elsewhere is held against it by Decode.
func (v *Version) Validate() error {
	var errs []error
	if v.Number == 0 {
		errs = append(errs, errors.New("a version has number 0"))
	}
	for i := range v.Experiments {
		e := &v.Experiments[i]
		if i > 0 && v.Experiments[i-1].Key >= e.Key {
			errs = append(errs, fmt.Errorf("experiment %s stands after %s", e.Key, v.Experiments[i-1].Key))
		}
		if err := e.validate(); err != nil {
			errs = append(errs, fmt.Errorf("experiment %s: %w", e.Key, err))
		}
	}
	return errors.Join(errs...)
}

func (e *Experiment) validate() error {
	if len(e.Variants) < 2 || e.VariantIndex(e.Control) < 0 {
		return fmt.Errorf("control %q is not one of at least two variants", e.Control)
	}
	if err := e.validateAssignment(); err != nil {
		return fmt.Errorf("assignment: %w", err)
	}
	if len(e.Iterations) == 0 {
		return errors.New("it has no iteration")
	}
	for i := range e.Iterations {
		it := &e.Iterations[i]
		if it.Number != uint32(i+1) {
			return fmt.Errorf("iteration %d stands at place %d", it.Number, i+1)
		}
		if i > 0 && it.Start.Before(e.Iterations[i-1].End) {
			return fmt.Errorf("iteration %d overlaps the one before", it.Number)
		}
		if err := it.validate(e.AsOf(it)); err != nil {
			return fmt.Errorf("iteration %d: %w", it.Number, err)
		}
	}
	return nil
}

func (it *Iteration) validate(e *Experiment) error {
	switch {
	case !it.Start.Before(it.EnrolUntil) || it.End.Before(it.EnrolUntil):
		return fmt.Errorf("its times are out of order: %s, %s, %s", stamp(it.Start), stamp(it.EnrolUntil), stamp(it.End))
	case len(it.Phases) == 0 || !it.Phases[0].From.Equal(it.Start) || it.Phases[0].Settle != 0:
		return errors.New("its first phase does not begin with it")
	case it.Killed != nil && !it.Killed.At.Equal(it.End):
		return errors.New("it was killed and did not end")
	case it.KillRules != len(it.KillGuardrails)*(len(e.Variants)-1):
		return fmt.Errorf("%d kill rules for %d guardrails", it.KillRules, len(it.KillGuardrails))
	}
	for _, t := range []time.Time{it.Start, it.EnrolUntil, it.End} {
		if !t.Equal(t.Truncate(time.Millisecond)) {
			return fmt.Errorf("%s is not a whole millisecond", t)
		}
	}
	for i := range it.Metrics {
		if i > 0 && it.Metrics[i-1].Name >= it.Metrics[i].Name {
			return fmt.Errorf("metric %s is out of order", it.Metrics[i].Name)
		}
	}
	if err := it.validateRamp(); err != nil {
		return err
	}
	return it.validatePhases(len(e.Variants))
}

func (it *Iteration) validatePhases(variants int) error {
	for j, p := range it.Phases {
		if p.Number != uint16(j+1) || !p.From.Before(it.EnrolUntil) || j > 0 && !p.From.After(it.Phases[j-1].From) {
			return fmt.Errorf("phase %d is out of order", p.Number)
		}
		var sum float64
		for _, s := range p.Shares {
			sum += s
		}
		if len(p.Shares) != variants || math.Abs(sum-1) > 1e-9 {
			return fmt.Errorf("phase %d: %d shares sum to %v for %d variants", p.Number, len(p.Shares), sum, variants)
		}
		if p.Traffic < 0 || p.Traffic > 1 {
			return fmt.Errorf("phase %d: traffic is %v", p.Number, p.Traffic)
		}
		if p.Sample < 0 || p.Sample >= 1 || j > 0 && p.Kept() > it.Phases[j-1].Kept() {
			return fmt.Errorf("phase %d: sample is %v", p.Number, p.Sample)
		}
	}
	return nil
}

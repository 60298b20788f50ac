package assignment

import (
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// Why says why a unit takes no part; "" when it does.
type Why string

// The reasons, in the order in which they are asked for.
const (
	NotRunning  Why = "not_running" // no iteration runs
	TurnedOff   Why = "turned_off"  // the experiment was turned off
	NotEligible Why = "not_eligible"
	HeldOut     Why = "holdout"
	OtherGroup  Why = "group"   // it belongs to another experiment of the group
	NotInShare  Why = "traffic" // the ramp has not come to it
	ArmOff      Why = "arm_off" // its arm was turned off
)

// Decision is what a unit gets.
type Decision struct {
	Variant int    // index; the control's when the unit takes no part
	Why     Why    // why it takes no part: no exposure must be logged
	Bucket  uint32 // its draw among the variants, in parts of a million
	LeftOut bool   // it takes part and is not measured: no exposure must be logged
}

// Sample is the share of the units taking part that are measured, 0..1; 1: all.
func (p *Plan) Sample() float64 { return float64(p.sample) / experiment.Million }

// In tells whether the unit takes part.
func (d Decision) In() bool { return d.Why == "" }

// Decide says what a unit with these attributes gets. The steps are asked in one
// order and each draw is independent of the others, so that a larger share of traffic
// only adds units, and moves nobody between variants.
func (p *Plan) Decide(unit string, attributes map[string]string) Decision {
	d := Decision{Variant: p.Control, Why: p.halted}
	if p.halted != "" {
		return d
	}
	kind := p.Experiment.UnitKind
	d.Bucket = Draw(p.salt, Variant, kind, unit)
	if d.Why = p.outside(unit, attributes); d.Why != "" {
		return d
	}
	variant := slices.IndexFunc(p.bounds, func(end uint32) bool { return d.Bucket < end })
	if variant < 0 { // shares that sum to a little less than one
		variant = len(p.bounds) - 1
	}
	if p.off[variant] {
		d.Why = ArmOff
		return d
	}
	d.Variant = variant
	d.LeftOut = p.sample < experiment.Million && Draw(p.salt, Sample, kind, unit) >= p.sample
	return d
}

// outside says why a unit is not asked which variant it gets.
func (p *Plan) outside(unit string, attributes map[string]string) Why {
	a, kind := p.Experiment.Assignment, p.Experiment.UnitKind
	if len(a.Eligible) > 0 && !slices.ContainsFunc(a.Eligible, func(au experiment.Audience) bool { return has(au, attributes) }) {
		return NotEligible
	}
	for _, h := range a.Holdouts {
		if Draw(h.Name, HoldoutDraw, kind, unit) < h.Parts {
			return HeldOut
		}
	}
	if g := a.Group; g != nil {
		if part := Draw(g.Name, GroupDraw, kind, unit); part < g.From || part >= g.To {
			return OtherGroup
		}
	}
	if Draw(p.salt, Traffic, kind, unit) >= p.traffic {
		return NotInShare
	}
	return ""
}

// has tells whether a unit's attributes are those of an audience. One that the unit
// lacks is none of the values.
func has(au experiment.Audience, attributes map[string]string) bool {
	for name, values := range au {
		value, ok := attributes[name]
		if !ok || !slices.Contains(values, value) {
			return false
		}
	}
	return true
}

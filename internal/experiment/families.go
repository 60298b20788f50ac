package experiment

import (
	"fmt"
	"slices"
)

// Families says how an error rate is shared where many tests stand side by side.
// Guardrails and looks have no line here: the budget of false kills is always
// divided equally among its rules, and looks cost nothing.
type Families struct {
	Goals        Adjustment `json:"goals,omitempty"`         // of goals × arms; read it through OfGoals
	Primary      string     `json:"primary,omitempty"`       // the goal that gets a part of its own
	PrimaryShare float64    `json:"primary_share,omitempty"` // of the error rate; 0: DefaultPrimaryShare
	Segments     Adjustment `json:"segments,omitempty"`      // of goals × arms × values of the dimensions; read it through OfSegments
}

// Adjustment is a way to share an error rate among the tests of a family.
type Adjustment string

// The adjustments. The first two and Holm bound the probability of one false
// finding, the Benjamini ones the share of false ones among the findings.
const (
	Unadjusted         Adjustment = "none"
	Bonferroni         Adjustment = "bonferroni"
	Holm               Adjustment = "holm"
	BenjaminiHochberg  Adjustment = "benjamini-hochberg"
	BenjaminiYekutieli Adjustment = "benjamini-yekutieli"
)

// DefaultPrimaryShare is the primary goal's part of the error rate.
const DefaultPrimaryShare = 0.5

// OfGoals is the adjustment of the goals: Bonferroni unless the file says
// otherwise, since its intervals tell the size of every effect.
func (f Families) OfGoals() Adjustment {
	if f.Goals == "" {
		return Bonferroni
	}
	return f.Goals
}

// OfSegments is the adjustment of the segments: Benjamini and Hochberg's unless
// the file says otherwise, since segments are looked through, not decided by.
func (f Families) OfSegments() Adjustment {
	if f.Segments == "" {
		return BenjaminiHochberg
	}
	return f.Segments
}

// ShareOfPrimary is the primary goal's part; 0 without a primary goal.
func (f Families) ShareOfPrimary() float64 {
	switch {
	case f.Primary == "":
		return 0
	case f.PrimaryShare == 0:
		return DefaultPrimaryShare
	}
	return f.PrimaryShare
}

// String is the design in one line, the same for files that mean the same.
func (f Families) String() string {
	out := fmt.Sprintf("{goals: %s, segments: %s", f.OfGoals(), f.OfSegments())
	if f.Primary != "" {
		out += fmt.Sprintf(", primary: %s, primary_share: %s", f.Primary, percent(f.ShareOfPrimary()))
	}
	return out + "}"
}

func familyFields() []field[Families] {
	adjustment := choice(Bonferroni, Holm, BenjaminiHochberg, BenjaminiYekutieli, Unadjusted)
	return []field[Families]{
		as("goals", adjustment, func(f *Families) *Adjustment { return &f.Goals }, "How alpha is shared among goals × arms; default bonferroni. Hommel's and Hochberg's procedures are left out: no intervals agree with them."),
		as("primary", metricName(), func(f *Families) *string { return &f.Primary }, "The goal that gets a part of alpha for itself, under bonferroni."),
		as("primary_share", portion("50% is usual"), func(f *Families) *float64 { return &f.PrimaryShare }, "The primary goal's part of alpha; default 50%."),
		as("segments", adjustment, func(f *Families) *Adjustment { return &f.Segments }, "The same for goals × arms × values of dimensions, a family of their own; default benjamini-hochberg."),
	}
}

// checkFamilies holds the families against the goals.
func (e *experimentFile) checkFamilies() {
	f := e.Families
	if f.Primary == "" {
		if f.PrimaryShare != 0 {
			e.refuse("families.primary_share", RuleFamilies, "there is no primary goal that the share is for", "add primary: and the name of a goal")
		}
		return
	}
	if !slices.Contains(e.Goals, f.Primary) {
		e.refuse("families.primary", RuleFamilies, fmt.Sprintf("the primary goal %s is not one of the goals", f.Primary), suggest(f.Primary, e.Goals))
	}
	if f.OfGoals() != Bonferroni {
		e.refuse("families.goals", RuleFamilies, fmt.Sprintf("%s knows no primary goal", f.OfGoals()), "use bonferroni, or take primary out")
	}
}

package results

import (
	"fmt"
	"math"
	"strings"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// Consent is how an iteration that asks for consent stands in one phase. It counts
// exposures: of those without consent nobody can say whose they are, so their units
// cannot be counted. The numbers of all else are of consenting units.
type Consent struct {
	Phase   uint16       `json:"phase"`
	Require string       `json:"require"` // granted, not_denied
	Arms    []ConsentArm `json:"arms"`
	// Repeats is how often a consenting unit was exposed, on average. The tests take it
	// that others are exposed as often, in a geometric distribution, and look at counts
	// divided by its design effect, 2·Repeats − 1: units repeat, and exposures are not
	// independent. They warn, and are no gate.
	Repeats Number `json:"repeats"`
	// All tests the split of all exposures. The split of consenting units is the
	// phase's SRM, as ever.
	All SRM `json:"srm_all"`
	// Rate tests whether consent is lacking equally often in all arms: what lacks it
	// against the arms' shares of all exposures.
	Rate SRM `json:"srm_rate"`
}

// ConsentArm counts an arm's exposures by what they say of consent.
type ConsentArm struct {
	Variant     string `json:"variant"`
	Granted     int64  `json:"granted"`
	NotRequired int64  `json:"not_required"`
	Unknown     int64  `json:"unknown"`
	Denied      int64  `json:"denied"`
	Counted     int64  `json:"counted"` // that count for their unit
	Share       Number `json:"share"`   // Counted of all; null without any
}

func (a *ConsentArm) all() int64 { return a.Granted + a.NotRequired + a.Unknown + a.Denied }

// Warns tells whether an arm gets too few exposures, or consent depends on the arm.
func (c *Consent) Warns() bool { return c.All.Alarm || c.Rate.Alarm }

// String says what is known, for people.
func (c *Consent) String() string {
	parts := make([]string, len(c.Arms))
	for i, a := range c.Arms {
		parts[i] = fmt.Sprintf("%s %d of %d (%.2f %%)", a.Variant, a.Counted, a.all(), 100*a.Share.Float())
	}
	text := fmt.Sprintf("phase %d is of consenting units: exposures with consent %s", c.Phase, strings.Join(parts, ", "))
	if c.Rate.Alarm {
		text += fmt.Sprintf("; consent depends on the arm (p %.2g): the arms' consenting units are not alike, and a comparison of them is biased", c.Rate.P.Float())
	}
	if c.All.Alarm {
		text += fmt.Sprintf("; the split of all exposures is not as planned (p %.2g)", c.All.P.Float())
	}
	return text
}

// consents counts what exposures say, phase by phase.
func (c *computation) consents() {
	rule := c.e.Consent
	if !rule.Asks() {
		return
	}
	for i := range c.it.Phases {
		p := &c.it.Phases[i]
		out := Consent{Phase: p.Number, Require: string(rule.Require), Arms: make([]ConsentArm, len(c.e.Variants))}
		var counted, units int64
		for v := range c.e.Variants {
			a := &out.Arms[v]
			a.Variant = c.e.Variants[v].Key
			c.said(a, p.Number, rule)
			a.Share = Number(float64(a.Counted) / float64(a.all()))
			counted += a.Counted
			for _, settling := range []bool{false, true} {
				units += c.units(p.Number, settling, a.Variant) + c.counted(ingest.Excluded, p.Number, settling, a.Variant)
			}
		}
		out.Repeats = Number(float64(counted) / float64(units))
		out.test(p)
		c.doc.Consents = append(c.doc.Consents, out)
	}
}

// said adds up what an arm's exposures say of consent.
func (c *computation) said(a *ConsentArm, phase uint16, rule experiment.Consent) {
	for _, cell := range c.rest {
		if cell.Metric != ingest.Consent || cell.Phase != phase || cell.Variant != a.Variant {
			continue
		}
		n := cell.Open.N
		switch cell.Value {
		case experiment.ConsentGranted:
			a.Granted += n
		case experiment.ConsentNotRequired:
			a.NotRequired += n
		case experiment.ConsentDenied:
			a.Denied += n
		default:
			a.Unknown += n
		}
		if rule.Accepts(cell.Value) {
			a.Counted += n
		}
	}
}

// test holds the exposures against the plan, and those without consent against all.
func (c *Consent) test(p *experiment.Phase) {
	effect := 1.0
	if r := c.Repeats.Float(); r > 1 && !math.IsInf(r, 0) {
		effect = 2*r - 1
	}
	all, lacking, shares := make([]int64, len(c.Arms)), make([]int64, len(c.Arms)), make([]float64, len(c.Arms))
	for i := range c.Arms {
		n := c.Arms[i].all()
		all[i] = int64(float64(n) / effect)
		lacking[i] = int64(float64(n-c.Arms[i].Counted) / effect)
		shares[i] = float64(n)
	}
	c.All = sampleRatio(all, p, 1)
	c.Rate = sampleRatio(lacking, &experiment.Phase{Number: p.Number, Shares: shares}, 1)
}

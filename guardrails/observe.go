package guardrails

import (
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// Observe takes from a document what one rule looks at. It needs nothing else,
// so a stored look can be judged again.
func Observe(d *results.Document, r Rule, alarms []Alarm) Observation {
	o := Observation{
		At: d.At, Freshness: d.Freshness, Newest: d.Newest,
		SRMPhases: OpenPhases(alarms), CrossPhases: heldBy(d.CrossoverChecks),
		WrongPhases: heldBy(d.AssignmentChecks),
	}
	for _, t := range d.Troubles {
		reason := StateReason(t.Code)
		switch t.Code {
		case results.NoStatus:
			reason = NoStatus
		case results.Adopting:
			reason = Adopting
		}
		o.Troubles = append(o.Troubles, Trouble{Reason: reason, Detail: t.Detail})
	}
	for _, a := range d.Anomalies {
		if a.Blind && (a.Metric == "" || a.Metric == r.Metric) {
			o.Troubles = append(o.Troubles, Trouble{Reason: Reason(a.Code), Detail: a.Text})
		}
	}
	for _, c := range d.LossChecks {
		if c.Alarm {
			o.Troubles = append(o.Troubles, Trouble{Reason: UnevenLoss, Detail: c.Text})
		}
	}
	arms := newPairSums(d, r)
	for i := range d.Phases {
		p := &d.Phases[i]
		share := phaseShare(p, r)
		open, matured := arms.stratum(p.Number, share, openExact), arms.stratum(p.Number, share, maturedExact)
		o.Open, o.Matured = append(o.Open, open), append(o.Matured, matured)
	}
	if d.Freshness.IsZero() {
		o.Matured = nil // which slots have matured is not known
	}
	o.Over = arms.over
	o.Current = currentUnits(d, r)
	return o
}

// heldBy are the phases in which checks hold the guardrails.
func heldBy[C interface{ Held() (uint16, bool) }](checks []C) []uint16 {
	var phases []uint16
	for _, c := range checks {
		if phase, held := c.Held(); held {
			phases = append(phases, phase)
		}
	}
	return phases
}

// Splits are the sample-ratio tests of the document's phases.
func Splits(d *results.Document) []Split {
	var splits []Split
	for i := range d.Phases {
		s := &d.Phases[i].SRM
		if s.P.Known() {
			splits = append(splits, Split{Phase: d.Phases[i].Number, P: s.P.Float(), Threshold: s.Threshold})
		}
	}
	return splits
}

// phaseShare is the treatment's intended share of the pair.
func phaseShare(p *results.Phase, r Rule) float64 {
	var treatment, control float64
	for _, a := range p.Arms {
		switch a.Variant {
		case r.Arm:
			treatment = a.Share
		case r.Control:
			control = a.Share
		}
	}
	if treatment+control == 0 {
		return 0
	}
	return treatment / (treatment + control)
}

// currentUnits are those of the phase in force at the look, once it has settled.
func currentUnits(d *results.Document, r Rule) PhaseUnits {
	if !d.At.Before(d.EnrolUntil) {
		return PhaseUnits{} // nobody enrols any more
	}
	for i := len(d.Phases) - 1; i >= 0; i-- {
		p := &d.Phases[i]
		if d.At.Before(p.From) {
			continue
		}
		out := PhaseUnits{Phase: p.Number, Share: phaseShare(p, r)}
		for _, a := range p.Arms {
			switch a.Variant {
			case r.Arm:
				out.Treatment = a.Units
			case r.Control:
				out.Control = a.Units
			}
		}
		return out
	}
	return PhaseUnits{}
}

// pairSums are the exact cells of the rule's metric and pair.
type pairSums struct {
	rule  Rule
	cells []*results.CellSums
	over  int64
}

func newPairSums(d *results.Document, r Rule) *pairSums {
	p := &pairSums{rule: r}
	for i := range d.Cells {
		c := &d.Cells[i]
		if c.Metric != r.Metric || c.Dimension != "" || (c.Variant != r.Arm && c.Variant != r.Control) {
			continue
		}
		p.over += c.Open.Over
		if !c.Settling {
			p.cells = append(p.cells, c)
		}
	}
	return p
}

func openExact(c *results.CellSums) *results.Exact    { return &c.Open }
func maturedExact(c *results.CellSums) *results.Exact { return &c.Matured }

func (p *pairSums) stratum(phase uint16, share float64, pick func(*results.CellSums) *results.Exact) Stratum {
	return Stratum{
		Phase: phase, Share: share,
		Treatment: p.moments(phase, p.rule.Arm, pick),
		Control:   p.moments(phase, p.rule.Control, pick),
	}
}

func (p *pairSums) moments(phase uint16, variant string, pick func(*results.CellSums) *results.Exact) stats.Moments {
	var sums results.Sums
	var scale results.Scale
	for _, c := range p.cells {
		if c.Phase == phase && c.Variant == variant {
			sums, scale = sums.Plus(pick(c).Sums()), c.Scale()
		}
	}
	return scale.Moments(sums)
}

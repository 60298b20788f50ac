package planning

import (
	"math"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Given is what the reader says of a metric.
type Given struct {
	Mean float64
	SD   float64 // NaN: not said; binary metrics need none
}

// FromFile makes comparisons from an experiment's newest iteration and the
// reader's numbers. Metrics that he says nothing of are left out.
func FromFile(e *experiment.Experiment, given map[string]Given, perDay float64) []Comparison {
	it := e.Latest()
	if it == nil {
		return nil
	}
	var out []Comparison
	each(e, it, func(m *experiment.Metric, c Comparison) {
		g, ok := given[m.Name]
		if !ok {
			return
		}
		c.Mean, c.SD, c.PerDay, c.Basis = g.Mean, g.SD, c.PerDay*perDay, "given"
		out = append(out, c)
	})
	return out
}

// FromLook makes comparisons from a look at an iteration: its matured moments, or
// the open ones while nothing has matured. Quantiles come from the document's last
// slow look, if it has one.
func FromLook(e *experiment.Experiment, it *experiment.Iteration, d *results.Document, perDay float64) []Comparison {
	var out []Comparison
	each(e.AsOf(it), it, func(_ *experiment.Metric, c Comparison) {
		estimate, basis := seen(d, c.Metric, c.Arm)
		if estimate == nil {
			return
		}
		c.Basis, c.Mean, c.SD = basis, estimate.Control.Mean.Float(), unitSD(estimate)
		c.Units = unitsOf(d, c.Arm)
		if c.PerDay *= perDay; perDay == 0 {
			c.PerDay = rate(d, c.Arm)
		}
		out = append(out, c)
	})
	return out
}

// seen is the estimate that says most of a metric's variance, and of what it is; nil
// when the document has none.
func seen(d *results.Document, metric, arm string) (estimate *results.Estimate, basis string) {
	const open, matured = "units so far, some windows still open", "matured units"
	for i := range d.Comparisons {
		if c := &d.Comparisons[i]; c.Metric == metric && c.Arm == arm {
			if c.Matured.Absolute.StdError.Known() {
				return &c.Matured, matured
			}
			return &c.Open, open
		}
	}
	if d.Slow == nil {
		return nil, ""
	}
	for i := range d.Slow.Comparisons {
		if c := &d.Slow.Comparisons[i]; c.Metric == metric && c.Arm == arm && c.Covariate == "" {
			if c.Matured {
				return &c.Estimate, "stored events, " + matured
			}
			return &c.Estimate, "stored events, " + open
		}
	}
	return nil, ""
}

// unitsOf are the units of the pair so far; those of settling phases are not judged.
func unitsOf(d *results.Document, arm string) int64 {
	var n int64
	for i := range d.Phases {
		for _, a := range d.Phases[i].Arms {
			if a.Variant == arm || a.Variant == d.Control {
				n += a.Left
			}
		}
	}
	return n
}

// each calls f for every metric and every arm but the control. PerDay is the part of
// all new units that the pair gets in the newest phase.
func each(e *experiment.Experiment, it *experiment.Iteration, f func(m *experiment.Metric, c Comparison)) {
	for i := range it.Metrics {
		m := &it.Metrics[i]
		for arm := range e.Variants {
			if e.Variants[arm].Key == e.Control {
				continue
			}
			kind := string(m.Kind)
			if m.Cap != nil && m.Cap.At != "" {
				kind += ", capped at " + m.Cap.At
			}
			f(m, Comparison{
				Metric: m.Name, Arm: e.Variants[arm].Key, Kind: kind, Binary: m.Kind.Binary(),
				Share: results.PlannedShare(e, it, arm), Alpha: e.Alpha, Plan: float64(e.PlannedUnits),
				Window: e.WindowOf(m).Std().Hours() / 24, PerDay: pairPart(e, it, arm),
			})
		}
	}
}

// unitSD is the deviation of one unit for which two arms of equal variance have
// the standard error seen: se·√(n_T·n_C/(n_T+n_C)).
func unitSD(e *results.Estimate) float64 {
	nT, nC := float64(e.Treatment.Units), float64(e.Control.Units)
	if !e.Absolute.StdError.Known() || nT <= 0 || nC <= 0 {
		return math.NaN()
	}
	return e.Absolute.StdError.Float() * math.Sqrt(nT/(nT+nC)*nC)
}

// rate is how many units of the arm and the control came in a day, in the last
// phase that has any; 0 when that cannot be said.
func rate(d *results.Document, arm string) float64 {
	for i := len(d.Phases) - 1; i >= 0; i-- {
		p, until := &d.Phases[i], d.At
		for _, end := range []time.Time{d.Freshness, d.Newest, d.EnrolUntil, d.End} {
			if !end.IsZero() && end.Before(until) {
				until = end
			}
		}
		if i+1 < len(d.Phases) && d.Phases[i+1].From.Before(until) {
			until = d.Phases[i+1].From
		}
		units := 0.0
		for _, a := range append(p.Arms[:len(p.Arms):len(p.Arms)], p.Settling...) {
			if a.Variant == arm || a.Variant == d.Control {
				units += float64(a.Units)
			}
		}
		if days := until.Sub(p.From).Hours() / 24; units > 0 && days > 0 {
			return units / days
		}
	}
	return 0
}

// pairPart is the part of the traffic that an arm and the control get together.
func pairPart(e *experiment.Experiment, it *experiment.Iteration, arm int) float64 {
	if len(it.Phases) == 0 {
		return 0
	}
	shares, control := it.Phases[len(it.Phases)-1].Shares, e.VariantIndex(e.Control)
	if control < 0 || max(arm, control) >= len(shares) {
		return 0
	}
	return shares[arm] + shares[control]
}

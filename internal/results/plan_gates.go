package results

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// What the gates ask for beside stats.GateEvents.
const (
	gateUnits       = 30   // in each arm, for any mean
	gateRatioUnits  = 200  // in each arm, for a ratio: its denominator is a mean as well
	gateSmallCounts = 100  // units with and without an event in each arm, for Welch to be as good as the score interval
	rareShare       = 0.01 // below it events are rare
)

func met(code, format string, args ...any) Condition {
	return Condition{Code: code, State: Met, Text: fmt.Sprintf(format, args...), Have: Number(math.NaN()), Need: Number(math.NaN())}
}

func notMet(code, format string, args ...any) Condition {
	c := met(code, format, args...)
	c.State = NotMet
	return c
}

func assumed(code, text string) Condition {
	c := met(code, "%s", text)
	c.State = Assumed
	return c
}

// counted is a gate that asks for a number. units are those of both arms that have
// given what there is; with a rate so far it is known when the gate opens.
func counted(code string, have, need float64, of string, units int64, format string, args ...any) Condition {
	c := met(code, format, args...)
	c.Have, c.Need, c.Of = Number(have), Number(need), of
	if have >= need {
		return c
	}
	c.State = NotMet
	if have > 0 && units > 0 {
		c.Lift = int64(math.Ceil(float64(units) * need / have))
	}
	return c
}

func (q question) units() int64 { return q.pair.Treatment.N + q.pair.Control.N }

// intervalGates are those of a metric that is computed from moments.
func (q question) intervalGates() []Condition {
	out := []Condition{q.arms()}
	if q.m.Kind == experiment.Ratio {
		out[0] = q.ratioUnits()
	}
	out = append(out, q.events(q.pair, q.share), q.spread(), q.baseline())
	if q.m.Kind.Binary() {
		out = append(out, q.counts(), q.rare())
	}
	if q.goal {
		out = append(out, q.windows())
	}
	out = append(out, q.left()...)
	return append(out, q.design()...)
}

// arms wants enough units for a mean to be normal and its variance to be known.
func (q question) arms() Condition {
	n := float64(min(q.pair.Treatment.N, q.pair.Control.N))
	c := counted("units", n, gateUnits, "units in the smaller arm", q.units(),
		"a mean of at least %d units in each arm is close to normal", gateUnits)
	return q.fromShare(c)
}

func (q question) ratioUnits() Condition {
	n := float64(min(q.pair.Treatment.N, q.pair.Control.N))
	c := counted("ratio_units", n, gateRatioUnits, "units in the smaller arm", q.units(),
		"the denominator is a mean as well: the delta method wants at least %d units in each arm", gateRatioUnits)
	return q.fromShare(c)
}

// fromShare says of a gate in units when it opens by the plan alone.
func (q question) fromShare(c Condition) Condition {
	if c.State == NotMet && c.Lift == 0 && q.share > 0 {
		c.Lift = int64(math.Ceil(c.Need.Float() / q.share))
	}
	return c
}

// events is the event gate: the law's one for decisions.
func (q question) events(p stats.Pair, share float64) Condition {
	g := p.Gate(share, q.m.Kind.Binary())
	return counted("events", g.Have, g.Need, "units with an event that the smaller arm expects", p.Treatment.N+p.Control.N,
		"at every look the normal approximation errs while events are few and arms unequal; no decision counts before")
}

// spread wants units that differ.
func (q question) spread() Condition {
	if q.pair.Treatment.Error2+q.pair.Control.Error2 > 0 {
		return met("spread", "units differ, so there is a standard error")
	}
	return notMet("spread", "no two units of an arm differ yet: there is no standard error and no interval")
}

// baseline wants a control mean that is told from zero, or no lift is bounded.
func (q question) baseline() Condition {
	const text = "the control's mean must be told from zero for a lift to be bounded; until then read the difference"
	c := q.pair.Control
	if c.N == 0 || !(c.Error2 > 0) {
		return notMet("baseline", text)
	}
	critical := q.pair.Sequential(q.tuning()).Critical
	out := counted("baseline", math.Abs(c.Mean)/math.Sqrt(c.Error2), critical, "standard errors from zero", 0, text)
	if out.State == NotMet && c.Mean != 0 {
		out.Lift = q.unitsUntil(out.Have.Float())
	}
	return out
}

// unitsUntil is the number of units at which a mean that is so many standard errors
// from zero now is as many as the critical value then asks for: the one grows with the
// root of n, the other falls. 0 beyond a thousand million times the units there are.
func (q question) unitsUntil(errors float64) int64 {
	reached := func(times float64) bool {
		later := q.pair
		later.Weight *= times
		return errors*math.Sqrt(times) >= later.Sequential(q.tuning()).Critical
	}
	const most = 1e9
	if !reached(most) {
		return 0
	}
	low, high := 0.0, math.Log(most)
	for range 60 {
		if middle := (low + high) / 2; reached(math.Exp(middle)) {
			high = middle
		} else {
			low = middle
		}
	}
	return int64(math.Ceil(float64(q.units()) * math.Exp(high)))
}

func (q question) tuning() stats.Plan {
	arm := q.c.e.VariantIndex(q.arm)
	return stats.Plan{PlannedUnits: float64(q.c.e.PlannedUnits), TreatmentShare: PlannedShare(q.c.e, q.c.it, arm), Alpha: q.c.e.Alpha, Strict: q.unequal}
}

// counts wants enough of the rarer outcome in each arm for Welch.
func (q question) counts() Condition {
	t, c := q.pair.Treatment, q.pair.Control
	least := min(t.NonZero, t.N-t.NonZero, c.NonZero, c.N-c.NonZero)
	return counted("small_counts", float64(least), gateSmallCounts, "units of the rarest outcome in an arm", q.units(),
		"with fewer than %d units of the rarer outcome in an arm Welch's interval for one look is rough: the score interval (Miettinen–Nurminen) is better, and shown beside it for one phase as small_counts", gateSmallCounts)
}

// rare says where a test of events alone would be the better one.
func (q question) rare() Condition {
	const text = "where fewer than 1 % of units have an event, a test of the events alone stands on firmer ground: it is shown beside the interval as first_events"
	if q.units() == 0 {
		return assumed("rare", text)
	}
	rate := float64(q.pair.Treatment.NonZero+q.pair.Control.NonZero) / float64(q.units())
	out := met("rare", "%s", text)
	out.Have, out.Need, out.Of = Number(rate), rareShare, "share of units with an event"
	if rate < rareShare {
		out.State = NotMet
	}
	return out
}

// windows wants units whose outcomes are complete: goals are decided by them.
func (q question) windows() Condition {
	window := q.c.e.WindowOf(q.m)
	have := float64(min(q.matured.Treatment.N, q.matured.Control.N))
	c := counted("windows", have, 2, "units in the smaller arm with a complete window", 0,
		"goals are decided by units whose window of %s has passed: %d of %d so far", window,
		q.matured.Treatment.N+q.matured.Control.N, q.open.Treatment.N+q.open.Control.N)
	if c.State == NotMet {
		c.Text += fmt.Sprintf(", the first at %s", q.c.it.Start.Add(window.Std()).UTC().Format("2006-01-02 15:04 UTC"))
	}
	return c
}

// left names phases that take no part, and totals that are no numbers.
func (q question) left() []Condition {
	var out []Condition
	for _, phase := range q.pair.LeftOut {
		if q.units() > 0 {
			out = append(out, notMet("phase", "phase %s has fewer than 2 units in an arm, or nothing to divide by, and is left out", phase))
		}
	}
	if n := q.c.over(q.m.Name, q.arm); n > 0 {
		out = append(out, notMet("overflow", "%d units' totals are too large for exact sums: no number is shown, and more units do not change that", n))
	}
	return out
}

// design are the conditions that the file decides, not the data.
func (q question) design() []Condition {
	out := []Condition{met("planned_units", "the interval for every look is narrowest at %d units, fixed before the data", q.c.e.PlannedUnits)}
	if q.c.e.PlannedUnits == 0 {
		out[0] = notMet("planned_units", "the file names no planned_units: the interval for every look is narrowest at %d", stats.DefaultPlannedUnits)
	}
	if q.unequal {
		out = append(out, notMet("shares", "the smaller arm's share of the pair is below 40 %%: skewness does not cancel, and the larger of two standard errors is used"))
	} else {
		out = append(out, met("shares", "the arms' shares are near enough for skewness to cancel"))
	}
	switch {
	case q.m.CapOpen():
		out = append(out, notMet("cap", "the cap is no number yet (assay apply --cap %s): totals are not cut, and a guardrail may not kill", q.m.Name))
	case q.m.Cap == nil && (q.m.Kind == experiment.Mean || q.m.Kind == experiment.Sum):
		out = append(out, assumed("tail", "no cap: a few huge totals must not decide the variance"))
	}
	return append(out, assumed("independence", "units are independent of one another: what one is shown does not change what another does"))
}

// guardrailGates are those of a rule: harm is judged by open results.
func (q question) guardrailGates(g *experiment.Guardrail) []Condition {
	out := q.ruleEvents(g)
	if g.MinUnits > 0 {
		out = append(out, q.fromShare(counted("min_units", float64(min(q.open.Treatment.N, q.open.Control.N)), float64(g.MinUnits),
			"units in the smaller arm", q.open.Treatment.N+q.open.Control.N, "the file asks for min_units: %d", g.MinUnits)))
	}
	if until := q.c.it.Start.Add(g.WarmUp.Std()); g.WarmUp > 0 {
		out = append(out, met("warm_up", "the warm-up ended at %s", until.UTC().Format("2006-01-02 15:04 UTC")))
		if q.c.doc.At.Before(until) {
			out[len(out)-1] = notMet("warm_up", "no verdict before %s", until.UTC().Format("2006-01-02 15:04 UTC"))
		}
	}
	if c, limited := q.limit(g); limited {
		out = append(out, c)
	}
	if g.MethodOf() == experiment.ByCount {
		return append(out, assumed("rates", "the arms' rates of first events keep one ratio; how the rates themselves drift, and how many outcomes are still to come, does not matter"))
	}
	matured, open := q.matured.Treatment.N+q.matured.Control.N, q.open.Treatment.N+q.open.Control.N
	half := counted("matured_half", float64(matured), float64(open)/2, "units with a complete window", 0,
		"while fewer than half of the units have a complete window, information grows faster than units, and harm must pass a floor as well")
	if open == 0 {
		half.State = NotMet
	}
	out = append(out, half)
	return append(out, assumed("open", "harm is judged by the mean so far of the units so far: that this errs no more often than it may is shown by simulation, not by a theorem"))
}

// ruleEvents is the event gate of a rule: its method's own, or more if the file asks.
func (q question) ruleEvents(g *experiment.Guardrail) []Condition {
	if g.MethodOf() == experiment.ByMean {
		c := q.events(q.open, q.openShare)
		if float64(g.MinEvents) > c.Need.Float() {
			return []Condition{q.minEvents(g, c.Have.Float())}
		}
		return []Condition{c}
	}
	if g.MinEvents == 0 {
		return []Condition{met("events", "the count test is exact at any number of events")}
	}
	return []Condition{q.minEvents(g, q.open.Gate(q.openShare, true).Have)}
}

func (q question) minEvents(g *experiment.Guardrail, have float64) Condition {
	return counted("min_events", have, float64(g.MinEvents), "units with an event that the smaller arm expects",
		q.open.Treatment.N+q.open.Control.N, "the file asks for min_events: %d", g.MinEvents)
}

// limit says why a rule that is to kill may only notify.
func (q question) limit(g *experiment.Guardrail) (Condition, bool) {
	if g.Mode != experiment.Kill {
		return Condition{}, false
	}
	if why := OnlyNotifies(q.c.it.LimitOf(g)); why != "" {
		return notMet("may_kill", "%s", why), true
	}
	return met("may_kill", "it may kill, with %.4g of the budget of false kills", q.c.it.AlphaKill/float64(max(q.c.it.KillRules, 1))), true
}

// OnlyNotifies says in words why a guardrail may at most notify; "" when nothing limits it.
func OnlyNotifies(l experiment.Limit) string {
	switch l {
	case experiment.LimitRetrospective:
		return "it only notifies: the iteration began before it was applied"
	case experiment.LimitNotRearmed:
		return "it only notifies: the iteration was resumed without a new budget"
	case experiment.LimitNeverKill:
		return "it only notifies: the file says action: alert"
	case experiment.LimitAddedLater:
		return "it only notifies: it was added after the iteration's start and has no part of its budget"
	case experiment.LimitOpenCap:
		return "it only notifies until the cap is a number"
	}
	return ""
}

// slowGates are those of what is computed from stored events.
func (q question) slowGates(method string) []Condition {
	var c *SlowComparison
	if q.c.doc.Slow != nil {
		i := slices.IndexFunc(q.c.doc.Slow.Comparisons, func(s SlowComparison) bool { return s.Metric == q.m.Name && s.Arm == q.arm })
		if i >= 0 {
			c = &q.c.doc.Slow.Comparisons[i]
		}
	}
	var out []Condition
	if c == nil {
		out = append(out, notMet("computed", "it was not computed from the stored events yet: assay analyze --slow does it at once"))
	} else {
		out = append(out, met("computed", "computed at %s from the stored events", q.c.doc.Slow.At.UTC().Format("2006-01-02 15:04 UTC")))
	}
	if method == MethodQuantile {
		return append(out, q.quantileGates(c)...)
	}
	return append(out, q.covariateGates(SlowMetric{Metric: q.m, Covariate: cmp.Or(q.m.Covariate, q.c.e.Covariate)}, c)...)
}

func (q question) quantileGates(c *SlowComparison) []Condition {
	odds := q.m.Quantile / (1 - q.m.Quantile)
	need := QuantileZ * QuantileZ * math.Max(odds, 1/odds)
	const text = "both order statistics of the interval must exist in each arm"
	events := notMet("quantile_events", text)
	events.Need, events.Of = Number(math.Floor(need)+1), "events in the smaller arm"
	if c != nil {
		units := c.Estimate.Treatment.Units + c.Estimate.Control.Units
		events = counted("quantile_events", float64(c.Events), math.Floor(need)+1, events.Of, units, text)
	}
	return append([]Condition{events}, append(q.design(),
		assumed("smooth", "the interval for every look is asymptotic, and not proved for events whose window is open"))...)
}

// planSplit is that of a phase's sample-ratio test.
func planSplit(p *Phase) Plan {
	out := Plan{For: PlanSplit, Phase: p.Number, Method: MethodSRM,
		Why: "a split is looked at all the time: the Bayes factor against the intended shares holds at every look, χ² beside it for one look only"}
	least, total := 1.0, int64(0)
	for _, a := range p.Arms {
		n := a.Units + a.Excluded
		if a.Share > 0 {
			least, total = math.Min(least, a.Share), total+n
		} else if n > 0 {
			out.Gates = append(out.Gates, notMet("unplanned_arm", "%d units were seen in %s, whose share is 0: they take no part", n, a.Variant))
		}
	}
	chi := counted("expected", float64(total)*least, 5, "units that the smallest arm expects", total, "χ² wants five expected units in each arm; the Bayes factor is exact at any number")
	if chi.State == NotMet && chi.Lift == 0 {
		chi.Lift = int64(math.Ceil(5 / least))
	}
	split := met("split", "the units arrive as intended (p = %.3g, alarm below %.3g)", p.SRM.P.Float(), p.SRM.Threshold)
	alarm := p.SRM.Alarm
	if p.Alarm != nil {
		alarm = p.Alarm.Acknowledged.IsZero()
	}
	if alarm {
		split = notMet("split", "the arms are not comparable (p = %.3g, alarm below %.3g): find out why before reading any effect; more units do not mend it", p.SRM.P.Float(), p.SRM.Threshold)
	}
	out.Gates = append(out.Gates, split, chi)
	return out
}

package results

import (
	"math"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats/design"
)

// Dated are the goals as the dated looks of the experiment's file judge them: a
// group-sequential test each, of matured units.
type Dated struct {
	Design       string      `json:"design"`
	Gamma        float64     `json:"gamma,omitempty"`
	PlannedUnits int64       `json:"planned_units"` // information 1
	Dates        []time.Time `json:"dates"`
	Next         time.Time   `json:"next,omitzero"` // the first date that has not passed
	Goals        []DatedGoal `json:"goals"`
}

// DatedGoal is one goal in one arm. Estimate, interval and p are those of stopping
// (stage-wise order; the estimate is median unbiased), null before.
type DatedGoal struct {
	Metric    string      `json:"metric"`
	Arm       string      `json:"arm"`
	Kind      string      `json:"kind"`
	Unit      string      `json:"unit,omitempty"`
	Direction string      `json:"direction"`
	Alpha     float64     `json:"alpha"` // its part of the experiment's, two-sided
	Verdict   string      `json:"verdict"`
	StoppedAt int         `json:"stopped_at,omitempty"` // number of the look that crossed, or of the last
	Estimate  Number      `json:"estimate"`
	Interval  Interval    `json:"interval"`
	P         Number      `json:"p"`
	Looks     []DatedLook `json:"looks"`
}

// DatedLook is one look at one goal.
type DatedLook struct {
	Number   int       `json:"number"` // from 1, by date
	At       time.Time `json:"at"`
	Units    int64     `json:"units"`       // matured, both arms
	Fraction Number    `json:"information"` // of the planned units
	Estimate Number    `json:"estimate"`
	Z        Number    `json:"z"`
	Boundary Number    `json:"boundary"` // of |z|; null: nothing may be spent yet
	Spent    Number    `json:"alpha_spent"`
	Interval Interval  `json:"interval"` // repeated: valid at all looks together
	Verdict  string    `json:"verdict"`
}

// What a dated look, or a goal after them, says.
const (
	DatedWaiting  = "waiting"      // no look yet: nothing is decided
	DatedContinue = "continue"     // not crossed, looks are left
	DatedCrossed  = "crossed"      // an effect is shown
	DatedFinal    = "final"        // the last look, not crossed: no effect is shown
	DatedNotTaken = "not_taken"    // too few events, or nothing new: alpha is kept for later
	DatedOver     = "already_over" // the goal was decided before
)

// JudgeDates judges the goals of an iteration at its dated looks. past are the
// documents of the dates that have passed, in their order, each as the ledger stood
// at its date. It is nil without dated looks.
//
// At look k the information is the matured units of the pair over the planned ones;
// the boundary is what the design's spending function leaves to a look there, given
// the looks before (Lan & DeMets 1983), and |z| ≥ boundary shows an effect. The look
// that reaches the planned units, or else the last date, spends all that is left. A
// look without enough events for the normal approximation, or without new units, is
// not taken. Goals × arms share alpha by Bonferroni's parts whatever the family's
// correction, so looks cost no agreement between goals.
func JudgeDates(e *experiment.Experiment, number uint32, past []*Document, now time.Time) *Dated {
	it := findIteration(e, number)
	if it == nil {
		return nil
	}
	dates := e.DatesOf(it)
	if len(dates) == 0 {
		return nil
	}
	e = e.AsOf(it)
	out := &Dated{Design: string(e.Looks.Design), Gamma: e.Looks.Gamma, PlannedUnits: e.PlannedUnits, Dates: dates, Goals: []DatedGoal{}}
	if i := slices.IndexFunc(dates, func(d time.Time) bool { return d.After(now) }); i >= 0 {
		out.Next = dates[i]
	}
	b := bounds{spending: spendingOf(e.Looks), known: map[string]design.Design{}}
	for _, goal := range e.Goals {
		m := it.Metric(goal)
		if m == nil || !m.Kind.Fast() {
			continue // a quantile has no moments to look back at
		}
		for _, v := range e.Variants {
			if v.Key != e.Control {
				g := DatedGoal{Metric: goal, Arm: v.Key, Kind: string(m.Kind), Unit: m.Unit, Direction: string(m.Direction), Alpha: e.Alpha,
					Verdict: DatedWaiting, Estimate: unknown(), Interval: Interval{unknown(), unknown()}, P: unknown(), Looks: []DatedLook{}}
				if f := goalsOf(e); f != nil {
					g.Alpha *= f.weights[goal]
				}
				g.judge(out, past, &b)
				g.adjust(&b)
				out.Goals = append(out.Goals, g)
			}
		}
	}
	return out
}

func unknown() Number { return Number(math.NaN()) }

func spendingOf(l experiment.Looks) design.Spending {
	switch l.Design {
	case experiment.Pocock:
		return design.Pocock()
	case experiment.PowerSpending:
		return design.PowerFamily(l.Gamma)
	case experiment.HwangShihDeCani:
		return design.HwangShihDeCani(l.Gamma)
	default:
		return design.OBrienFleming()
	}
}

// judge takes the looks one after the other.
func (g *DatedGoal) judge(d *Dated, past []*Document, b *bounds) {
	var times []float64 // of the looks taken
	for i, doc := range past {
		last := i == len(d.Dates)-1
		l := DatedLook{Number: i + 1, At: d.Dates[i], Fraction: unknown(), Estimate: unknown(), Z: unknown(), Boundary: unknown(),
			Spent: unknown(), Interval: Interval{unknown(), unknown()}, Verdict: DatedNotTaken}
		c := findComparison(doc, g.Metric, g.Arm)
		stdError, taken := l.read(c, d.PlannedUnits, times)
		switch {
		case g.StoppedAt > 0:
			l.Verdict = DatedOver
		case taken:
			times = append(times, l.Fraction.Float())
			g.take(&l, stdError, times, last || l.Fraction >= 1, b)
		case last:
			g.Verdict, g.StoppedAt = DatedFinal, l.Number
		default:
			g.Verdict = DatedContinue
		}
		g.Looks = append(g.Looks, l)
	}
}

// read puts what was seen into the look and gives the standard error and whether the
// look can be taken.
func (l *DatedLook) read(c *Comparison, planned int64, times []float64) (stdError float64, taken bool) {
	if c == nil {
		return 0, false
	}
	e := &c.Matured
	l.Units = e.Treatment.Units + e.Control.Units
	l.Fraction, l.Estimate = Number(float64(l.Units)/float64(planned)), e.Absolute.Estimate
	stdError = e.Absolute.StdError.Float()
	l.Z = Number(e.Absolute.Estimate.Float() / stdError)
	before := 0.0
	if len(times) > 0 {
		before = times[len(times)-1]
	}
	return stdError, l.Z.Known() && l.Fraction.Float() > before && c.Gate != nil && c.Gate.Passes
}

// take holds z against the boundary of the looks so far.
func (g *DatedGoal) take(l *DatedLook, stdError float64, times []float64, final bool, b *bounds) {
	k := len(times) - 1
	d, ok := b.at(g.Alpha, times, final)
	if !ok {
		return
	}
	l.Boundary, l.Spent = Number(d.Z[k]), Number(d.Spent[k])
	estimate := l.Estimate.Float()
	l.Interval = Interval{Number(estimate - d.Z[k]*stdError), Number(estimate + d.Z[k]*stdError)}
	switch {
	case math.Abs(l.Z.Float()) >= d.Z[k]:
		l.Verdict = DatedCrossed
	case final:
		l.Verdict = DatedFinal
	default:
		l.Verdict = DatedContinue
	}
	g.Verdict = l.Verdict
	if l.Verdict != DatedContinue {
		g.StoppedAt = l.Number
	}
}

// adjust reads estimate, interval and p off the looks at which the test stopped, if
// it did at one that was taken.
func (g *DatedGoal) adjust(b *bounds) {
	if g.StoppedAt == 0 || g.Looks[g.StoppedAt-1].Verdict == DatedNotTaken {
		return
	}
	var times []float64
	for _, l := range g.Looks[:g.StoppedAt] {
		if l.Verdict != DatedNotTaken {
			times = append(times, l.Fraction.Float())
		}
	}
	l, k := &g.Looks[g.StoppedAt-1], len(times)-1
	d, ok := b.at(g.Alpha, times, l.Spent.Float() >= g.Alpha)
	if !ok {
		return
	}
	// A drift is the expected z at information 1, hence an effect over √t·SE.
	stdError := (l.Interval.High.Float() - l.Interval.Low.Float()) / 2 / l.Boundary.Float()
	stopped, unit := d.Stop(k, l.Z.Float()), stdError*math.Sqrt(times[k])
	g.P, g.Estimate = Number(stopped.P), Number(stopped.Estimate*unit)
	g.Interval = Interval{Number(stopped.Low * unit), Number(stopped.High * unit)}
}

func findComparison(d *Document, metric, arm string) *Comparison {
	if d == nil {
		return nil
	}
	for i := range d.Comparisons {
		if c := &d.Comparisons[i]; c.Metric == metric && c.Arm == arm && c.Overflow == 0 {
			return c
		}
	}
	return nil
}

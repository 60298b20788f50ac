package guardrails_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// world is a simulated experiment whose outcomes are still arriving when it is
// judged. It is judged as the guard does it: cells, document, observation, step.
type world struct {
	name     string
	measures []measure
	units    int
	enrol    time.Duration // units enter evenly within it; a minute: all at once
	window   time.Duration
	planned  int64     // N*; 0: units
	shares   []float64 // of the treatment, per phase; phases divide enrol evenly
	rate     float64   // of units with an event
	trend    float64   // the rate grows to rate·(1+trend) for the last unit
	more     float64   // further events of a unit that has one, on average
	delay    delay
	value    func(*rand.Rand) float64
	// kind of unit, nil: all alike. level multiplies all its values, activity the
	// number of its further events: a unit's events are then correlated, and its
	// totals with their number.
	kind  func(*rand.Rand) (level, activity float64)
	drift float64 // values grow to value·(1+drift) at the end of the window
	// factor is the treatment's rate over the control's. Timing and values are
	// the same in both arms, so that at every age each metric's mean so far has
	// the same ratio: the harm is exactly at a relative margin.
	factor float64
	// scale is the treatment's values over the control's.
	scale  float64
	margin float64
	method experiment.Method
	// pace above 1 crowds the looks towards the beginning, below 1 towards the end:
	// look i of n at length·(i/n)^pace.
	pace float64
}

// delay draws how long after its first exposure a unit's event comes.
type delay func(r *rand.Rand, window time.Duration) time.Duration

// waning events come soon, with an exponential tail; those beyond the window are lost.
func waning(r *rand.Rand, window time.Duration) time.Duration {
	return time.Duration(r.ExpFloat64() / 3 * float64(window))
}

// steady events come evenly over the window.
func steady(r *rand.Rand, window time.Duration) time.Duration {
	return time.Duration(r.Float64() * float64(window))
}

// late events come in the last tenth of the window.
func late(r *rand.Rand, window time.Duration) time.Duration {
	return window - time.Duration(r.Float64()*float64(window)/10) - 1
}

// correlated units differ, and those with more events have greater ones.
func correlated(r *rand.Rand) (level, activity float64) {
	a, b := r.NormFloat64(), r.NormFloat64()
	return math.Exp(.5 * a), math.Exp(.4*a + .4*b)
}

func lognormal(r *rand.Rand) float64 { return math.Exp(1.5 * r.NormFloat64()) }

func gaussian(r *rand.Rand) float64 { return 10 + 3*r.NormFloat64() }

const looksPerWorld = 120

func simDirections() []experiment.Direction {
	return []experiment.Direction{experiment.Increase, experiment.Decrease}
}

const alphaEach = 0.05 // of the budget, for each rule

// atMargin names the metrics whose true harm is exactly the margin: those without
// an effect where there is no margin, else those for which the effect is harm.
func (w world) atMargin() []string {
	var names []string
	for _, m := range w.measures {
		effect := m.effect(w)
		if effect == 0 || (effect == 1) != (w.margin == 0) {
			continue
		}
		for _, direction := range simDirections() {
			if effect == 1 || (effect > 1) == (direction == experiment.Decrease) {
				names = append(names, m.name+" "+string(direction))
			}
		}
	}
	return names
}

// version is the configuration of the world.
func (w world) version() *experiment.Version {
	start := begin()
	it := experiment.Iteration{
		Number: 1, Start: start, EnrolUntil: start.Add(w.enrol), End: start.Add(w.enrol + w.window + 2*time.Minute + experiment.SlotOf(experiment.Duration(w.window))),
	}
	for i, share := range w.shares {
		it.Phases = append(it.Phases, experiment.Phase{
			Number: uint16(i + 1), From: start.Add(w.enrol / time.Duration(len(w.shares)) * time.Duration(i)),
			Shares: []float64{1 - share, share}, Traffic: 1,
		})
	}
	e := experiment.Experiment{
		Key: "world", UnitKind: "user", Control: "control", Window: experiment.Duration(w.window),
		Variants: []experiment.Variant{{Key: "control", Share: .5}, {Key: "treatment", Share: .5}},
		Alpha:    .05, PlannedUnits: cmp.Or(w.planned, int64(w.units)),
	}
	for _, m := range w.measures {
		for _, direction := range simDirections() {
			name, metric := m.name+" "+string(direction), m.metric
			metric.Name, metric.Direction = name, direction
			it.Metrics = append(it.Metrics, metric)
			it.KillGuardrails = append(it.KillGuardrails, name)
			e.Guardrails = append(e.Guardrails, experiment.Guardrail{
				Metric: name, Mode: experiment.Kill, Margin: w.margin, Relative: w.margin > 0, Method: w.method})
		}
	}
	it.KillRules = len(it.KillGuardrails)
	it.AlphaKill = alphaEach * float64(it.KillRules)
	e.AlphaKill = it.AlphaKill
	e.Iterations = []experiment.Iteration{it}
	return &experiment.Version{Number: 1, Experiments: []experiment.Experiment{e}}
}

// unit is one unit as it is so far.
type unit struct {
	entry time.Duration
	phase int
	arm   int      // 0 control, 1 treatment
	has   []totals // by measure
}

type event struct {
	at    time.Duration
	since time.Duration // the unit's entry
	unit  int
	value int64 // hundredths
}

// draw makes the units in the order of entry and the events in the order of time.
func (w world) draw(r *rand.Rand) ([]unit, []event) {
	units := make([]unit, w.units)
	var events []event
	for i := range units {
		units[i].entry = time.Duration(r.Float64() * float64(w.enrol))
	}
	slices.SortFunc(units, func(a, b unit) int { return cmp.Compare(a.entry, b.entry) })
	has := make([]totals, w.units*len(w.measures))
	for i := range units {
		u := &units[i]
		u.has, has = has[:len(w.measures)], has[len(w.measures):]
		u.phase = int(u.entry * time.Duration(len(w.shares)) / w.enrol)
		rate, scale := w.rate*(1+w.trend*float64(i)/float64(w.units)), 1.0
		if r.Float64() < w.shares[u.phase] {
			u.arm, rate, scale = 1, rate*w.factor, w.scale
		}
		if r.Float64() < rate {
			events = w.outcomes(r, events, i, u.entry, scale)
		}
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return units, events
}

// outcomes appends the events of one unit that has any.
func (w world) outcomes(r *rand.Rand, events []event, unit int, entry time.Duration, scale float64) []event {
	level, activity := 1.0, 1.0
	if w.kind != nil {
		level, activity = w.kind(r)
	}
	for more := w.more * activity; ; {
		if d := w.delay(r, w.window); d < w.window {
			aged := 1 + w.drift*float64(d)/float64(w.window)
			events = append(events, event{entry + d, d, unit, int64(math.Round(100 * scale * level * aged * w.value(r)))})
		}
		if r.Float64() >= more/(1+more) {
			return events
		}
	}
}

// tally is what the ledger would hold: the open and the matured sums of each
// measure, phase and arm.
type tally struct {
	measures      []measure
	open, matured [][][2]sums
}

func newTally(w world) tally {
	t := tally{measures: w.measures}
	for range w.measures {
		t.open = append(t.open, make([][2]sums, len(w.shares)))
		t.matured = append(t.matured, make([][2]sums, len(w.shares)))
	}
	return t
}

// enter counts a unit without events.
func (t *tally) enter(u *unit) {
	for k := range t.measures {
		t.open[k][u.phase][u.arm].n++
	}
}

// happen counts one event.
func (t *tally) happen(u *unit, e event) {
	for k, m := range t.measures {
		is := m.count(u.has[k], e.since, e.value)
		t.open[k][u.phase][u.arm].add(m.metric.Kind == experiment.Ratio, u.has[k], is)
		u.has[k] = is
	}
}

// mature counts a unit whose window has passed for the measure.
func (t *tally) mature(k int, u *unit) {
	s := &t.matured[k][u.phase][u.arm]
	s.n++
	s.add(t.measures[k].metric.Kind == experiment.Ratio, totals{}, u.has[k])
}

// cells are the rows that the look's query would return.
func (t *tally) cells(at time.Time) []results.Cell {
	var cells []results.Cell
	for phase := range t.open[0] {
		for arm, variant := range []string{"control", "treatment"} {
			cell := results.Cell{Experiment: "world", Iteration: 1, Phase: uint16(phase + 1), Variant: variant, Newest: at}
			cell.Metric, cell.Open = ingest.Units, results.Sums{N: t.open[0][phase][arm].n}
			cells = append(cells, cell)
			for k, m := range t.measures {
				cell.Open, cell.Matured = t.open[k][phase][arm].results(), t.matured[k][phase][arm].results()
				for _, direction := range simDirections() {
					cell.Metric = m.name + " " + string(direction)
					cells = append(cells, cell)
				}
			}
		}
	}
	return cells
}

// run is one experiment. It tells which rules were ever breached, and for which
// the harm was ever refuted on matured data.
func (w world) run(r *rand.Rand) (breached, healthy map[string]bool) {
	v := w.version()
	e, it := &v.Experiments[0], &v.Experiments[0].Iterations[0]
	rules := guardrails.Rules(e, it)
	states := make([]guardrails.State, len(rules))
	breached, healthy = map[string]bool{}, map[string]bool{}
	var alarms []guardrails.Alarm
	for d := range w.looks(r, v) {
		alarms, _ = guardrails.StepSRM(alarms, guardrails.Splits(&d), d.At)
		for i, rule := range rules {
			var verdict guardrails.Verdict
			states[i], verdict = guardrails.Step(rule, states[i], guardrails.Observe(&d, rule, alarms))
			if verdict.Kind == guardrails.Breached {
				breached[rule.Metric] = true
			}
			if verdict.Safe != nil && verdict.Safe.Reject {
				healthy[rule.Metric] = true
			}
		}
	}
	return breached, healthy
}

// looks yields the document of every look.
func (w world) looks(r *rand.Rand, v *experiment.Version) func(func(results.Document) bool) {
	e, it := &v.Experiments[0], &v.Experiments[0].Iterations[0]
	units, events := w.draw(r)
	t := newTally(w)
	length := it.End.Sub(it.Start)
	return func(yield func(results.Document) bool) {
		entered, happened, matured := 0, 0, make([]int, len(w.measures))
		for look := 1; look < looksPerWorld; look++ {
			now := time.Duration(float64(length) * math.Pow(float64(look)/looksPerWorld, w.pace))
			at := it.Start.Add(now)
			for ; entered < len(units) && units[entered].entry < now; entered++ {
				t.enter(&units[entered])
			}
			for ; happened < len(events) && events[happened].at < now; happened++ {
				t.happen(&units[events[happened].unit], events[happened])
			}
			statuses := []results.ShardStatus{{Shard: 0, Seq: uint64(look), Freshness: at, Config: 1, State: "ok", At: at}}
			horizons := results.Maturity(e, it, statuses)
			for k := range w.measures {
				metric := &it.Metrics[k*len(simDirections())]
				slot := experiment.SlotOf(e.WindowOf(metric))
				for ; matured[k] < len(units) && it.Start.Add(units[matured[k]].entry).Truncate(slot).Before(horizons[metric.Name]); matured[k]++ {
					t.mature(k, &units[matured[k]])
				}
			}
			m := results.Moments{Vector: map[uint16]uint64{0: uint64(look)}, Config: map[uint16]uint32{0: 1}, Cells: t.cells(at)}
			if !yield(results.Compute(v, e, 1, m, statuses, at, results.Options{Kind: results.KindGuard})) {
				return
			}
		}
	}
}

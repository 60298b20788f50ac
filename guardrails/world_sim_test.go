package guardrails_test

import (
	"cmp"
	"math"
	"math/big"
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
	name    string
	units   int
	enrol   time.Duration // units enter evenly within it; a minute: all at once
	window  time.Duration
	planned int64     // N*; 0: units
	shares  []float64 // of the treatment, per phase; phases divide enrol evenly
	rate    float64   // of units with an event
	trend   float64   // the rate grows to rate·(1+trend) for the last unit
	more    float64   // further events of a unit that has one, on average
	delay   delay
	value   func(*rand.Rand) float64
	// factor is the treatment's rate over the control's. Timing and values are
	// the same in both arms, so that at every age each metric's mean so far has
	// the same ratio: the harm is exactly at a relative margin.
	factor float64
	margin float64
	// pace crowds the looks towards the beginning: look i of n at length·(i/n)^pace.
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

func lognormal(r *rand.Rand) float64 { return math.Exp(1.5 * r.NormFloat64()) }

func gaussian(r *rand.Rand) float64 { return 10 + 3*r.NormFloat64() }

const looksPerWorld = 120

// The metrics of every world: each kind with either direction, so that every
// guardrail stands beside its mirror.
var (
	simKinds      = []experiment.Kind{experiment.Mean, experiment.Count, experiment.Proportion}
	simDirections = []experiment.Direction{experiment.Increase, experiment.Decrease}
)

const alphaEach = 0.05 // of the budget, for each rule

// atMargin names the metrics whose true harm is exactly the margin: all of them
// without an effect, else those for which the effect is harm.
func (w world) atMargin() []string {
	var names []string
	for _, kind := range simKinds {
		for _, direction := range simDirections {
			harmful := w.factor == 1 || (w.factor > 1) == (direction == experiment.Decrease)
			if harmful {
				names = append(names, string(kind)+" "+string(direction))
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
	for _, kind := range simKinds {
		for _, direction := range simDirections {
			name := string(kind) + " " + string(direction)
			m := experiment.Metric{Name: name, Event: "event", Kind: kind, Direction: direction}
			if kind == experiment.Mean {
				m.Decimals = 2
			}
			it.Metrics = append(it.Metrics, m)
			it.KillGuardrails = append(it.KillGuardrails, name)
			e.Guardrails = append(e.Guardrails, experiment.Guardrail{
				Metric: name, Mode: experiment.Kill, Margin: w.margin, Relative: w.margin > 0})
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
	y     [3]int64 // by kind
}

type event struct {
	at    time.Duration
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
	for i := range units {
		u := &units[i]
		u.phase = int(u.entry * time.Duration(len(w.shares)) / w.enrol)
		rate := w.rate * (1 + w.trend*float64(i)/float64(w.units))
		if r.Float64() < w.shares[u.phase] {
			u.arm, rate = 1, rate*w.factor
		}
		if r.Float64() >= rate {
			continue
		}
		for {
			if d := w.delay(r, w.window); d < w.window {
				events = append(events, event{u.entry + d, i, int64(math.Round(100 * w.value(r)))})
			}
			if r.Float64() >= w.more/(1+w.more) {
				break
			}
		}
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return units, events
}

// tally is what the ledger would hold: the open and the matured sums of each
// phase, arm and kind.
type tally struct {
	open, matured [][2][3]sums
}

type sums struct{ n, nonZero, sum, squares int64 }

func (s *sums) add(was, is int64) {
	if was == 0 && is != 0 {
		s.nonZero++
	}
	s.sum += is - was
	s.squares += is*is - was*was
}

// happen counts one event.
func (t *tally) happen(u *unit, value int64) {
	is := [3]int64{u.y[0] + value, u.y[1] + 1, 1}
	for k := range is {
		t.open[u.phase][u.arm][k].add(u.y[k], is[k])
	}
	u.y = is
}

// mature counts a unit whose window has passed.
func (t *tally) mature(u *unit) {
	for k := range u.y {
		t.matured[u.phase][u.arm][k].n++
		t.matured[u.phase][u.arm][k].add(0, u.y[k])
	}
}

func (s sums) results() results.Sums {
	return results.Sums{N: s.n, NonZero: s.nonZero, Sum: big.NewInt(s.sum), SumSquares: big.NewInt(s.squares)}
}

// cells are the rows that the look's query would return.
func (t *tally) cells(at time.Time) []results.Cell {
	var cells []results.Cell
	for phase := range t.open {
		for arm, variant := range []string{"control", "treatment"} {
			cell := results.Cell{Experiment: "world", Iteration: 1, Phase: uint16(phase + 1), Variant: variant, Newest: at}
			cell.Metric, cell.Open = ingest.Units, results.Sums{N: t.open[phase][arm][0].n}
			cells = append(cells, cell)
			for k, kind := range simKinds {
				cell.Open, cell.Matured = t.open[phase][arm][k].results(), t.matured[phase][arm][k].results()
				for _, direction := range simDirections {
					cell.Metric = string(kind) + " " + string(direction)
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
	t := tally{open: make([][2][3]sums, len(w.shares)), matured: make([][2][3]sums, len(w.shares))}
	slot := experiment.SlotOf(e.Window)
	length := it.End.Sub(it.Start)
	return func(yield func(results.Document) bool) {
		entered, happened, matured := 0, 0, 0
		for look := 1; look < looksPerWorld; look++ {
			now := time.Duration(float64(length) * math.Pow(float64(look)/looksPerWorld, w.pace))
			at := it.Start.Add(now)
			for ; entered < len(units) && units[entered].entry < now; entered++ {
				u := &units[entered]
				for k := range u.y {
					t.open[u.phase][u.arm][k].n++
				}
			}
			for ; happened < len(events) && events[happened].at < now; happened++ {
				t.happen(&units[events[happened].unit], events[happened].value)
			}
			statuses := []results.ShardStatus{{Shard: 0, Seq: uint64(look), Freshness: at, Config: 1, State: "ok", At: at}}
			horizon := results.Maturity(e, it, statuses)[it.Metrics[0].Name]
			for ; matured < len(units) && it.Start.Add(units[matured].entry).Truncate(slot).Before(horizon); matured++ {
				t.mature(&units[matured])
			}
			m := results.Moments{Vector: map[uint16]uint64{0: uint64(look)}, Config: map[uint16]uint32{0: 1}, Cells: t.cells(at)}
			if !yield(results.Compute(v, e, 1, m, statuses, at, results.Options{Kind: results.KindGuard})) {
				return
			}
		}
	}
}

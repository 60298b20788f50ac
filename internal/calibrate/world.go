package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// world is an experiment as nature runs it: who enters, in which arm, and what
// happens to them.
type world struct {
	units   int
	phases  [][]float64 // intended shares of the arms, control first; phases divide the enrolment evenly
	actual  [][]float64 // shares in truth, where a split is broken; nil: as intended
	enrol   time.Duration
	window  time.Duration
	planned int64 // N*; 0: units
	metrics []experiment.Metric
	margin  float64 // of every guardrail, relative to the control's mean
	method  experiment.Method
	goals   []string
	family  experiment.Families
	// mirrored metrics are guardrails in both directions: the second one's name
	// ends in a minus sign.
	mirrored []string
	segments []string // values of the one dimension
	// unit draws what happens to a unit that enters at a part at (0..1) of the enrolment.
	unit func(r *rand.Rand, u entrant, happens func(after time.Duration, event string, value ingest.Value))
	// twice is the share of records that arrive a second time, up to an hour later.
	twice float64

	// looks is how many there are, the last after everything has matured. The others
	// are spaced evenly on the logarithm of the number of units, from the first so many
	// on; with a pace, look i is at length·(i/n)^pace; with every, they are so far apart
	// until the last outcome.
	looks int
	first int
	pace  float64
	every time.Duration
}

// entrant is a unit that is just being assigned.
type entrant struct {
	number int
	arm    int
	phase  int
	at     float64 // 0..1
}

// begin is when every simulated experiment starts.
func begin() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }

var arms = []string{"control", "treatment", "second", "third"}

const (
	alpha     = 0.05 // of intervals, and of each guardrail
	topicSeen = 0    // index of the exposures' topic
	topicDone = 1    // of the outcomes'
)

// mirror is the name of the guardrail to which an increase is bad.
func mirror(metric string) string { return metric + "-" }

// version is the world's configuration.
func (w *world) version() *experiment.Version {
	start := begin()
	it := experiment.Iteration{
		Number: 1, Start: start, EnrolUntil: start.Add(w.enrol), End: start.Add(w.enrol + 2*w.window + 96*time.Hour),
	}
	for i, shares := range w.phases {
		it.Phases = append(it.Phases, experiment.Phase{
			Number: uint16(i + 1), From: start.Add(w.enrol / time.Duration(len(w.phases)) * time.Duration(i)),
			Shares: shares, Traffic: 1,
		})
	}
	e := experiment.Experiment{
		Key: "simulated", UnitKind: "user", Control: arms[0], Window: experiment.Duration(w.window),
		Alpha: alpha, PlannedUnits: cmp.Or(w.planned, int64(w.units)), Goals: w.goals, Families: w.family,
		Silence: experiment.Duration(10_000 * time.Hour),
	}
	for i, share := range w.phases[0] {
		e.Variants = append(e.Variants, experiment.Variant{Key: arms[i], Share: share})
	}
	if w.segments != nil {
		e.Dimensions = []experiment.Dimension{{Attribute: "segment", Values: w.segments}}
	}
	for _, m := range w.metrics {
		m.Direction = cmp.Or(m.Direction, experiment.Increase)
		it.Metrics = append(it.Metrics, m)
		if slices.Contains(w.mirrored, m.Name) {
			it.KillGuardrails = append(it.KillGuardrails, m.Name, mirror(m.Name))
			m.Name, m.Direction = mirror(m.Name), experiment.Decrease
			it.Metrics = append(it.Metrics, m)
		}
	}
	slices.SortFunc(it.Metrics, func(a, b experiment.Metric) int { return cmp.Compare(a.Name, b.Name) })
	for _, name := range it.KillGuardrails {
		e.Guardrails = append(e.Guardrails, experiment.Guardrail{
			Metric: name, Mode: experiment.Kill, Method: w.method, Margin: w.margin, Relative: w.margin > 0})
	}
	it.KillRules = len(it.KillGuardrails) * (len(w.phases[0]) - 1)
	it.AlphaKill = alpha * float64(it.KillRules)
	e.AlphaKill = it.AlphaKill
	e.Iterations = []experiment.Iteration{it}
	return &experiment.Version{Number: 1, Experiments: []experiment.Experiment{e}}
}

// times are when the looks are taken, in milliseconds after the start. The last
// one is after every window has passed.
func (w *world) times(entries []int64) []int64 {
	slot := experiment.SlotOf(experiment.Duration(w.window))
	end := (w.enrol + w.window + slot + 2*time.Minute).Milliseconds()
	var out []int64
	for i := 1; i < w.looks; i++ {
		if t := w.time(i, entries, end); len(out) == 0 || t > out[len(out)-1] {
			out = append(out, t)
		}
	}
	return append(out, end)
}

func (w *world) time(look int, entries []int64, end int64) int64 {
	switch part := float64(look) / float64(w.looks); {
	case w.every > 0:
		return int64(look) * w.every.Milliseconds()
	case w.pace > 0:
		return int64(float64(end) * math.Pow(part, w.pace))
	default:
		first := float64(w.first)
		units := int(first * math.Pow(float64(w.units)/first, float64(look)/float64(w.looks-1)))
		return entries[min(len(entries)-1, units)] + 1
	}
}

// decimal is a value with two decimals as events carry it.
func decimal(x float64) ingest.Value {
	return ingest.Product(int64(math.Round(x*100)), 10_000_000_000)
}

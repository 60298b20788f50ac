package guardrails_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/results"
)

// arrivals is an experiment whose units and events come in as told, looked at once a
// second.
type arrivals struct {
	rng    *rand.Rand
	vigil  guardrails.Vigil
	now    time.Duration
	rate   float64    // units a second, in both arms
	share  float64    // of the treatment
	events [2]float64 // share of units with an event: control, treatment
	value  float64
	none   float64 // share of units without a country
	phase  uint16

	units, nonZero          [2]int64
	sums                    [2]float64
	noCountry               int64
	unknown, tooMuch, wrong int64
	fates                   []results.Fates
	spoil                   func(*results.Document)
}

func newArrivals() *arrivals {
	return &arrivals{rng: rand.New(rand.NewPCG(1, 7)), rate: 50, share: .5, events: [2]float64{.1, .1}, value: 20, phase: 1}
}

// run lets so much time pass and returns when each anomaly was first seen after its start.
func (a *arrivals) run(d time.Duration) map[string]time.Duration {
	seen := map[string]time.Duration{}
	for begin := a.now; a.now < begin+d; {
		a.now += time.Second
		a.arrive()
		doc := a.document()
		a.vigil.Look(doc, a.fates)
		a.fates = nil
		for _, x := range doc.Anomalies {
			if _, known := seen[x.String()]; !known {
				seen[x.String()] = a.now - begin
			}
		}
	}
	return seen
}

func (a *arrivals) arrive() {
	for n := a.rng.ExpFloat64(); n < a.rate; n += a.rng.ExpFloat64() {
		arm := 0
		if a.rng.Float64() < a.share {
			arm = 1
		}
		a.units[arm]++
		if a.rng.Float64() < a.none {
			a.noCountry++
		}
		if a.rng.Float64() < a.events[arm] {
			a.nonZero[arm]++
			a.sums[arm] += a.value
		}
	}
}

func (a *arrivals) document() *results.Document {
	at := begin().Add(a.now)
	d := &results.Document{
		At: at, Freshness: at, Start: begin(), EnrolUntil: begin().Add(24 * time.Hour), End: begin().Add(48 * time.Hour),
		Aside: results.Aside{UnknownVariants: a.unknown, OutOfRange: map[string]int64{"spend": a.tooMuch}, Assignments: map[string]int64{"match": 100, "override": 7, "mismatch": a.wrong}},
	}
	for p := uint16(1); p <= a.phase; p++ {
		d.Phases = append(d.Phases, results.Phase{Number: p, From: begin(), Arms: []results.PhaseArm{{Variant: "control"}, {Variant: "treatment"}}})
	}
	d.Phases[0].Arms[0].Units, d.Phases[0].Arms[1].Units = a.units[0], a.units[1]
	for arm, variant := range []string{"control", "treatment"} {
		cell := func(metric string, nonZero int64, sum float64) results.CellSums {
			return results.CellSums{Phase: 1, Variant: variant, Metric: metric, Open: results.Exact{
				N: a.units[arm], NonZero: nonZero, Sum: strconv.FormatInt(int64(sum), 10), SumSquares: "0"}}
		}
		d.Cells = append(d.Cells, cell("errors", a.nonZero[arm], float64(a.nonZero[arm])),
			cell("spend", a.nonZero[arm], a.sums[arm]))
		if int(a.now.Seconds())%60 == 0 { // a full look
			all, none := cell("errors", 0, 0), cell("errors", 0, 0)
			all.Dimension, all.Value, all.Open.N = "country", "DE", a.units[arm]
			none.Dimension, none.Value, none.Open.N = "country", "(none)", 0
			if arm == 0 {
				none.Open.N, all.Open.N = a.noCountry, a.units[0]+a.units[1]-a.noCountry
			} else {
				all.Open.N = 0
			}
			d.Cells = append(d.Cells, all, none)
		}
	}
	if a.spoil != nil {
		a.spoil(d)
	}
	return d
}

// TestStopsAreSeen: what is cut off is told within the seconds that docs/guardrails.md
// prints, and nothing is told before.
func TestStopsAreSeen(t *testing.T) {
	tests := map[string]struct {
		before func(*arrivals)
		cut    func(*arrivals)
		want   string
		within time.Duration
	}{
		"exposures, 50/s": {nil, func(a *arrivals) { a.rate = 0 }, "exposures_stopped", 18 * time.Second},
		"exposures, 2/s":  {func(a *arrivals) { a.rate = 2 }, func(a *arrivals) { a.rate = 0 }, "exposures_stopped", 65 * time.Second},
		// 5 events a second: 100/5 = 20 s.
		"outcomes of 10 %": {nil, func(a *arrivals) { a.events = [2]float64{} }, "outcomes_stopped errors", 26 * time.Second},
		// An arm of 10 % gets 5 units and 0.5 events a second: 7 are due after 14 s.
		"outcomes, 90/10": {func(a *arrivals) { a.share = .9 }, func(a *arrivals) { a.events = [2]float64{} }, "outcomes_stopped errors", 26 * time.Second},
		// Both of 1 %: 0.5 events a second, 200 s; the reference's own chance is in it.
		"outcomes of 1 %": {func(a *arrivals) { a.events = [2]float64{.01, .01} }, func(a *arrivals) { a.events = [2]float64{} }, "outcomes_stopped errors", 290 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := newArrivals()
			if test.before != nil {
				test.before(a)
			}
			if early := a.run(10 * time.Minute); len(early) > 0 {
				t.Fatalf("told before anything was cut: %v", early)
			}
			test.cut(a)
			got, ok := a.run(10 * time.Minute)[test.want]
			if !ok || got > test.within || got < 15*time.Second {
				t.Errorf("%s after %s (%t), want within %s and not before 15 s", test.want, got, ok, test.within)
			}
		})
	}
}

// TestSeenSaysHowSoon: what a look says of how soon a stop would be told is what happens.
func TestSeenSaysHowSoon(t *testing.T) {
	for _, rate := range []float64{1, 5, 50, 1000} {
		a := newArrivals()
		a.rate = rate
		a.run(10 * time.Minute)
		d := a.document()
		a.vigil.Look(d, nil)
		said := map[string]time.Duration{}
		for _, s := range a.vigil.Seen(d) {
			said[results.Anomaly{Code: s.Code, Metric: s.Metric}.String()] = time.Duration(s.Seconds * float64(time.Second))
		}
		a.rate = 0
		for what, got := range a.run(20 * time.Minute) {
			if got > said[what]+time.Second || said[what]-got > 5*time.Second {
				t.Errorf("at %v/s %s came after %s, the look had said %s", rate, what, got, said[what])
			}
		}
	}
}

// TestNoStopWhereThereIsNone: traffic that ebbs to a fifth at once, an arm that loses
// everything, a phase with a fiftieth of the traffic, an ended enrolment, a burst.
func TestNoStopWhereThereIsNone(t *testing.T) {
	blind := func(t *testing.T, seen map[string]time.Duration) {
		t.Helper()
		for what := range seen {
			if what == "exposures_stopped" || what == "outcomes_stopped errors" {
				t.Errorf("%s was told: %v", what, seen)
			}
		}
	}
	t.Run("a fifth of the traffic", func(t *testing.T) {
		for seed := range uint64(20) {
			a := newArrivals()
			a.rng = rand.New(rand.NewPCG(seed, 8))
			a.rate = 5
			a.run(5 * time.Minute)
			a.rate = 1
			blind(t, a.run(5*time.Minute))
		}
	})
	t.Run("total loss in the larger arm", func(t *testing.T) {
		for _, share := range []float64{.5, .9, .99} {
			a := newArrivals()
			a.share, a.rate = share, 200
			a.run(5 * time.Minute)
			a.events[1] = 0
			blind(t, a.run(10*time.Minute))
		}
	})
	t.Run("a phase with less traffic", func(t *testing.T) {
		a := newArrivals()
		a.run(5 * time.Minute)
		a.phase, a.rate = 2, .2
		blind(t, a.run(10*time.Minute))
	})
	t.Run("enrolment is over", func(t *testing.T) {
		a := newArrivals()
		a.run(5 * time.Minute)
		a.rate, a.spoil = 0, func(d *results.Document) { d.EnrolUntil = d.At }
		blind(t, a.run(5*time.Minute))
	})
	t.Run("a burst", func(t *testing.T) {
		a := newArrivals()
		a.rate = 20_000
		a.run(2 * time.Second)
		a.rate = 0
		blind(t, a.run(5*time.Minute))
	})
	t.Run("counts that are not fresh", func(t *testing.T) {
		a := newArrivals()
		a.run(5 * time.Minute)
		stale := begin().Add(a.now)
		a.rate, a.spoil = 0, func(d *results.Document) { d.Freshness = stale }
		blind(t, a.run(5*time.Minute))
	})
}

// TestWarnings: what changes at once in both arms is told, and nothing else is.
func TestWarnings(t *testing.T) {
	tests := map[string]struct {
		change func(*arrivals)
		want   []string
	}{
		"nothing":                 {func(*arrivals) {}, nil},
		"six times the events":    {func(a *arrivals) { a.events = [2]float64{.6, .6} }, []string{"rate_jump errors", "rate_jump spend"}},
		"six times in one arm":    {func(a *arrivals) { a.events[1] = .6 }, nil},
		"six times the units":     {func(a *arrivals) { a.rate *= 6 }, nil},
		"milliseconds":            {func(a *arrivals) { a.value *= 1000 }, []string{"value_jump spend"}},
		"seconds":                 {func(a *arrivals) { a.value /= 20 }, []string{"value_jump spend"}},
		"twice the values":        {func(a *arrivals) { a.value *= 2 }, nil},
		"no country any more":     {func(a *arrivals) { a.none = .9 }, []string{"attribute_missing country"}},
		"fewer countries":         {func(a *arrivals) { a.none = .1 }, nil},
		"a wrong assignment":      {func(a *arrivals) { a.wrong++ }, []string{"misassigned"}},
		"an unknown variant":      {func(a *arrivals) { a.unknown++ }, []string{"unknown_variants"}},
		"values too large":        {func(a *arrivals) { a.tooMuch++ }, []string{"out_of_range spend"}},
		"a surge of dead letters": {func(a *arrivals) { a.fates = []results.Fates{{Topic: "orders", Records: 5000, Dead: 150}} }, []string{"dead_letters orders"}},
		"dead letters as before":  {func(a *arrivals) { a.fates = []results.Fates{{Topic: "orders", Records: 5000, Dead: 40}} }, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := newArrivals()
			for range 5 {
				a.fates = []results.Fates{{Topic: "orders", Records: 5000, Dead: 25}}
				if early := a.run(time.Minute); len(early) > 0 {
					t.Fatalf("told before anything changed: %v", early)
				}
			}
			test.change(a)
			seen := a.run(3 * time.Minute)
			if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, test.want) {
				t.Errorf("told %v, want %v", got, test.want)
			}
			for what, after := range seen {
				if after > 2*time.Minute {
					t.Errorf("%s came after %s", what, after)
				}
			}
			if late := a.run(10 * time.Minute); len(late) != len(seen) {
				t.Errorf("told %v later", late)
			}
			if still := a.run(time.Second); len(still) > 0 {
				t.Errorf("%v is still shown ten minutes later", still)
			}
		})
	}
}

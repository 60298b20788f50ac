package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// scenario is a world with what is promised in it.
type scenario struct {
	name    string
	about   string // one sentence for readers
	world   world
	figures []figure
	cost    int // of a unit, relative to one with one metric; 0: 1
	// direct replaces the path for what is computed from stored events in SQL.
	direct func(w *world, rng source) []float64
}

// source is the randomness of one replicate: the scenario's seed and its number.
type source struct{ *rand.Rand }

// form is how large the scenarios are: as large as experiments are, or in the short
// form as small as they can be and still have open gates. What is promised is the same,
// and most of it depends on the number of units only through the gates.
type form struct{ short bool }

// of picks a number by form.
func (f form) of(full, short int) int {
	if f.short {
		return short
	}
	return full
}

// smallUnits is the most units of a scenario that is run as often as wished.
const smallUnits = 20_000

// scenarios are all of them; a scenario's seed comes from its name.
func scenarios(f form) []scenario {
	return slices.Concat(plain(f), unfinished(f), powers(f), covers(f), rare(f), harms(f), splits(f), many(f), stored(f))
}

func equal() [][]float64          { return [][]float64{{.5, .5}} }
func split(t float64) [][]float64 { return [][]float64{{1 - t, t}} }
func ramp(t ...float64) [][]float64 {
	return append(append(split(t[0]), split(t[1])...), split(t[2])...)
}

// at once draws one outcome at the moment of entry, where there is any.
func atOnce(draw func(r *rand.Rand, u entrant) (float64, bool)) func(*rand.Rand, entrant, func(time.Duration, string, ingest.Value)) {
	return func(r *rand.Rand, u entrant, happens func(time.Duration, string, ingest.Value)) {
		if x, any := draw(r, u); any {
			happens(0, "event", decimal(x))
		}
	}
}

func normal(mean func(entrant) float64) func(*rand.Rand, entrant) (float64, bool) {
	return func(r *rand.Rand, u entrant) (float64, bool) { return mean(u) + r.NormFloat64(), true }
}

func binary(rate func(entrant) float64) func(*rand.Rand, entrant) (float64, bool) {
	return func(r *rand.Rand, u entrant) (float64, bool) { return 1, r.Float64() < rate(u) }
}

func constant(x float64) func(entrant) float64 { return func(entrant) float64 { return x } }

// byArm is one number for the control and another for the treatment.
func byArm(control, treatment float64) func(entrant) float64 {
	return func(u entrant) float64 {
		if u.arm == 1 {
			return treatment
		}
		return control
	}
}

// revenue: 5 % buy, for a lognormal amount.
func revenue(sigma float64) func(*rand.Rand, entrant) (float64, bool) {
	return func(r *rand.Rand, _ entrant) (float64, bool) {
		return math.Exp(sigma * r.NormFloat64()), r.Float64() < .05
	}
}

// simple is a world in which outcomes are complete at entry: a minute's window
// in an enrolment of five hours (short: one).
func (f form) simple(units int, phases [][]float64, m experiment.Metric, unit func(*rand.Rand, entrant) (float64, bool)) world {
	w := world{
		units: units, phases: phases, enrol: time.Duration(f.of(5, 1)) * time.Hour, window: time.Minute,
		looks: f.of(60, 20), first: 50,
		metrics: []experiment.Metric{m}, mirrored: []string{m.Name}, unit: atOnce(unit),
	}
	if f.short { // of few looks, fewer before the gates open
		w.first = max(w.first, units/20)
	}
	return w
}

func capped(at string) experiment.Metric {
	m := metric("revenue", experiment.Mean, 2)
	m.Cap = &experiment.Cap{At: at}
	return m
}

// plain are the scenarios without an effect whose outcomes are complete at entry.
// Each is at least half as large again as its gate needs, in both forms.
func plain(f form) []scenario {
	value, converts, money := metric("value", experiment.Mean, 2), metric("converts", experiment.Proportion, 0), metric("revenue", experiment.Mean, 2)
	still := constant(0)
	drift := func(u entrant) float64 { return math.Sin(u.at*2*math.Pi*7) + 2*u.at }
	var out []scenario
	for _, s := range []struct {
		name                       string
		phases                     [][]float64
		normal, binary, rare, late int // units
		dear                       int // cost of the tails that are run less often
	}{
		{"50/50", equal(), f.of(10_000, 800), f.of(20_000, 3_000), 150_000, f.of(20_000, 4_000), 0},
		{"90/10", split(.1), f.of(10_000, 1_500), f.of(20_000, 10_000), 500_000, f.of(20_000, 14_000), f.of(0, 4)},
		{"99/1", split(.01), f.of(10_000, 8_000), 100_000, 0, 0, 0},
	} {
		dear := func(name, about string, w world, cost int) {
			out = append(out, scenario{name: name + " " + s.name, about: about, world: w, figures: nothing(w.mirrored[0]), cost: cost})
		}
		add := func(name, about string, w world) { dear(name, about, w, 0) }
		add("normal", "no effect, variance 1", f.simple(s.normal, s.phases, value, normal(still)))
		add("binary 5 %", "no effect", f.simple(s.binary, s.phases, converts, binary(constant(.05))))
		if s.late == 0 {
			continue
		}
		add("drift", "no effect; a daily wave of amplitude 1 and a trend of 2 standard deviations", f.simple(s.normal, s.phases, value, normal(drift)))
		add("binary 0.1 %", "no effect", f.simple(s.rare, s.phases, converts, binary(constant(.001))))
		dear("lognormal σ 1, 95 % zeros", "no effect, no cap", f.simple(s.late, s.phases, money, revenue(1)), s.dear)
		add("lognormal σ 1.5, 95 % zeros", "no effect, no cap", f.simple(s.late, s.phases, money, revenue(1.5)))
		dear("lognormal σ 2, 95 % zeros", "no effect, no cap", f.simple(s.late, s.phases, money, revenue(2)), s.dear)
		add("lognormal σ 1.5, P99 cap", "no effect; totals capped at the 99th percentile of the non-zero ones", f.simple(s.late, s.phases, capped("32.78"), revenue(1.5)))
		add("ratio with correlated events", "no effect; value per event, units differ in value and in activity", ratioWorld(f, f.of(4_000, s.normal), s.phases))
	}
	return out
}

// ratioWorld: each unit has a level and an activity that are correlated.
func ratioWorld(f form, units int, phases [][]float64) world {
	m := experiment.Metric{
		Name: "per event", Kind: experiment.Ratio,
		Numerator:   &experiment.Part{Event: "event", Aggregation: experiment.AggregateSum, Decimals: 2},
		Denominator: &experiment.Part{Event: "event", Aggregation: experiment.AggregateCount},
	}
	w := f.simple(units, phases, m, nil)
	w.unit = func(r *rand.Rand, _ entrant, happens func(time.Duration, string, ingest.Value)) {
		a, b := r.NormFloat64(), r.NormFloat64()
		level, more := math.Exp(.5*a), 3*math.Exp(.4*a+.4*b)
		for {
			happens(time.Duration(r.Int64N(int64(time.Minute))), "event", decimal(level*math.Exp(.5*r.NormFloat64())))
			if r.Float64() >= more/(1+more) {
				return
			}
		}
	}
	return w
}

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// unfinished are the scenarios whose outcomes still arrive when they are judged.
func unfinished(f form) []scenario {
	var out []scenario
	add := func(name, about string, w world) {
		var figures []figure
		for _, m := range w.mirrored {
			figures = append(figures, kills(m)...)
			figures = append(figures, opens(m), rarely(m+": interval of matured results, gate open", alpha, both(gateOpen(m), misses(m, 0))))
		}
		out = append(out, scenario{name: name, about: about, world: w, figures: figures})
	}
	even, small, growing := f.of(4_000, 1_200), f.of(10_000, 4_000), f.of(4_000, 2_000)
	for _, delay := range []struct {
		name  string
		part  float64
		small int
	}{{"1 %", .01, small}, {"10 %", .1, small}, {"100 %", 1, f.of(10_000, 8_000)}} {
		add("delay, median "+delay.name+" of the run", "no effect; one outcome of a fifth of the units, exponential delay", late(f, even, equal(), delay.part, 0, 0))
		add("delay, median "+delay.name+", 90/10", "no effect, as above", late(f, delay.small, split(.1), delay.part, 0, 0))
		add("delay, median "+delay.name+", ramp", "no effect; shares of 1, 10 and 50 % while the base rate trebles", late(f, growing, ramp(.01, .1, .5), delay.part, 0, 2))
	}
	add("cumulative totals", "no effect; several outcomes spread over a window as long as the run", late(f, even, equal(), -1, 3, 0))
	add("cumulative totals, 90/10", "no effect, as above", late(f, small, split(.1), -1, 3, 0))
	add("cumulative totals, ramp", "no effect; shares of 1, 10 and 50 % while the base rate trebles", late(f, growing, ramp(.01, .1, .5), -1, 3, 2))
	second := late(f, f.of(4_000, 1_500), equal(), -1, 1, 0)
	second.enrol, second.window, second.every = time.Duration(f.of(60, 20))*time.Second, time.Duration(f.of(120, 20))*time.Second, time.Second
	second.unit = second.lateUnit(-1, 1, 0)
	second.looks = int((second.enrol+second.window)/second.every) + 1
	add("looks every second", fmt.Sprintf("no effect; all units within %s, outcomes over %s", second.enrol, second.window), second)
	return out
}

// late is a world of outcomes that come after entry: one at an exponential delay
// with a median of a part of the enrolment, or (part < 0) evenly over the window,
// and more on average.
func late(f form, units int, phases [][]float64, part, more, trend float64) world {
	w := world{
		units: units, phases: phases, enrol: 4 * time.Hour, window: 4 * time.Hour, looks: f.of(80, 24), pace: 1.5,
		metrics:  []experiment.Metric{metric("total", experiment.Mean, 2), metric("converts", experiment.Proportion, 0)},
		mirrored: []string{"total", "converts"},
	}
	if part > 0 && part < 1 {
		w.window = max(time.Hour, time.Duration(8*part*float64(w.enrol)))
	}
	w.unit = w.lateUnit(part, more, trend)
	return w
}

// lateUnit goes by the world's enrolment and window as they are now.
func (w *world) lateUnit(part, more, trend float64) func(*rand.Rand, entrant, func(time.Duration, string, ingest.Value)) {
	enrol, window := float64(w.enrol), w.window
	return func(r *rand.Rand, u entrant, happens func(time.Duration, string, ingest.Value)) {
		if r.Float64() >= .2*(1+trend*u.at) {
			return
		}
		for {
			after := time.Duration(r.Float64() * float64(window))
			if part > 0 {
				after = time.Duration(r.ExpFloat64() / math.Ln2 * part * enrol)
			}
			if after < window {
				happens(after, "event", decimal(math.Exp(r.NormFloat64())))
			}
			if r.Float64() >= more/(1+more) {
				return
			}
		}
	}
}

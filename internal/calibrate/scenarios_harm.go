package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/assay-dev/assay/internal/experiment"
)

// harms: how soon harm is found, and that harm just at the margin is not.
func harms(f form) []scenario {
	converts := metric("converts", experiment.Proportion, 0)
	rate := float64(f.of(5, 20)) / 100
	var out []scenario
	for _, s := range []struct {
		name                string
		share               float64
		units, gate, margin int
	}{
		{"50/50", .5, f.of(20_000, 2_500), f.of(20_000, 2_000), f.of(20_000, 2_500)},
		{"90/10", .1, f.of(20_000, 5_000), f.of(20_000, 4_000), f.of(20_000, 8_000)},
	} {
		for _, left := range []struct {
			part, power float64
		}{{0, .99}, {.5, .99}, {.9, 0}} {
			w := f.simple(s.units, split(s.share), converts, binary(byArm(rate, rate*left.part)))
			figures := []figure{
				{name: "killed", stop: breached("converts"), bound: bound{atLeast, left.power, 0}},
				stoppingUnits("mean units at the kill ÷ N", w.units, breached("converts")),
				rarely("killed in the other direction", alpha, breached(mirror("converts"))),
			}
			if left.part == .9 {
				figures[0].bound = bound{Kind: shown}
			}
			out = append(out, scenario{name: fmt.Sprintf("time to kill, %.0f %% left, %s", 100*left.part, s.name),
				about: fmt.Sprintf("%.0f %% of the control convert, the treatment only that part of them", 100*rate), world: w, figures: figures})
		}
		out = append(out, atTheGate(f, s.gate, s.name, s.share), atTheMargin(f, s.margin, s.name, s.share))
	}
	return out
}

// atTheGate: so few events that the gate opens halfway.
func atTheGate(f form, units int, name string, share float64) scenario {
	rate := 2 * 30 / math.Min(share, 1-share) / float64(units)
	w := f.simple(units, split(share), metric("converts", experiment.Proportion, 0), binary(constant(rate)))
	return scenario{name: "pooled gate, " + name, about: "no effect; the gate opens in the middle of the run", world: w,
		figures: append(kills("converts"), opens("converts"),
			stoppingUnits("mean units when the gate opens ÷ N", units, gateOpen("converts")),
			rarely("interval, gate open", alpha, both(gateOpen("converts"), misses("converts", 0))),
			watched("interval, any number of events", misses("converts", 0)))}
}

// atTheMargin: harm of exactly the margin is neither killed for nor called healthy.
func atTheMargin(f form, units int, name string, share float64) scenario {
	w := f.simple(units, split(share), metric("converts", experiment.Proportion, 0), binary(byArm(.1, .08)))
	w.margin = .2
	return scenario{name: "harm at the margin, " + name, about: "20 % fewer at a margin of 20 %", world: w, figures: []figure{
		opens("converts"),
		rarely("killed", alpha, breached("converts")),
		rarely("called healthy", alpha, healthy("converts")),
	}}
}

// splits are the sample-ratio scenarios.
func splits(f form) []scenario {
	visits := metric("visits", experiment.Count, 0)
	nobody := func(*rand.Rand, entrant) (float64, bool) { return 0, false }
	world := func(units int, phases, actual [][]float64) world {
		w := f.simple(units, phases, visits, nobody)
		w.mirrored, w.actual = nil, actual
		return w
	}
	alarms := func(l *look) bool { return len(l.raised) > 0 }
	warns := func(l *look) bool {
		return l.doc.Phases[0].SRM.P.Known() && l.doc.Phases[0].SRM.P.Float() < alpha
	}
	quarters := [][]float64{{.25, .25, .25, .25}}
	var out []scenario
	for _, s := range []struct {
		name   string
		phases [][]float64
	}{{"50/50", equal()}, {"90/10", split(.1)}, {"four arms", quarters}, {"three phases", ramp(.01, .1, .5)}} {
		out = append(out, scenario{name: "split, " + s.name, about: "a sound split", world: world(f.of(20_000, 4_000), s.phases, nil), figures: []figure{
			rarely("alarm in any phase", .01, alarms), rarely("first phase, p < 0.05", alpha, warns),
		}})
	}
	broken := world(f.of(20_000, 8_000), equal(), [][]float64{{.55, .45}})
	return append(out, scenario{name: "split, 55/45 of 50/50", about: "a broken split", world: broken, figures: []figure{
		{name: "alarm", stop: alarms, bound: bound{atLeast, .99, 0}}, stoppingUnits("mean units at the alarm ÷ N", broken.units, alarms),
	}})
}

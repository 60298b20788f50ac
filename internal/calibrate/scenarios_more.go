package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// scenarios are all of them; a scenario's seed comes from its name.
func scenarios(f form) []scenario {
	return slices.Concat(plain(f), unfinished(f), powers(f), covers(f), rare(f), harms(f), splits(f), many(f), stored(f))
}

// covers are the scenarios of intervals around an effect.
func covers(f form) []scenario {
	value, converts := metric("value", experiment.Mean, 2), metric("converts", experiment.Proportion, 0)
	covered := f.simple(f.of(20_000, 4_000), equal(), converts, binary(byArm(.05, .06)))
	gate := gateOpen("converts")
	fixed := f.simple(2_000, equal(), value, normal(byArm(5, 5.2)))
	few := f.simple(2_000, equal(), converts, binary(byArm(.01, .01)))
	fixed.looks, few.looks = 2, 2
	return []scenario{
		{name: "coverage, binary 5 % against 6 %", about: "an effect of a point, 20 %", world: covered, figures: []figure{
			opens("converts"),
			rarely("interval, gate open", alpha, both(gate, misses("converts", .01))),
			rarely("relative interval, gate open", alpha, both(gate, missesRelative("converts", .2))),
			{name: "fixed interval at the end", stop: atLast(missesFixed("converts", .01)), bound: bound{near, alpha, .005}},
			{name: "fixed relative interval at the end", stop: atLast(missesFixedRelative("converts", .2)), bound: bound{near, alpha, .01}},
		}},
		{name: "coverage of one look, normal", about: "means of 5 and 5.2", world: fixed, figures: []figure{
			{name: "fixed interval", stop: atLast(missesFixed("value", .2)), bound: bound{near, alpha, .005}},
			{name: "fixed relative interval", stop: atLast(missesFixedRelative("value", .04)), bound: bound{near, alpha, .01}},
		}},
		{name: "coverage of one look, ten conversions an arm", about: "1 % of a thousand units; the intervals by the score", world: few, figures: []figure{
			{name: "Miettinen–Nurminen of the difference", stop: atLast(missesScore(0, false)), bound: bound{near, alpha, .01}},
			{name: "Miettinen–Nurminen of the lift", stop: atLast(missesScore(0, true)), bound: bound{near, alpha, .01}},
			{name: "Welch of the difference", stop: atLast(missesFixed("converts", 0)), bound: bound{Kind: shown}},
		}},
	}
}

// missesScore: the interval for small counts does not hold the truth, or is not there.
func missesScore(truth float64, relative bool) func(*look) bool {
	return func(l *look) bool {
		results.AddDetails(l.experiment, l.doc)
		c := l.comparison("converts", arms[1]).Matured.SmallCounts
		switch {
		case c == nil:
			return true
		case relative:
			return outside(c.Relative, truth)
		}
		return outside(c.Absolute, truth)
	}
}

func truth(is func(*look) bool) func(*look) float64 {
	return func(l *look) float64 {
		if is(l) {
			return 1
		}
		return 0
	}
}

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

// many are the scenarios with families of tests, segments and duplicates.
func many(f form) []scenario {
	twice := f.simple(f.of(5_000, 1_500), equal(), metric("value", experiment.Mean, 2), normal(constant(0)))
	twice.twice, twice.window = .2, time.Minute
	figures := append(kills("value"), rarely("interval", alpha, misses("value", 0)))
	figures = append(figures, opens("value"), figure{name: "sums differ from those without duplicates", value: func(l *look) float64 {
		return truth(func(l *look) bool { return l.differs })(l)
	}, bound: bound{atMost, 0, 0}})
	return []scenario{
		{name: "duplicates", about: "no effect; a fifth of the records arrives again, up to an hour later", world: twice, figures: figures},
		family(f, "holm"), family(f, "benjamini-hochberg"),
		segments(f),
	}
}

const (
	goals = 20
	nulls = 16
)

// family is 20 metrics in three arms, of which the first 16 metrics have no effect.
func family(f form, adjustment experiment.Adjustment) scenario {
	w := world{units: f.of(3_000, 1_000), phases: [][]float64{{1. / 3, 1. / 3, 1. / 3}}, enrol: time.Duration(f.of(5, 1)) * time.Hour, window: time.Minute, looks: 10, first: 50,
		family: experiment.Families{Goals: adjustment}}
	name := func(i int) string { return fmt.Sprintf("goal %02d", i) }
	null := map[string]bool{}
	for i := range goals {
		m := metric(name(i), experiment.Mean, 2)
		m.Event = m.Name
		w.metrics, w.goals = append(w.metrics, m), append(w.goals, m.Name)
		null[m.Name] = i < nulls
	}
	w.unit = func(r *rand.Rand, u entrant, happens func(time.Duration, string, ingest.Value)) {
		shared := r.NormFloat64()
		for i := range goals {
			x := .6*shared + .8*r.NormFloat64()
			if i >= nulls && u.arm > 0 {
				x += .2
			}
			happens(0, name(i), decimal(x))
		}
	}
	found := func(sequential bool) func(l *look) (wrong, right float64) {
		return func(l *look) (wrong, right float64) {
			for i := range l.doc.Comparisons {
				c := &l.doc.Comparisons[i]
				if c.Adjusted == nil {
					continue
				}
				rejected := c.Adjusted.Fixed.Rejected
				if sequential {
					rejected = c.Adjusted.Sequential.Rejected
				}
				switch {
				case rejected && null[c.Metric]:
					wrong++
				case rejected:
					right++
				}
			}
			return wrong, right
		}
	}
	fixed, always := found(false), found(true)
	part := func(of func(*look) (float64, float64)) func(*look) float64 {
		return func(l *look) float64 { w, r := of(l); return w / math.Max(1, w+r) }
	}
	anyWrong := func(of func(*look) (float64, float64)) func(*look) bool {
		return func(l *look) bool { w, _ := of(l); return w > 0 }
	}
	right := func(of func(*look) (float64, float64)) func(*look) float64 {
		return func(l *look) float64 { _, r := of(l); return r / 2 / (goals - nulls) }
	}
	s := scenario{name: "20 metrics × 3 arms, " + string(adjustment), about: "16 of 20 correlated metrics have no effect in either arm, 4 one of 0.2", world: w, cost: f.of(8, 4)}
	if adjustment == experiment.Holm {
		s.figures = []figure{
			rarely("any false finding, at any look", alpha, anyWrong(always)),
			rarely("any false finding, one look", alpha, atLast(anyWrong(fixed))),
		}
	} else {
		s.figures = []figure{
			{name: "share of false findings, one look", value: part(fixed), bound: bound{atMost, alpha, 0}},
			{name: "share of false findings, always valid, at the end", value: part(always), bound: bound{atMost, alpha, 0}},
		}
	}
	s.figures = append(s.figures,
		figure{name: "effects found, one look", value: right(fixed), bound: bound{Kind: shown}},
		figure{name: "effects found, always valid", value: right(always), bound: bound{Kind: shown}})
	return s
}

// segments splits one metric by a dimension: the parts add up to the whole, and
// the whole errs no more often for being split.
func segments(f form) scenario {
	w := f.simple(f.of(10_000, 2_000), equal(), metric("value", experiment.Mean, 2), normal(constant(0)))
	w.segments = []string{"de", "fr", "it", "pl", "se"}
	return scenario{name: "segments", about: "no effect; five segments of one metric", world: w, figures: append(kills("value"), opens("value"),
		rarely("interval", alpha, misses("value", 0)),
		rarely("any segment, always valid at a fifth of the level", alpha, anySegment),
		figure{name: "segments do not add up to the whole", value: truth(unlikeWhole), bound: bound{atMost, 0, 0}})}
}

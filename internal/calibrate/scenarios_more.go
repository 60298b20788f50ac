package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// scenarios are all of them; a scenario's seed comes from its name.
func scenarios() []scenario {
	var out []scenario
	out = append(out, plain()...)
	out = append(out, unfinished()...)
	out = append(out, effects()...)
	out = append(out, harms()...)
	out = append(out, splits()...)
	out = append(out, many()...)
	out = append(out, stored()...)
	return out
}

// fixedUnits find an effect of 0.1 standard deviations with a probability of 0.8
// in one look: 2·(1.96+0.8416)²/0.1² = 1570 in each arm.
const fixedUnits = 3140

// effects are the scenarios with one: power, coverage, the size of what is found.
func effects() []scenario {
	value, converts := metric("value", experiment.Mean, 2), metric("converts", experiment.Proportion, 0)
	finds := func(l *look) bool { return l.comparison("value", arms[1]).Matured.Absolute.SequentialP.Float() < alpha }
	var out []scenario
	// Powers of an independent implementation with 20 000 replicates and a look at every unit.
	for i, power := range []float64{.547, .889, .979} {
		w := simple(fixedUnits*(i+1), equal(), value, normal(byArm(0, .1)))
		w.planned, w.looks = fixedUnits, 200
		out = append(out, scenario{
			name: fmt.Sprintf("power at %d× the fixed plan", i+1), world: w,
			about: "an effect that one look finds with probability 0.8 after 3,140 units; 200 looks",
			figures: []figure{
				{name: "found", stop: finds, bound: bound{near, power, .015}},
				{name: "found by one look at the end", stop: atLast(missesFixed("value", 0)), bound: bound{Kind: shown}},
				stoppingUnits("mean units at the stop ÷ fixed plan", fixedUnits, finds),
				watched("Wald's test of 0.1 against 0 decides for it", func(l *look) bool { return wald(l) > 0 }),
				stoppingUnits("Wald: mean units at the stop ÷ fixed plan", fixedUnits, func(l *look) bool { return wald(l) != 0 }),
				rarely("interval", alpha, misses("value", .1)),
				{name: "interval where it stopped", stop: finds, value: truth(misses("value", .1)), bound: bound{atMost, alpha, 0}},
				{name: "estimate − truth where it stopped", stop: finds, bound: bound{Kind: shown}, value: func(l *look) float64 {
					return l.comparison("value", arms[1]).Matured.Absolute.Estimate.Float() - .1
				}},
			},
		})
	}
	covered := simple(20_000, equal(), converts, binary(byArm(.05, .06)))
	gate := gateOpen("converts")
	out = append(out, scenario{name: "coverage, binary 5 % against 6 %", about: "an effect of a point, 20 %", world: covered, figures: []figure{
		rarely("interval, gate open", alpha, both(gate, misses("converts", .01))),
		rarely("relative interval, gate open", alpha, both(gate, missesRelative("converts", .2))),
		{name: "fixed interval at the end", stop: atLast(missesFixed("converts", .01)), bound: bound{near, alpha, .005}},
		{name: "fixed relative interval at the end", stop: atLast(missesFixedRelative("converts", .2)), bound: bound{near, alpha, .01}},
	}})
	fixed := simple(2_000, equal(), value, normal(byArm(5, 5.2)))
	fixed.looks = 2
	return append(out, scenario{name: "coverage of one look, normal", about: "means of 5 and 5.2", world: fixed, figures: []figure{
		{name: "fixed interval", stop: atLast(missesFixed("value", .2)), bound: bound{near, alpha, .005}},
		{name: "fixed relative interval", stop: atLast(missesFixedRelative("value", .04)), bound: bound{near, alpha, .01}},
	}})
}

func truth(is func(*look) bool) func(*look) float64 {
	return func(l *look) float64 {
		if is(l) {
			return 1
		}
		return 0
	}
}

// wald is Wald's test of an effect of 0.1 against none, at 0.025 and power 0.8:
// 1, −1, or 0 while it goes on.
func wald(l *look) int {
	e := l.comparison("value", arms[1]).Matured.Absolute
	se := e.StdError.Float()
	logRatio := (e.Estimate.Float() - .05) * .1 / (se * se)
	switch {
	case logRatio >= math.Log(.8/.025):
		return 1
	case logRatio <= math.Log(.2/.975):
		return -1
	}
	return 0
}

// harms: how soon harm is found, and that harm just at the margin is not.
func harms() []scenario {
	converts := metric("converts", experiment.Proportion, 0)
	var out []scenario
	for _, s := range []struct {
		name  string
		share float64
	}{{"50/50", .5}, {"90/10", .1}} {
		for _, left := range []struct {
			part, power float64
		}{{0, .99}, {.5, .99}, {.9, 0}} {
			w := simple(20_000, split(s.share), converts, binary(byArm(.05, .05*left.part)))
			figures := []figure{
				{name: "killed", stop: breached("converts"), bound: bound{atLeast, left.power, 0}},
				stoppingUnits("mean units at the kill ÷ 20,000", w.units, breached("converts")),
				rarely("killed in the other direction", alpha, breached(mirror("converts"))),
			}
			if left.part == .9 {
				figures[0].bound = bound{Kind: shown}
			}
			out = append(out, scenario{name: fmt.Sprintf("time to kill, %.0f %% left, %s", 100*left.part, s.name),
				about: "5 % of the control convert, the treatment only that part of them", world: w, figures: figures})
		}
		out = append(out, atTheGate(s.name, s.share), atTheMargin(s.name, s.share))
	}
	return out
}

// atTheGate: so few events that the gate opens halfway.
func atTheGate(name string, share float64) scenario {
	rate := 2 * 30 / math.Min(share, 1-share) / 20_000
	w := simple(20_000, split(share), metric("converts", experiment.Proportion, 0), binary(constant(rate)))
	return scenario{name: "pooled gate, " + name, about: "no effect; the gate opens in the middle of the run", world: w,
		figures: append(kills("converts"),
			rarely("interval, gate open", alpha, both(gateOpen("converts"), misses("converts", 0))),
			watched("interval, any number of events", misses("converts", 0)))}
}

// atTheMargin: harm of exactly the margin is neither killed for nor called healthy.
func atTheMargin(name string, share float64) scenario {
	w := simple(20_000, split(share), metric("converts", experiment.Proportion, 0), binary(byArm(.1, .08)))
	w.margin = .2
	return scenario{name: "harm at the margin, " + name, about: "20 % fewer at a margin of 20 %", world: w, figures: []figure{
		rarely("killed", alpha, breached("converts")),
		rarely("called healthy", alpha, healthy("converts")),
	}}
}

// splits are the sample-ratio scenarios.
func splits() []scenario {
	visits := metric("visits", experiment.Count, 0)
	nobody := func(*rand.Rand, entrant) (float64, bool) { return 0, false }
	world := func(phases, actual [][]float64) world {
		w := simple(20_000, phases, visits, nobody)
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
		out = append(out, scenario{name: "split, " + s.name, about: "a sound split", world: world(s.phases, nil), figures: []figure{
			rarely("alarm in any phase", .01, alarms), rarely("first phase, p < 0.05", alpha, warns),
		}})
	}
	return append(out, scenario{name: "split, 53/47 of 50/50", about: "a broken split", world: world(equal(), [][]float64{{.53, .47}}), figures: []figure{
		{name: "alarm", stop: alarms, bound: bound{atLeast, .99, 0}}, stoppingUnits("mean units at the alarm ÷ 20,000", 20_000, alarms),
	}})
}

// many are the scenarios with families of tests, segments and duplicates.
func many() []scenario {
	twice := simple(5_000, equal(), metric("value", experiment.Mean, 2), normal(constant(0)))
	twice.twice, twice.window = .2, time.Minute
	figures := append(kills("value"), rarely("interval", alpha, misses("value", 0)))
	figures = append(figures, figure{name: "sums differ from those without duplicates", value: func(l *look) float64 {
		return truth(func(l *look) bool { return l.differs })(l)
	}, bound: bound{atMost, 0, 0}})
	return []scenario{
		{name: "duplicates", about: "no effect; a fifth of the records arrives again, up to an hour later", world: twice, figures: figures},
		family("holm"), family("benjamini-hochberg"),
		segments(),
	}
}

const (
	goals = 20
	nulls = 16
)

// family is 20 metrics in three arms, of which the first 16 metrics have no effect.
func family(adjustment experiment.Adjustment) scenario {
	w := world{units: 3_000, phases: [][]float64{{1. / 3, 1. / 3, 1. / 3}}, enrol: 30 * time.Hour, window: time.Minute, looks: 10,
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
	s := scenario{name: "20 metrics × 3 arms, " + string(adjustment), about: "16 of 20 correlated metrics have no effect in either arm, 4 one of 0.2", world: w, cost: 8}
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
func segments() scenario {
	w := simple(10_000, equal(), metric("value", experiment.Mean, 2), normal(constant(0)))
	w.segments = []string{"de", "fr", "it", "pl", "se"}
	return scenario{name: "segments", about: "no effect; five segments of one metric", world: w, figures: append(kills("value"),
		rarely("interval", alpha, misses("value", 0)),
		rarely("any segment, always valid at a fifth of the level", alpha, anySegment),
		figure{name: "segments do not add up to the whole", value: truth(unlikeWhole), bound: bound{atMost, 0, 0}})}
}

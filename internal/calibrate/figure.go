package main

import (
	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// figure is one number of a scenario, as a rule a mean over its replicates. A replicate's
// value is taken at the first look at which the figure stops, else at the last.
type figure struct {
	name  string
	stop  func(l *look) bool
	value func(l *look) float64
	bound bound
	// median: the middle of the replicates, not their mean.
	median bool
}

// tracker follows the figures through one replicate.
type tracker struct {
	figures []figure
	values  []float64
	stopped []bool
}

func newTracker(figures []figure) *tracker {
	return &tracker{figures, make([]float64, len(figures)), make([]bool, len(figures))}
}

func (t *tracker) take(l *look) {
	for i, f := range t.figures {
		if t.stopped[i] {
			continue
		}
		t.stopped[i] = f.stop != nil && f.stop(l)
		if !t.stopped[i] && !l.last {
			continue
		}
		switch {
		case f.value != nil:
			t.values[i] = f.value(l)
		case t.stopped[i]:
			t.values[i] = 1
		}
	}
}

// rarely is an error that may happen at any look with a chance of at most a.
func rarely(name string, a float64, stop func(*look) bool) figure {
	return figure{name: name, stop: stop, bound: bound{Kind: atMost, Target: a}}
}

// watched is shown without a promise.
func watched(name string, stop func(*look) bool) figure {
	return figure{name: name, stop: stop, bound: bound{Kind: shown}}
}

// comparison finds one metric of one arm in the look.
func (l *look) comparison(metric, arm string) *results.Comparison {
	for i := range l.doc.Comparisons {
		if c := &l.doc.Comparisons[i]; c.Metric == metric && c.Arm == arm {
			return c
		}
	}
	return nil
}

// verdict finds the verdict on one metric of the first treatment.
func (l *look) verdict(metric string) *guardrails.Verdict {
	for i := range l.verdicts {
		if v := &l.verdicts[i]; v.Rule.Metric == metric && v.Rule.Arm == arms[1] {
			return v
		}
	}
	return nil
}

func outside(i results.Interval, truth float64) bool {
	return i.Low.Known() && i.Low.Float() > truth || i.High.Known() && i.High.Float() < truth
}

// misses: the always-valid interval of matured results does not hold the truth.
func misses(metric string, truth float64) func(*look) bool {
	return func(l *look) bool {
		return outside(l.comparison(metric, arms[1]).Matured.Absolute.Sequential, truth)
	}
}

func missesRelative(metric string, truth float64) func(*look) bool {
	return func(l *look) bool {
		return outside(l.comparison(metric, arms[1]).Matured.Relative.Sequential, truth)
	}
}

// missesFixed: the interval for one look does not hold the truth.
func missesFixed(metric string, truth float64) func(*look) bool {
	return func(l *look) bool {
		return outside(l.comparison(metric, arms[1]).Matured.Absolute.Fixed, truth)
	}
}

func missesFixedRelative(metric string, truth float64) func(*look) bool {
	return func(l *look) bool {
		return outside(l.comparison(metric, arms[1]).Matured.Relative.Fixed, truth)
	}
}

// open tells whether the event gate is.
func gateOpen(metric string) func(*look) bool {
	return func(l *look) bool {
		v := l.verdict(metric)
		return v.Gate != nil && v.Gate.Passes
	}
}

// opens: a scenario whose gate stays shut would prove nothing about what it guards.
func opens(metric string) figure {
	return figure{name: metric + ": the gate opens", stop: gateOpen(metric), bound: bound{atLeast, .9, 0}}
}

func both(a, b func(*look) bool) func(*look) bool {
	return func(l *look) bool { return a(l) && b(l) }
}

func atLast(a func(*look) bool) func(*look) bool {
	return func(l *look) bool { return l.last && a(l) }
}

// early: within the first tenth of the units.
func early(a func(*look) bool) func(*look) bool {
	return func(l *look) bool { return l.units*10 <= l.world.units && a(l) }
}

func breached(rule string) func(*look) bool {
	return func(l *look) bool { return l.verdict(rule).Kind == guardrails.Breached }
}

func healthy(rule string) func(*look) bool {
	return func(l *look) bool { v := l.verdict(rule); return v.Safe != nil && v.Safe.Reject }
}

// truth is 1 where it is.
func truth(is func(*look) bool) func(*look) float64 {
	return func(l *look) float64 {
		if is(l) {
			return 1
		}
		return 0
	}
}

// units at the first look at which it stops, as a part of a number.
func stoppingUnits(name string, of int, stop func(*look) bool) figure {
	return figure{name: name, stop: stop, bound: bound{Kind: shown},
		value: func(l *look) float64 { return float64(l.units) / float64(of) }}
}

// kills are the promises of guardrails without an effect, in both directions.
func kills(metric string) []figure {
	return []figure{
		rarely(metric+": kill, increase is good", alpha, breached(metric)),
		rarely(metric+": kill, decrease is good", alpha, breached(mirror(metric))),
	}
}

// nothing are the figures of a mirrored metric without an effect.
func nothing(metric string) []figure {
	return append([]figure{
		watched(metric+": naive p at every look", func(l *look) bool {
			return l.comparison(metric, arms[1]).Matured.Absolute.FixedP.Float() < alpha
		}),
		watched(metric+": interval, any number of events", misses(metric, 0)),
		opens(metric),
		rarely(metric+": interval, gate open", alpha, both(gateOpen(metric), misses(metric, 0))),
		rarely(metric+": relative interval, gate open", alpha, both(gateOpen(metric), missesRelative(metric, 0))),
		watched(metric+": interval, gate open, first tenth", early(both(gateOpen(metric), misses(metric, 0)))),
		{name: metric + ": fixed interval at the end", stop: atLast(missesFixed(metric, 0)), bound: bound{Kind: shown}},
	}, kills(metric)...)
}

func metric(name string, kind experiment.Kind, decimals int) experiment.Metric {
	return experiment.Metric{Name: name, Event: "event", Kind: kind, Decimals: decimals}
}

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

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

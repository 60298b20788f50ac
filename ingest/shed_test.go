package ingest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/internal/experiment"
)

// Whatever the plan, a unit is in an iteration whole or not at all: when its first
// exposure there is kept, so are all outcomes of its window; when it is shed, so is every
// later exposure in the iteration. Who is kept at a share is kept at every larger one.
//
// semantics: shedding
func TestShedUnitsAreWhole(t *testing.T) {
	base := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	hours := func(n int) time.Time { return base.Add(time.Duration(n) * time.Hour) }
	rapid.Check(t, func(t *rapid.T) {
		const window = 7
		v := &experiment.Version{Number: 1}
		for _, key := range []string{"a", "b"} {
			e := experiment.Experiment{Key: key, UnitKind: "user", Control: "c", Window: experiment.Duration(window * time.Hour),
				Variants: []experiment.Variant{{Key: "c", Share: .5}, {Key: "t", Share: .5}}}
			start := rapid.IntRange(0, 30).Draw(t, "start")
			for n := range uint32(2) {
				end := start + rapid.IntRange(5, 60).Draw(t, "length")
				e.Iterations = append(e.Iterations, experiment.Iteration{Number: n + 1, Start: hours(start), EnrolUntil: hours(end), End: hours(end),
					Phases: []experiment.Phase{{Number: 1, From: hours(start), Shares: []float64{.5, .5}, Traffic: 1}}})
				start = end + rapid.IntRange(0, 5).Draw(t, "pause")
			}
			v.Experiments = append(v.Experiments, e)
		}
		now := 0
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			now += rapid.IntRange(1, 30).Draw(t, "later")
			keep := rapid.SampledFrom([]float64{1, .5, .25, .1}).Draw(t, "keep")
			if next, err := v.Shedding(keep, "", "", hours(now)); err == nil {
				v = next
			}
		}
		s := ShedderOf(v)
		unit := Unit{Hi: 1, Lo: rapid.Uint64().Draw(t, "unit")}
		sheds := func(kind Type, key string, at time.Time) bool {
			return s.Sheds(&Event{Type: kind, Experiment: key, T: at.UnixMilli(), Unit: unit})
		}
		for i := range v.Experiments {
			e := &v.Experiments[i]
			for k := range e.Iterations {
				it := &e.Iterations[k]
				left := false
				for at := it.Start; at.Before(it.End); at = at.Add(20 * time.Minute) {
					was := left
					if left = sheds(Exposure, e.Key, at); was && !left {
						t.Fatalf("shed before, and kept at %s: %+v", at, v.Sheds)
					}
					for d := time.Duration(0); !left && d <= window*time.Hour && at.Add(d).Before(it.End); d += 20 * time.Minute {
						if sheds(Outcome, "", at.Add(d)) {
							t.Fatalf("exposed at %s, and the outcome of %s later is shed: %+v", at, d, v.Sheds)
						}
					}
				}
			}
		}
		at := hours(rapid.IntRange(0, 100).Draw(t, "at"))
		for _, kind := range []Type{Exposure, Outcome} {
			e := Event{Type: kind, Experiment: "a", T: at.UnixMilli(), Unit: unit}
			lesser := e
			lesser.Unit.Lo /= 2
			if s != nil && !s.Sheds(&e) && s.Sheds(&lesser) {
				t.Fatal("not nested")
			}
		}
	})
}

// The share that is kept is the share of the plan, of exposures at once.
func TestShedShare(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s := ShedderOf(&experiment.Version{Sheds: []experiment.Shed{{From: at, Keep: .1, Outcomes: at.Add(time.Hour)}}})
	key, kept := Key{7}, map[string]int{}
	const n = 20_000
	for i := range n {
		unit := key.Unit("user", string(rune('a'+i%26))+time.Duration(i).String())
		for what, e := range map[string]Event{
			"before": {Type: Exposure, T: at.UnixMilli() - 1}, "exposures": {Type: Exposure, T: at.UnixMilli()},
			"outcomes": {Type: Outcome, T: at.UnixMilli()}, "outcomes later": {Type: Outcome, T: at.Add(time.Hour).UnixMilli()},
			"misplaced": {Type: Exposure, T: at.UnixMilli(), Misplaced: true},
		} {
			if e.Unit = unit; !s.Sheds(&e) {
				kept[what]++
			}
		}
	}
	for what, share := range map[string]float64{"before": 1, "exposures": .1, "outcomes": 1, "outcomes later": .1, "misplaced": 1} {
		if got := float64(kept[what]) / n; math.Abs(got-share) > 5*math.Sqrt(share*(1-share)/n) {
			t.Errorf("%s: %g are kept, want %g", what, got, share)
		}
	}
	var none *Shedder
	if slices.Contains([]bool{none.Sheds(&Event{}), ShedderOf(nil).Sheds(&Event{})}, true) {
		t.Error("without a plan something is shed")
	}
}

// BenchmarkShed is what an event costs that is shed, and one that is kept and joined; both
// are decoded. Storing comes on top of the latter.
func BenchmarkShed(b *testing.B) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	log := make([][]byte, 100_000)
	for i := range log {
		unit := i / 5
		if i%5 == 0 {
			log[i] = fmt.Appendf(nil, `{"type":"exposure","id":"e-%d","ts":%d,"unit":"u-%d","unit_kind":"user","experiment":"cta","variant":"t"}`, i, at.UnixMilli()+int64(i), unit)
			continue
		}
		log[i] = fmt.Appendf(nil, `{"type":"outcome","id":"o-%d","ts":%d,"unit":"u-%d","unit_kind":"user","event":"purchase","value":%d.25}`, i, at.UnixMilli()+int64(i), unit, i%90)
	}
	v := &experiment.Version{Number: 1, Experiments: []experiment.Experiment{{Key: "cta", UnitKind: "user", Control: "c", Window: experiment.Duration(time.Hour),
		Variants: []experiment.Variant{{Key: "c", Share: .5}, {Key: "t", Share: .5}},
		Iterations: []experiment.Iteration{{Number: 1, Start: at, EnrolUntil: at.Add(time.Hour), End: at.Add(2 * time.Hour),
			Phases:  []experiment.Phase{{Number: 1, From: at, Shares: []float64{.5, .5}, Traffic: 1}},
			Metrics: []experiment.Metric{{Name: "m", Event: "purchase", Kind: experiment.Mean, Decimals: 2}}}}}}}
	for _, c := range []struct {
		name string
		keep float64
	}{{"kept", 1}, {"a tenth kept", .1}, {"shed", 1e-6}} {
		b.Run(c.name, func(b *testing.B) {
			v.Sheds = []experiment.Shed{{From: at, Keep: c.keep, Outcomes: at}}
			d, s, j, n := NewDecoder(Key{1}, nil), ShedderOf(v), NewJoiner([]string{"t"}, v), 0
			for b.Loop() {
				if n == len(log) {
					j, n = NewJoiner([]string{"t"}, v), 0
				}
				e, _, _ := d.Decode(Record{Place: Place{Offset: int64(n)}, KafkaT: -1, Value: log[n]})
				if n++; !s.Sheds(&e) {
					j.Add(&e)
				}
			}
		})
	}
}

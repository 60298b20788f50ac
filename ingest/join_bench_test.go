package ingest_test

import (
	"flag"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

var benchUnits = flag.Int("units", 1_000_000, "units of the join benchmarks; four events each")

// stream is the join's workload: each unit is exposed, seen again, and has two
// outcomes, spread at random over a day.
func stream(units int) []ingest.Event {
	rng := rand.New(rand.NewPCG(1, 2))
	events := make([]ingest.Event, 0, 4*units)
	countries, platforms := []string{"DE", "FR", "US", "ES"}, []string{"web", "ios", "android"}
	for i := range units {
		u := ingest.Unit{Hi: rng.Uint64(), Lo: rng.Uint64()}
		t := origin + rng.Int64N(12*3_600_000)
		attrs := []ingest.Attr{{Name: "country", Value: countries[rng.IntN(4)]}, {Name: "platform", Value: platforms[rng.IntN(3)]}}
		for k := range int64(4) {
			e := ingest.Event{Type: ingest.Exposure, T: t + k*60_000, Unit: u, UnitKind: "user", ID: strconv.FormatUint(rng.Uint64(), 16)}
			if k == 0 || k == 2 {
				e.Experiment, e.Variant, e.Attrs = "checkout-cta", [...]string{"control", "treatment"}[i&1], attrs
			} else {
				e.Type, e.Place.Topic, e.Name, e.Value = ingest.Outcome, 1, [...]string{"purchase", "view"}[k/2], mustValue("19.99")
			}
			events = append(events, e)
		}
	}
	rng.Shuffle(len(events), func(a, b int) { events[a], events[b] = events[b], events[a] })
	for i := range events {
		events[i].Place.Offset = int64(i)
	}
	return events
}

func benchVersion() *experiment.Version {
	day := experiment.Duration(24 * time.Hour)
	return &experiment.Version{Number: 1, Experiments: []experiment.Experiment{{
		Key: "checkout-cta", UnitKind: "user", Window: day, Crossovers: experiment.Exclude,
		Variants:   []experiment.Variant{{Key: "control"}, {Key: "treatment"}},
		Dimensions: []experiment.Dimension{{Attribute: "country", Values: []string{"DE", "FR", "US"}}, {Attribute: "platform", Values: []string{"web", "ios"}}},
		Iterations: []experiment.Iteration{{
			Number: 1, Start: ms(origin), EnrolUntil: ms(origin).Add(24 * time.Hour), End: ms(origin).Add(48 * time.Hour),
			Metrics: []experiment.Metric{
				{Name: "conversion", Event: "purchase", Kind: experiment.Proportion},
				{Name: "revenue", Event: "purchase", Kind: experiment.Mean, Decimals: 2},
				{Name: "views", Event: "view", Kind: experiment.Count},
			},
		}},
	}}}
}

// BenchmarkJoin takes the whole stream in, with a Take every 100,000 events.
func BenchmarkJoin(b *testing.B) {
	events := stream(*benchUnits)
	b.ResetTimer()
	var j *ingest.Joiner
	for range b.N {
		j = ingest.NewJoiner([]string{"exposures", "outcomes"}, benchVersion())
		for i := range events {
			j.Add(&events[i])
			if i%100_000 == 99_999 {
				j.Take()
			}
		}
	}
	report(b, len(events), j)
}

// BenchmarkRestore reads the same rows back, sorted by unit and time.
func BenchmarkRestore(b *testing.B) {
	events := stream(*benchUnits)
	sortRows(events)
	b.ResetTimer()
	var j *ingest.Joiner
	for range b.N {
		j = ingest.NewJoiner([]string{"exposures", "outcomes"}, benchVersion())
		for i := range events {
			j.Restore(&events[i])
		}
	}
	report(b, len(events), j)
}

func report(b *testing.B, events int, j *ingest.Joiner) {
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(j.Bytes())/float64(events), "B/event")
	b.ReportMetric(float64(j.Bytes())/float64(j.Units()), "B/unit")
}

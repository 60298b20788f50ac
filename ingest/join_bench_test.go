package ingest_test

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

var benchUnits = flag.Int("units", 1_000_000, "units of the join benchmarks; four events each")

// stream is the join's workload: each unit is exposed, seen again, and has two
// outcomes, spread over half a day. Events are made batch by batch, outside the
// measured time, so that neither their memory nor its collection is measured.
type stream struct {
	order []uint32 // event 4·unit + k
	batch []ingest.Event
	cpu   time.Duration
}

// newStream orders the events by unit and time, as the table of events does, and
// then by a key of the event, if there is one.
func newStream(units int, key func(event uint64) uint64) *stream {
	s := &stream{order: make([]uint32, 4*units), batch: make([]ingest.Event, 10_000)}
	for i := range s.order {
		s.order[i] = uint32(i)
	}
	if key != nil {
		slices.SortFunc(s.order, func(a, b uint32) int { return cmp.Compare(key(uint64(a)), key(uint64(b))) })
	}
	return s
}

// arrival is a log as producers write one: by time, each event up to ten minutes
// late. Random order is the worst that a backfill can do.
func arrival(event uint64) uint64 {
	return scramble(event/4)%43_200_000 + event%4*60_000 + scramble(event)%600_000
}

func scramble(v uint64) uint64 {
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

// fill makes the events from position at on and returns them.
func (s *stream) fill(at int) []ingest.Event {
	countries, platforms := [...]string{"DE", "FR", "US", "ES"}, [...]string{"web", "ios", "android"}
	n := min(len(s.batch), len(s.order)-at)
	for i := range n {
		event := uint64(s.order[at+i])
		u, k := event/4, event%4
		h := scramble(u + 1) // no unit is zero
		e := ingest.Event{
			Type: ingest.Exposure, T: origin + int64(h%43_200_000) + int64(k)*60_000, UnitKind: "user",
			Unit: ingest.Unit{Hi: h, Lo: scramble(h)}, ID: strconv.FormatUint(scramble(event), 16),
		}
		if e.Place.Offset = int64(at + i); k%2 == 0 {
			e.Experiment, e.Variant = "checkout-cta", [...]string{"control", "treatment"}[u&1]
			e.Attrs = []ingest.Attr{{Name: "country", Value: countries[h>>8&3]}, {Name: "platform", Value: platforms[h>>16%3]}}
		} else {
			e.Type, e.Place.Topic, e.Name, e.Value = ingest.Outcome, 1, [...]string{"purchase", "view"}[k/2], ingest.Value{Lo: 19_990_000_000_000}
		}
		s.batch[i] = e
	}
	return s.batch[:n]
}

// run passes the whole stream by, measuring only what happens in each.
func (s *stream) run(b *testing.B, each func(at int, events []ingest.Event)) {
	for at := 0; at < len(s.order); at += len(s.batch) {
		b.StopTimer()
		events := s.fill(at)
		b.StartTimer()
		from := cpuTime()
		each(at, events)
		s.cpu += cpuTime() - from
	}
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
	for name, key := range map[string]func(uint64) uint64{"by_time": arrival, "at_random": scramble} {
		b.Run(name, func(b *testing.B) {
			s := newStream(*benchUnits, key)
			var j *ingest.Joiner
			var fates []ingest.Fate
			for range b.N {
				j = ingest.NewJoiner([]string{"exposures", "outcomes"}, benchVersion())
				s.run(b, func(at int, events []ingest.Event) {
					fates = j.AddAll(events, fates[:0])
					if at%100_000 == 0 {
						j.Take()
					}
				})
			}
			s.report(b, j)
		})
	}
}

// BenchmarkRestore reads the same rows back, unit by unit.
func BenchmarkRestore(b *testing.B) {
	s := newStream(*benchUnits, nil)
	var j *ingest.Joiner
	for range b.N {
		j = ingest.NewJoiner([]string{"exposures", "outcomes"}, benchVersion())
		s.run(b, func(_ int, events []ingest.Event) {
			for i := range events {
				j.Restore(&events[i])
			}
		})
	}
	s.report(b, j)
}

// BenchmarkAdopt counts a whole restored shard under its first version.
func BenchmarkAdopt(b *testing.B) {
	s := newStream(*benchUnits, nil)
	var j *ingest.Joiner
	for range b.N {
		j = ingest.NewJoiner([]string{"exposures", "outcomes"}, nil)
		s.run(b, func(_ int, events []ingest.Event) {
			for i := range events {
				j.Restore(&events[i])
			}
		})
		b.ResetTimer()
		from := cpuTime()
		j.Adopt(benchVersion())
		s.cpu = cpuTime() - from
	}
	s.report(b, j)
}

// BenchmarkAdoptKill ends another experiment, of a thousandth of the units: what a
// kill costs the shard that its own experiment is not all of.
func BenchmarkAdoptKill(b *testing.B) {
	for _, shared := range []bool{false, true} {
		b.Run(fmt.Sprintf("shared-bit-%v", shared), func(b *testing.B) { benchAdoptKill(b, shared) })
	}
}

func benchAdoptKill(b *testing.B, shared bool) {
	s := newStream(*benchUnits, arrival)
	v := benchVersion()
	v.Experiments = append(v.Experiments, v.Experiments[0])
	j := ingest.NewJoiner([]string{"exposures", "outcomes"}, v)
	name := "small"
	for n := 0; j.ShareBit(name, v.Experiments[0].Key) != shared; n++ {
		name = fmt.Sprintf("small-%d", n)
	}
	v.Experiments[1].Key = name
	j.Adopt(v)
	for at := 0; at < len(s.order); at += len(s.batch) {
		events := s.fill(at)
		for i := range events {
			if e := &events[i]; e.Experiment != "" && e.Unit.Lo%1000 == 0 {
				e.Experiment = name
			}
		}
		j.AddAll(events, nil)
	}
	j.Take()
	from := cpuTime()
	for n := 0; b.Loop(); n++ {
		next := benchVersion()
		next.Experiments = append(next.Experiments, next.Experiments[0])
		small := &next.Experiments[1]
		small.Key, small.Iterations = name, slices.Clone(small.Iterations)
		small.Iterations[0].End = ms(origin).Add(time.Duration(n%2+1) * 6 * time.Hour)
		if !j.Adopt(next) || len(j.Take()) == 0 {
			b.Fatal("the end of an experiment changes no sum")
		}
	}
	b.ReportMetric(float64((cpuTime()-from).Microseconds())/float64(b.N), "cpu-µs/op")
}

func (s *stream) report(b *testing.B, j *ingest.Joiner) {
	events := float64(len(s.order) * b.N)
	b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(events/s.cpu.Seconds(), "events/cpu-s")
	b.ReportMetric(float64(j.Bytes())/float64(len(s.order)), "B/event")
	b.ReportMetric(float64(j.Bytes())/float64(j.Units()), "B/unit")
}

// cpuTime is what the process has used so far: on a shared machine it says more
// than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

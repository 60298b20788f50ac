package clickhouse_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

func BenchmarkAppendEvents(b *testing.B) {
	s := newStore(b)
	for _, size := range []int{10_000, 50_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			events := benchEvents(size)
			began := s.spent(b)
			for i := range b.N {
				for j := range events {
					events[j].Place.Offset += int64(i * size)
				}
				if err := s.AppendEvents(b.Context(), 0, names, events, nil); err != nil {
					b.Fatal(err)
				}
			}
			s.report(b, began, size*b.N, "event")
		})
	}
}

// spent is the processor time of this process and of the engine: on a machine
// that others use too it says more than the time on the wall.
type spent struct{ client, engine time.Duration }

func (s store) spent(b testing.TB) spent {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.engine.Pid()))
	if err != nil {
		b.Fatal(err)
	}
	var user, system int64 // fields 14 and 15, in hundredths of a second
	fields := strings.Fields(string(stat))
	if _, err := fmt.Sscan(fields[13]+" "+fields[14], &user, &system); err != nil {
		b.Fatal(err)
	}
	return spent{time.Duration(u.Utime.Nano() + u.Stime.Nano()), time.Duration(user+system) * 10 * time.Millisecond}
}

// report gives the rate and the cost of each of n things.
func (s store) report(b *testing.B, began spent, n int, unit string) {
	b.Helper()
	end := s.spent(b)
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), unit+"/s")
	b.ReportMetric(float64(end.client-began.client)/float64(n), "client-ns/"+unit)
	b.ReportMetric(float64(end.engine-began.engine)/float64(n), "engine-ns/"+unit)
}

// benchEvents look like live traffic: one day, many units, one or two attributes.
func benchEvents(n int) []ingest.Event {
	events := someEvents(rand.New(rand.NewPCG(1, 1)), n)
	for i := range events {
		e := &events[i]
		e.T = 1_700_000_000_000 + int64(i)
		e.KafkaT = e.T + 5
		e.Unit = ingest.Unit{Hi: rand.Uint64(), Lo: rand.Uint64()}
		e.Attrs = []ingest.Attr{{Name: "browser", Value: "firefox"}, {Name: "country", Value: "DE"}}[i%2:]
		e.Value = ingest.Int64(int64(i) * 1_000_000_000)
		e.ID = "0123456789abcdef"
	}
	return events
}

func BenchmarkAppendPart(b *testing.B) {
	for _, rows := range []int{100, 10_000, 100_000, 500_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			s := newStore(b)
			all := make([]ingest.Row, rows)
			for i := range all {
				all[i] = cell(fmt.Sprint("m", i%10), []string{"c", "t"}[i/10%2], 60_000*int64(i/20), ingest.Delta{N: 1, Sum: ingest.Int64(int64(i)), SumSquares: ingest.Square(int64(i)), Newest: 1_700_000_000_000})
			}
			seq, began := uint64(0), s.spent(b)
			for b.Loop() {
				seq++
				mustAppend(b, s.DB, part(0, seq, all...))
			}
			s.report(b, began, int(seq), "part")
		})
	}
}

func BenchmarkMoments(b *testing.B) {
	s := newStore(b)
	const shards, parts = 8, 20
	for shard := range uint16(shards) {
		for seq := uint64(1); seq <= parts; seq++ {
			mustAppend(b, s.DB, part(shard, seq, deltas(shard, seq, 2000)...))
		}
	}
	specs := []clickhouse.MomentsSpec{{Experiment: "e1", Iteration: 1}}
	began, looks := s.spent(b), 0
	for b.Loop() {
		looks++
		if _, err := s.Moments(b.Context(), specs); err != nil {
			b.Fatal(err)
		}
	}
	s.report(b, began, looks, "look")
}

// manySpecs are 1,000 experiments of ten metrics, and a row for each of their cells.
func manySpecs() (specs []clickhouse.MomentsSpec, rows []ingest.Row) {
	for e := range 1000 {
		spec := clickhouse.MomentsSpec{Experiment: fmt.Sprintf("experiment-%04d", e), Iteration: 1, Matured: map[string]time.Time{}}
		for m := range 10 {
			name := fmt.Sprint("metric-", m)
			spec.Matured[name] = time.UnixMilli(1_700_000_000_000)
			for _, variant := range []string{"c", "t"} {
				r := cell(name, variant, 1_700_000_040_000, ingest.Delta{N: 1, NonZero: 1, Sum: ingest.Int64(5), SumSquares: ingest.Int64(25), Newest: 1_700_000_000_000})
				r.Experiment = spec.Experiment
				rows = append(rows, r)
			}
		}
		specs = append(specs, spec)
	}
	return specs, rows
}

// BenchmarkMomentsOfMany is the reading of a guard of 1,000 experiments of ten
// metrics, in four shards of some parts each.
func BenchmarkMomentsOfMany(b *testing.B) {
	s := newStore(b)
	const shards, parts = 4, 5
	specs, rows := manySpecs()
	for shard := range uint16(shards) {
		for seq := uint64(1); seq <= parts; seq++ {
			mustAppend(b, s.DB, part(shard, seq, rows...))
		}
	}
	began, looks := s.spent(b), 0
	for b.Loop() {
		looks++
		m, err := s.Moments(b.Context(), specs)
		if err != nil || len(m.Cells) != len(rows) {
			b.Fatal(len(m.Cells), err)
		}
	}
	s.report(b, began, looks, "look")
}

func BenchmarkEventsBelow(b *testing.B) {
	s := newStore(b)
	const size, blocks = 50_000, 4
	events := benchEvents(size)
	for range blocks {
		if err := s.AppendEvents(b.Context(), 0, names, events, nil); err != nil {
			b.Fatal(err)
		}
		for i := range events {
			events[i].Place.Offset += size
		}
	}
	next := map[string]int64{"exposures": 1 << 40, "outcomes": 1 << 40}
	began := s.spent(b)
	read := 0
	for b.Loop() {
		if err := s.EventsBelow(b.Context(), 0, next, func(*ingest.Event) error { read++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	s.report(b, began, read, "event")
}

package clickhouse_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

func BenchmarkAppendEvents(b *testing.B) {
	s := newStore(b)
	for _, size := range []int{10_000, 50_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			events := benchEvents(size)
			for i := range b.N {
				for j := range events {
					events[j].Place.Offset += int64(i * size)
				}
				if err := s.AppendEvents(b.Context(), 0, names, events, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
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
			seq := uint64(0)
			for b.Loop() {
				seq++
				mustAppend(b, s.DB, part(0, seq, all...))
			}
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
	b.ResetTimer()
	for b.Loop() {
		if _, err := s.Moments(b.Context(), specs); err != nil {
			b.Fatal(err)
		}
	}
}

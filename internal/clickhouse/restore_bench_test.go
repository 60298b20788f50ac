package clickhouse_test

import (
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

var (
	restoreUnits  = flag.Int("restore.units", 200_000, "units of BenchmarkRestore, two events each; 10,000,000 is the long form")
	restoreShards = flag.Int("restore.shards", 4, "shards of BenchmarkRestore")
)

// BenchmarkRestore brings all shards of a consumer back, side by side: what a
// restart costs.
func BenchmarkRestore(b *testing.B) {
	s := newStore(b)
	admin := s.raw(b, s.engine.Admin())
	for shard := range *restoreShards {
		err := admin.Exec(b.Context(), fmt.Sprintf(`INSERT INTO events (topic, shard, offset, t, kafka_t, type, unit_kind, unit, id, experiment, variant, event, value, attrs)
			SELECT if(k = 0, 'exposures', 'outcomes'), %d, number, fromUnixTimestamp64Milli(1700000000000 + intDiv(number, 100)) AS at, at, if(k = 0, 'exposure', 'outcome'), 'user',
				bitXor(bitShiftLeft(toUInt128(sipHash64(unit_number, %d)), 64), toUInt128(sipHash64(unit_number))), lower(hex(sipHash64(number))),
				if(k = 0, 'checkout-cta', ''), if(k = 0, if(unit_number %% 2 = 0, 'control', 'treatment'), ''), if(k = 0, '', 'purchase'), 19.99,
				if(k = 0, map('country', ['DE', 'FR', 'US'][1 + unit_number %% 3], 'platform', ['web', 'ios'][1 + unit_number %% 2]), map())
			FROM (SELECT number, intDiv(number, 2) AS unit_number, number %% 2 AS k FROM numbers(%d))`, shard, shard, 2*(*restoreUnits / *restoreShards)))
		if err != nil {
			b.Fatal(err)
		}
	}
	next := map[string]int64{"exposures": 1 << 40, "outcomes": 1 << 40}
	began := s.spent(b)
	b.ResetTimer()
	var bytes, units int64
	for range b.N {
		joiners := make([]*ingest.Joiner, *restoreShards)
		var group errgroup.Group
		for shard := range joiners {
			group.Go(func() error {
				j := ingest.NewJoiner(names, restored())
				joiners[shard] = j
				return s.EventsBelow(b.Context(), uint16(shard), next, func(e *ingest.Event) error { j.Restore(e); return nil })
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
		bytes, units = 0, 0
		for _, j := range joiners {
			bytes += j.Bytes()
			units += int64(j.Units())
		}
		runtime.KeepAlive(joiners)
	}
	b.StopTimer()
	if want := *restoreUnits / *restoreShards * *restoreShards; int(units) != want {
		b.Fatalf("%d units of %d", units, want)
	}
	s.report(b, began, 2*int(units)*b.N, "event")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(units)*1e7, "s/10M-units")
	b.ReportMetric(float64(bytes)/float64(units), "B/unit")
}

// restored is the version under which the units come back.
func restored() *experiment.Version {
	start := time.UnixMilli(1_699_990_000_000)
	end := start.Add(90 * 24 * time.Hour)
	return &experiment.Version{Number: 1, Experiments: []experiment.Experiment{{
		Key: "checkout-cta", UnitKind: "user", Window: experiment.Duration(24 * time.Hour), Variants: []experiment.Variant{{Key: "control"}, {Key: "treatment"}},
		Iterations: []experiment.Iteration{{
			Number: 1, Start: start, EnrolUntil: end, End: end, Phases: []experiment.Phase{{Number: 1, From: start}},
			Metrics: []experiment.Metric{{Name: "revenue", Event: "purchase", Kind: experiment.Mean, Decimals: 2}},
		}},
	}}}
}

package kafka

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// nothing is a store without a memory: what remains is the consumer's own work,
// with the broker in the same process.
type nothing struct{ *memory }

func (nothing) AppendEvents(context.Context, uint16, []string, []ingest.Event, []ingest.Dead) error {
	return nil
}

func (nothing) NewRows(uint16, []string) Rows { return new(counted) }

// counted are rows of which only the number is kept.
type counted int

func (c *counted) Add(events []ingest.Event)    { *c += counted(len(events)) }
func (c *counted) Len() int                     { return int(*c) }
func (c *counted) Append(context.Context) error { return nil }
func (c *counted) Reset()                       { *c = 0 }

func (nothing) AppendPart(context.Context, []Topic, ingest.Part) (Appended, error) {
	return Committed, nil
}

// BenchmarkConsumer reads 400,000 native events of about 190 bytes, a quarter of
// them exposures, up to the end of four shards.
func BenchmarkConsumer(b *testing.B) {
	const units, perUnit = 100_000, 4
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(shards, exposures, outcomes))
	if err != nil {
		b.Fatal(err)
	}
	defer cluster.Close()
	now := time.Now()
	produceLoad(b, cluster, now, units, perUnit)
	store := nothing{newMemory()}
	store.apply(version(now, "spend"))
	var mu sync.Mutex
	stages := map[Stage]time.Duration{}
	for b.Loop() {
		cfg := DefaultConfig()
		cfg.Brokers, cfg.DeadLetters, cfg.UntilEnd = cluster.ListenAddrs(), "", true
		cfg.Observe = func(s Stage, took time.Duration, _ int) {
			mu.Lock()
			defer mu.Unlock()
			stages[s] += took
		}
		c, err := New(cfg, store)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	events := float64(b.N) * units * perUnit
	b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
	for _, s := range []Stage{Decode, Join} {
		b.ReportMetric(float64(stages[s].Nanoseconds())/events, string(s)+"-ns/event")
	}
	b.ReportMetric(0, "ns/op")
}

func produceLoad(b *testing.B, cluster *kfake.Cluster, now time.Time, units, perUnit int) {
	b.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.MaxBufferedRecords(1<<20), kgo.ProducerLinger(50*time.Millisecond))
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	var failed error
	for n := range perUnit {
		for u := range units {
			unit := fmt.Sprintf("user-%08d", u)
			r := &kgo.Record{Topic: exposures, Key: []byte(unit)}
			id := fmt.Sprintf("%08x%08x", u, n)
			if n == 0 {
				r.Value = fmt.Appendf(nil, `{"type":"exposure","id":%q,"ts":%d,"unit":%q,"unit_kind":"user","experiment":"cta","variant":%q,"attrs":{"country":"DE","platform":"ios"}}`,
					id, now.UnixMilli(), unit, []string{"control", "treatment"}[u%2])
			} else {
				r.Topic = outcomes
				r.Value = fmt.Appendf(nil, `{"type":"outcome","id":%q,"ts":%d,"unit":%q,"unit_kind":"user","event":"purchase","value":%d.%02d,"attrs":{"currency":"EUR","shop":"main"}}`,
					id, now.UnixMilli(), unit, u%90, n)
			}
			cl.Produce(b.Context(), r, func(_ *kgo.Record, err error) {
				if err != nil {
					failed = err
				}
			})
		}
	}
	if err := cl.Flush(b.Context()); err != nil || failed != nil {
		b.Fatal(err, failed)
	}
}

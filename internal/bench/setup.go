package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/simulate"
)

// topics are the source topics, sorted by name.
var topics = [2]string{"assay.exposures", "assay.outcomes"}

// bencher holds what all measurements share.
type bencher struct {
	load    simulate.Load
	kafka   *embedded.Kafka
	engine  *embedded.ClickHouse
	set     *experiment.Set
	runs    int
	verify  bool
	stages  map[string]time.Duration
	records []ingest.Record // of one shard, for the parts alone

	verified, verifiedCPU time.Duration // of the last run; 0: it was not asked for

	cpuSelf, cpuEngine float64 // microseconds an event in the last run of the whole path
}

// prepare starts the servers and writes the load into the broker.
func prepare(ctx context.Context, dir string, l simulate.Load) (_ *bencher, err error) {
	b := &bencher{load: l}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.set, err = files(); err != nil {
		return b, err
	}
	if b.engine, err = embedded.StartClickHouse(ctx, embedded.ClickHouseConfig{Dir: filepath.Join(dir, "clickhouse")}); err != nil {
		return b, fmt.Errorf("start ClickHouse: %w", err)
	}
	b.kafka, err = embedded.StartKafka(ctx, embedded.KafkaConfig{
		Dir: filepath.Join(dir, "kafka"), Topics: map[string]int32{topics[0]: l.Partitions, topics[1]: l.Partitions}})
	if err != nil {
		return b, fmt.Errorf("start Kafka: %w", err)
	}
	return b, b.produce(ctx)
}

func (b *bencher) close() error {
	var errs []error
	if b.kafka != nil {
		errs = append(errs, b.kafka.Close())
	}
	if b.engine != nil {
		errs = append(errs, b.engine.Close())
	}
	return errors.Join(errs...)
}

// produce writes the load, and keeps shard 0 for the parts alone.
func (b *bencher) produce(ctx context.Context) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.kafka.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.MaxBufferedRecords(100_000))
	if err != nil {
		return fmt.Errorf("make a producer: %w", err)
	}
	defer cl.Close()
	now := time.Now().UnixMilli()
	var offsets [2]int64
	for r := range b.load.Records {
		value := append([]byte(nil), r.Value...)
		cl.Produce(ctx, &kgo.Record{Topic: topics[r.Topic], Partition: r.Partition, Key: append([]byte(nil), r.Key...), Value: value}, nil)
		if r.Partition == 0 {
			b.records = append(b.records, ingest.Record{Place: ingest.Place{Topic: uint8(r.Topic), Offset: offsets[r.Topic]}, KafkaT: now, Value: value})
			offsets[r.Topic]++
		}
	}
	if err := cl.Flush(ctx); err != nil {
		return fmt.Errorf("write the load: %w", err)
	}
	return nil
}

// files are the experiment and its three metrics.
func files() (*experiment.Set, error) {
	set, problems := experiment.Parse([]experiment.File{
		{Name: "experiments/bench.yaml", Data: []byte(`key: bench
owner: bench
variants: {control: 50%, treatment: 50%}
control: control
window: 1h
dimensions: [{attribute: country, values: [DE, FR]}, {attribute: device, values: [mobile, desktop]}]
goals: [revenue, conversion, purchases]
iterations: [{start: 2026-01-01T00:00:00Z, enrol_until: 2099-01-01T00:00:00Z}]
`)},
		metric("revenue", "mean", "decimals: 2\n"), metric("conversion", "proportion", ""), metric("purchases", "count", ""),
	})
	return set, problems.Err()
}

func metric(name, kind, more string) experiment.File {
	return experiment.File{Name: "metrics/" + name + ".yaml", Data: []byte(
		"name: " + name + "\nowner: bench\nevent: purchase\nkind: " + kind + "\ndirection: increase\n" + more)}
}

// database makes a fresh database with the experiment in force.
func (b *bencher) database(ctx context.Context) (*clickhouse.DB, experiment.Version, error) {
	b.runs++
	name := fmt.Sprintf("assay_bench_%d", b.runs)
	open := func(u embedded.User) (*clickhouse.DB, error) {
		return clickhouse.Open(ctx, clickhouse.Config{Addr: []string{b.engine.Addr()}, Database: name, User: u.Name, Password: u.Password, Code: "bench"})
	}
	admin, err := open(b.engine.Admin())
	if err != nil {
		return nil, experiment.Version{}, err
	}
	defer func() { _ = admin.Close() }()
	if err := admin.Migrate(ctx); err != nil {
		return nil, experiment.Version{}, err
	}
	db, err := open(b.engine.Writer())
	if err != nil {
		return nil, experiment.Version{}, err
	}
	v, _, problems := experiment.Apply(nil, b.set, time.Now(), "bench")
	if err := problems.Err(); err != nil {
		return db, experiment.Version{}, err
	}
	return db, *v, db.AppendVersion(ctx, *v)
}

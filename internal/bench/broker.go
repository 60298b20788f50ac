package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/realkafka"
	"github.com/assay-dev/assay/internal/simulate"
)

// broker is the Kafka that is read from: Apache's in a process of its own, or the
// embedded one in this process.
type broker struct {
	name  string
	addrs []string
	pid   func() int // 0: this process
	close func() error
}

// startBroker starts Apache Kafka where its jars are, else the embedded broker.
func startBroker(ctx context.Context, jars, dir string) (*broker, error) {
	if jars == "" {
		k, err := embedded.StartKafka(ctx, embedded.KafkaConfig{Dir: dir})
		if err != nil {
			return nil, fmt.Errorf("start the embedded Kafka: %w", err)
		}
		return &broker{"the embedded broker, in the consumer's process", []string{k.Addr()}, func() int { return 0 }, k.Close}, nil
	}
	k, err := realkafka.Start(ctx, realkafka.Config{Jars: jars, Dir: filepath.Join(dir, "kafka"), Brokers: 1})
	if err != nil {
		return nil, err
	}
	return &broker{"Apache Kafka", k.Addrs(), func() int { return k.Pid(1) }, func() error { k.Close(); return nil }}, nil
}

// source is a pair of topics: exposures and outcomes, sorted by name.
type source [2]string

func sourceNamed(name string) source {
	return source{"assay." + name + ".exposures", "assay." + name + ".outcomes"}
}

// record copies a record of the load, to be produced.
func (s source) record(r simulate.LoadRecord) *kgo.Record {
	return &kgo.Record{Topic: s[r.Topic], Partition: r.Partition, Key: slices.Clone(r.Key), Value: slices.Clone(r.Value)}
}

// create makes the topics.
func (b *bencher) create(ctx context.Context, topics source, partitions int32) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.broker.addrs...))
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer cl.Close()
	made, err := kadm.NewClient(cl).CreateTopics(ctx, partitions, 1, nil, topics[:]...)
	if err := errors.Join(err, made.Error()); err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	return nil
}

// producer writes records to the partitions that the load names.
func (b *bencher) producer() (*kgo.Client, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.broker.addrs...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.MaxBufferedRecords(100_000))
	if err != nil {
		return nil, fmt.Errorf("make a producer: %w", err)
	}
	return cl, nil
}

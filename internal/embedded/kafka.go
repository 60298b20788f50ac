package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// KafkaConfig says where the broker keeps its log and which topics it has.
type KafkaConfig struct {
	// Dir holds the topics; empty keeps them in memory only. It is made if it
	// is missing.
	Dir string
	// Port on 127.0.0.1; 0 takes a free one.
	Port int
	// Topics are made if they are missing, with this many partitions. One that
	// exists keeps its records, its id and its partitions.
	Topics map[string]int32
	// Logger gets the broker's warnings; nil means nobody does.
	Logger *slog.Logger
}

// Kafka is a running broker: one node, without accounts. A record that it
// acknowledged survives the end of this process, kill -9 too, because it was
// written to its file; it does not survive a power cut in the seconds after,
// because the file was not synced. Committed offsets live equally long. What a
// killed process forgets are the sequence numbers of idempotent producers: one
// that was waiting for an answer at that moment may write its batch twice.
//
// Records are read from the files when they are asked for, and memory holds an
// entry for each batch. A start, though, reads the whole log once and needs
// about as much memory as the log has bytes.
type Kafka struct {
	cluster *kfake.Cluster
	addr    string
	lock    *os.File
}

// StartKafka starts the broker and makes the topics. The context bounds the
// start only.
func StartKafka(ctx context.Context, cfg KafkaConfig) (*Kafka, error) {
	k, err := startKafka(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("start kafka: %w", err)
	}
	return k, nil
}

func startKafka(ctx context.Context, cfg KafkaConfig) (_ *Kafka, err error) {
	k := &Kafka{}
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.Ports(cfg.Port),
		kfake.ClusterID("assay-embedded"),
		// Nothing is ever deleted: the event's time, which old files bring
		// along, must not decide what is kept.
		kfake.BrokerConfigs(map[string]string{"log.retention.ms": "-1", "log.retention.bytes": "-1"}),
	}
	if cfg.Logger != nil {
		opts = append(opts, kfake.WithLogger(kafkaLogger{cfg.Logger}))
	}
	if cfg.Dir != "" {
		if k.lock, err = lockDir(cfg.Dir); err != nil {
			return nil, err
		}
		opts = append(opts, kfake.DataDir(filepath.Join(cfg.Dir, dataDir)))
	}
	if k.cluster, err = kfake.NewCluster(opts...); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	k.addr = k.cluster.ListenAddrs()[0]
	if err := k.createTopics(ctx, cfg.Topics); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// createTopics goes through the protocol, because the topics that the broker
// is started with count for an empty directory only.
func (k *Kafka) createTopics(ctx context.Context, topics map[string]int32) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(k.addr))
	if err != nil {
		return err
	}
	defer client.Close()
	for name, partitions := range topics {
		_, err := kadm.NewClient(client).CreateTopic(ctx, partitions, 1, nil, name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", name, err)
		}
	}
	return nil
}

// Addr is the broker's host:port.
func (k *Kafka) Addr() string { return k.addr }

// Close stops the broker. A second call does nothing.
func (k *Kafka) Close() error {
	if k.cluster != nil {
		k.cluster.Close()
	}
	if k.lock == nil {
		return nil
	}
	if err := k.lock.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// kafkaLogger passes on what the broker finds worth a warning.
type kafkaLogger struct{ log *slog.Logger }

func (l kafkaLogger) Logf(level kfake.LogLevel, format string, args ...any) {
	if !slices.Contains([]kfake.LogLevel{kfake.LogLevelError, kfake.LogLevelWarn}, level) {
		return
	}
	l.log.Warn("kafka", "message", fmt.Sprintf(format, args...))
}

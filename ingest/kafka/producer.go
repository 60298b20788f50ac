package kafka

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// ProducerConfig says where events go.
type ProducerConfig struct {
	Brokers   []string
	Exposures string    // topic
	Outcomes  string    // topic; may be the same
	Client    []kgo.Opt // TLS, SASL, dialer
}

// DefaultProducerConfig writes to the native topics.
func DefaultProducerConfig() ProducerConfig {
	return ProducerConfig{Exposures: "assay.exposures", Outcomes: "assay.outcomes"}
}

// Producer writes native events. The unit is the record's key, so that the
// default partitioner (murmur2) brings all of a unit's events to one shard. The
// record's timestamp is the time of writing, never the event's: retention goes
// by it, and would delete last year's events the moment they arrive.
type Producer struct {
	cfg    ProducerConfig
	client *kgo.Client

	mu  sync.Mutex
	err error // the first record that was not written
}

// NewProducer connects lazily.
func NewProducer(cfg ProducerConfig) (*Producer, error) {
	c := Config{Brokers: cfg.Brokers, Client: cfg.Client}
	client, err := c.client(kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()))
	if err != nil {
		return nil, err
	}
	return &Producer{cfg: cfg, client: client}, nil
}

// Produce hands one event over. It returns before the event is written; what
// could not be written is the error of a later Produce or of Flush. The value
// must not be changed afterwards. It blocks while too much is under way.
func (p *Producer) Produce(ctx context.Context, kind ingest.Type, unit string, value []byte) error {
	if err := p.failed(); err != nil {
		return err
	}
	topic := p.cfg.Outcomes
	if kind == ingest.Exposure {
		topic = p.cfg.Exposures
	}
	p.client.Produce(ctx, &kgo.Record{Topic: topic, Key: []byte(unit), Value: value}, func(_ *kgo.Record, err error) {
		if err != nil {
			p.fail(fmt.Errorf("produce to topic %s: %w", topic, err))
		}
	})
	return nil
}

// Flush waits until everything that was handed over is written.
func (p *Producer) Flush(ctx context.Context) error {
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return p.failed()
}

// Close gives up what is not written yet: Flush comes before.
func (p *Producer) Close() { p.client.Close() }

func (p *Producer) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
}

func (p *Producer) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

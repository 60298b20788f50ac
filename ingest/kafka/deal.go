package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// DealConfig is a [Deal]'s.
type DealConfig struct {
	Brokers []string
	Topic   string // the source
	Target  string // the topic of the copies
	Group   string // of the stages that will copy on
	Shards  int32
	Client  []kgo.Opt
}

// Deal writes stored events to the topic of copies that a stage ([Rekey]) writes to,
// and then has the stage begin behind them. It is used for what a stage cannot read
// any more: records that were deleted, of whose units the hashes alone are left.
type Deal struct {
	cfg    DealConfig
	client *kgo.Client
	failed atomic.Pointer[error]
	sent   uint64
}

// NewDeal makes the topic of the copies if it is missing. Fresh tells that it was.
func NewDeal(ctx context.Context, cfg DealConfig) (d *Deal, fresh bool, err error) {
	c := Config{Brokers: cfg.Brokers, Client: cfg.Client}
	d = &Deal{cfg: cfg}
	d.client, err = c.client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(100_000),
		kgo.UnknownTopicRetries(-1), // one that was just made is not known everywhere at once
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()))
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if err != nil {
			d.client.Close()
		}
	}()
	if _, err = describe(ctx, d.client, []string{cfg.Topic}); err != nil {
		return nil, false, err
	}
	var missing *TopicsError
	l, err := describe(ctx, d.client, []string{cfg.Target})
	switch {
	case errors.As(err, &missing):
		fresh = true
		answer, err := kadm.NewClient(d.client).CreateTopic(ctx, cfg.Shards, -1, nil, cfg.Target)
		if err == nil {
			err = answer.Err
		}
		if err != nil {
			return nil, false, fmt.Errorf("make topic %s: %w", cfg.Target, err)
		}
	case err != nil:
		return nil, false, err
	case l.partitions != cfg.Shards:
		return nil, false, fmt.Errorf("topic %s has %d partitions, not %d", cfg.Target, l.partitions, cfg.Shards)
	}
	return d, fresh, nil
}

// Close gives the connection up.
func (d *Deal) Close() { d.client.Close() }

// Sent is how many events were written.
func (d *Deal) Sent() uint64 { return d.sent }

// Copied is up to where a partition of the source is in the topic of the copies already.
func (d *Deal) Copied(ctx context.Context) (map[int32]int64, error) {
	return copied(ctx, kadm.NewClient(d.client), d.cfg.Group, d.cfg.Topic)
}

// Send writes a stored event of a partition. It waits while too much is under way.
func (d *Deal) Send(ctx context.Context, e *ingest.Event, partition int32) error {
	if failed := d.failed.Load(); failed != nil {
		return fmt.Errorf("write copies: %w", *failed)
	}
	value, headers, err := ingest.StoredCopy(e, partition)
	if err != nil {
		return fmt.Errorf("event at partition %d, offset %d of topic %s: %w", partition, e.Place.Offset, d.cfg.Topic, err)
	}
	r := &kgo.Record{Topic: d.cfg.Target, Partition: e.Unit.Partition(d.cfg.Shards), Value: value}
	for _, h := range headers {
		r.Headers = append(r.Headers, kgo.RecordHeader(h))
	}
	d.sent++
	d.client.Produce(ctx, r, func(_ *kgo.Record, err error) {
		if err != nil {
			d.failed.CompareAndSwap(nil, &err)
		}
	})
	return nil
}

// Done waits until everything is written, and has the stage begin at these offsets of
// the source. No stage of the group may run.
func (d *Deal) Done(ctx context.Context, next map[int32]int64) error {
	if err := d.client.Flush(ctx); err != nil {
		return fmt.Errorf("write copies: %w", err)
	}
	if failed := d.failed.Load(); failed != nil {
		return fmt.Errorf("write copies: %w", *failed)
	}
	offsets := kadm.Offsets{}
	for p, at := range next {
		offsets.Add(kadm.Offset{Topic: d.cfg.Topic, Partition: p, At: at, LeaderEpoch: -1})
	}
	if err := kadm.NewClient(d.client).CommitAllOffsets(ctx, d.cfg.Group, offsets); err != nil {
		return fmt.Errorf("commit where the stage begins: %w", err)
	}
	return nil
}

package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// rekeyPatience bounds how long a stage waits for records while it looks whether
// the end is reached.
const rekeyPatience = 500 * time.Millisecond

// copy takes records, writes their copies and commits their offsets, in this
// order, until the goals are committed or something fails.
func (r *Rekey) copy(ctx context.Context, goals kadm.ListedOffsets) error {
	client, err := r.member()
	if err != nil {
		return err
	}
	defer client.Close()
	defer client.AllowRebalance() // else closing waits for ever
	partitions, err := r.partitions(ctx, client)
	if err != nil {
		return err
	}
	for {
		if done, err := r.reached(ctx, client, goals); done || err != nil {
			return err
		}
		if err := r.turn(ctx, client, partitions); err != nil {
			return err
		}
	}
}

// member makes the client that is in the group and writes. A place where no
// record is any more is an error, never a jump.
func (r *Rekey) member() (*kgo.Client, error) {
	return r.client(
		kgo.ConsumerGroup(r.cfg.Group), kgo.ConsumeTopics(r.cfg.Topic),
		kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(heartbeatEvery), kgo.RebalanceTimeout(rebalanceTimeout),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.AdjustFetchOffsetsFn(r.begin),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()),
	)
}

// begin is where copying starts: at the beginning of a partition that was never
// copied, and of one whose next records are gone if somebody accepts that.
func (r *Rekey) begin(ctx context.Context, committed map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	starts, err := listed(kadm.NewClient(client).ListStartOffsets(ctx, r.cfg.Topic))
	if err != nil {
		return nil, fmt.Errorf("list first offsets: %w", err)
	}
	for p, at := range committed[r.cfg.Topic] {
		start, known := starts.Lookup(r.cfg.Topic, p)
		next := at.EpochOffset().Offset
		if lost := start.Offset - next; known && next >= 0 && lost > 0 && r.cfg.AcceptGap {
			r.log.Warn("gap accepted", "topic", r.cfg.Topic, "partition", p, "lost", lost)
			next = -1
		}
		if known && next < 0 {
			committed[r.cfg.Topic][p] = kgo.NewOffset().At(start.Offset)
		}
	}
	return committed, nil
}

func (r *Rekey) partitions(ctx context.Context, client *kgo.Client) (int32, error) {
	l, err := describe(ctx, client, []string{r.cfg.Target})
	return l.partitions, err
}

// reached tells whether everything below the goals is copied, by any stage of the
// group.
func (r *Rekey) reached(ctx context.Context, client *kgo.Client, goals kadm.ListedOffsets) (bool, error) {
	if goals == nil {
		return false, nil
	}
	admin := kadm.NewClient(client)
	starts, err := listed(admin.ListStartOffsets(ctx, r.cfg.Topic))
	if err != nil {
		return false, fmt.Errorf("list first offsets: %w", err)
	}
	next, err := copied(ctx, admin, r.cfg.Group, r.cfg.Topic)
	if err != nil {
		return false, err
	}
	for p, goal := range goals[r.cfg.Topic] {
		if at, known := next[p]; known && at < goal.Offset || !known && starts[r.cfg.Topic][p].Offset < goal.Offset {
			return false, nil
		}
	}
	return true, nil
}

// copied is up to where a group has copied each partition of a topic. Partitions
// that it never touched are not in it.
func copied(ctx context.Context, admin *kadm.Client, group, topic string) (map[int32]int64, error) {
	answer, err := admin.FetchOffsets(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read how far group %s is: %w", group, err)
	}
	out := map[int32]int64{}
	for p, o := range answer.Offsets()[topic] {
		if o.At >= 0 {
			out[p] = o.At
		}
	}
	return out, nil
}

// turn copies what one poll brings.
func (r *Rekey) turn(ctx context.Context, client *kgo.Client, partitions int32) error {
	waiting := ctx
	if r.cfg.UntilEnd {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, rekeyPatience)
		defer cancel()
	}
	fetches := client.PollRecords(waiting, pollSize)
	defer client.AllowRebalance()
	if waiting.Err() != nil && fetches.NumRecords() == 0 {
		return ctx.Err()
	}
	if err := fetchError(fetches); err != nil {
		return r.explain(err)
	}
	if err := r.write(ctx, client, r.copies(fetches, partitions)); err != nil {
		return err
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (r *Rekey) explain(err error) error {
	for _, gap := range []error{kerr.OffsetOutOfRange, kerr.UnknownTopicOrPartition, kerr.UnknownTopicID} {
		if errors.Is(err, gap) {
			return fmt.Errorf("topic %s: records were deleted before they were copied: %w; `assay ingest --accept-gap` goes on without them", r.cfg.Topic, err)
		}
	}
	return err
}

// copies are what the fetched records become, in their order.
func (r *Rekey) copies(fetches kgo.Fetches, partitions int32) []*kgo.Record {
	out := make([]*kgo.Record, 0, fetches.NumRecords())
	var headers []ingest.Header
	fetches.EachRecord(func(rec *kgo.Record) {
		if rec.Attrs.IsControl() {
			return
		}
		headers = headers[:0]
		for _, h := range rec.Headers {
			headers = append(headers, ingest.Header{Key: h.Key, Value: h.Value})
		}
		from := record(rec, 0)
		from.Headers = headers
		events, why := r.cfg.Convert(from)
		at := ingest.Copy{Partition: rec.Partition, Offset: rec.Offset, KafkaT: from.KafkaT}
		for i, e := range events {
			at.Index = i
			out = append(out, r.copyOf(e, at, nil, partitions))
		}
		if why != nil {
			at.Index = len(events)
			e := Keyed{Value: rec.Value}
			if why.Reason == ingest.Filtered || why.Reason == ingest.TooLarge {
				e.Value = nil // its place says where it is
			}
			out = append(out, r.copyOf(e, at, why, partitions))
		}
	})
	return out
}

// copyOf is one record of the topic of the copies. What names no unit stays in
// the partition that its source's number gives.
func (r *Rekey) copyOf(e Keyed, at ingest.Copy, why *ingest.Dead, partitions int32) *kgo.Record {
	to := &kgo.Record{Topic: r.cfg.Target, Value: e.Value, Partition: at.Partition % partitions}
	if e.Unit != "" {
		to.Key = []byte(e.Unit)
		to.Partition = ingest.Partition(to.Key, partitions, ingest.Murmur2)
	}
	if r.cfg.UnitOf != nil && why == nil {
		if unit, ok := r.cfg.UnitOf(e.Value); ok {
			to.Partition = unit.Partition(partitions)
		}
	}
	to.Headers = append(to.Headers, kgo.RecordHeader(at.Header()))
	if why != nil {
		to.Headers = append(to.Headers, kgo.RecordHeader(ingest.DeadHeader(why)))
	}
	return to
}

// write returns when all copies are written. One that is too large for a batch is
// replaced by a note that says so.
func (r *Rekey) write(ctx context.Context, client *kgo.Client, copies []*kgo.Record) error {
	var mu sync.Mutex
	var failed error
	var large []*kgo.Record
	for _, c := range copies {
		client.Produce(ctx, c, func(c *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, kerr.MessageTooLarge) && len(c.Value) > 0:
				large = append(large, c)
			case err != nil && failed == nil:
				failed = err
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		return fmt.Errorf("write copies: %w", err)
	}
	if failed != nil {
		return fmt.Errorf("write copies: %w", failed)
	}
	r.count(copies)
	if len(large) == 0 {
		return nil
	}
	for i, c := range large {
		why := &ingest.Dead{Reason: ingest.TooLarge, Size: len(c.Value), Position: -1, Detail: "too large to be copied"}
		large[i] = &kgo.Record{Topic: c.Topic, Partition: c.Partition,
			Headers: append(c.Headers[:1:1], kgo.RecordHeader(ingest.DeadHeader(why)))}
	}
	return r.write(ctx, client, large)
}

// count tells events from notes by their headers.
func (r *Rekey) count(copies []*kgo.Record) {
	notes := 0
	for _, c := range copies {
		notes += len(c.Headers) - 1
	}
	r.records.WithLabelValues(r.cfg.Topic, "event").Add(float64(len(copies) - notes))
	r.records.WithLabelValues(r.cfg.Topic, "note").Add(float64(notes))
}

package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/assay-dev/assay/ingest"
)

// rereadStep is how many offsets are read again before progress is told.
const rereadStep = 100_000

// Rereading asks for offsets [From, To) of one topic's partition.
type Rereading struct {
	Topic     string
	Partition int32
	From, To  int64
	Progress  func(at int64) // nil: nobody asks
}

// Counted knows how offsets were read when they were counted.
type Counted interface {
	// DecodedRanges are the ranges of a topic that lie in [from, next), or over its
	// borders, each with the decoding and the configuration version under which it was
	// read.
	DecodedRanges(ctx context.Context, shard uint16, topic string, from, next int64) ([]Range, error)
}

// Reread is what was read again.
type Reread struct {
	Events int `json:"events"`
	Dead   int `json:"dead_letters"`
}

// RangeError says why a range cannot be read again.
type RangeError struct{ Problem, Remedy string }

// Error implements error.
func (e *RangeError) Error() string { return e.Problem }

// Hint says what can be done.
func (e *RangeError) Hint() string { return e.Remedy }

// Reread reads a range again that was counted, and writes its event rows and dead
// letters again, as they were read the first time. The ledger is not touched: a
// place that is there already is stored once, so doing it twice changes nothing.
// It is called on a consumer of its own, instead of Run.
func (c *Consumer) Reread(ctx context.Context, counted Counted, r Rereading) (Reread, error) {
	client, err := c.cfg.client()
	if err != nil {
		return Reread{}, err
	}
	defer client.Close()
	c.client, c.admin = client, kadm.NewClient(client)
	if c.layout, err = describe(ctx, client, c.cfg.names()); err != nil {
		return Reread{}, err
	}
	if err := c.decodings.refresh(ctx); err != nil {
		return Reread{}, err
	}
	l, id, err := c.rereading(ctx, r)
	if err != nil {
		return Reread{}, err
	}
	parts, err := counted.DecodedRanges(ctx, l.s.id, r.Topic, r.From, r.To)
	if err != nil {
		return Reread{}, fmt.Errorf("read how the range was read: %w", err)
	}
	rows := &rowCount{Store: c.store}
	c.store = rows
	topic := uint8(slices.Index(l.names, r.Topic))
	for _, part := range stretches(parts, r.From, r.To) {
		part.Topic, part.ID = r.Topic, id
		if err := l.healRange(ctx, part, topic); err != nil {
			return rows.Reread, rereadError(err)
		}
		if r.Progress != nil {
			r.Progress(part.Next)
		}
	}
	return rows.Reread, nil
}

// stretches makes of the ranges of parts, which are many and small, longer ones
// within [from, to): each under one decoding and one version, and short enough for a word about
// progress after it. What no range covers was counted without a record.
func stretches(parts []Range, from, to int64) []Range {
	var out []Range
	for _, p := range parts {
		p.From, p.Next = max(p.From, from), min(p.Next, to)
		if p.From >= p.Next {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Decode == p.Decode && out[n-1].Config == p.Config && p.Next-out[n-1].From <= rereadStep {
			out[n-1].Next = p.Next
			continue
		}
		out = append(out, Range{From: p.From, Next: p.Next, Decode: p.Decode, Config: p.Config})
	}
	return out
}

// rereading checks that a range was counted and is still there, and makes the life
// of its shard, as far as reading needs one. It also returns the id that the topic
// had when it was counted.
func (c *Consumer) rereading(ctx context.Context, r Rereading) (_ *life, id [16]byte, err error) {
	if !slices.Contains(c.cfg.names(), r.Topic) {
		return nil, id, &RangeError{fmt.Sprintf("topic %s is not one of the declared: %v", r.Topic, c.cfg.names()), "name it below kafka.topics in assay.yaml"}
	}
	if r.Partition < 0 || r.Partition >= c.layout.partitions {
		return nil, id, &RangeError{fmt.Sprintf("topic %s has %d partitions: there is no partition %d", r.Topic, c.layout.partitions, r.Partition), ""}
	}
	if r.From < 0 || r.From >= r.To {
		return nil, id, &RangeError{fmt.Sprintf("there is no offset from %d to before %d", r.From, r.To), "--to is the first offset that is not read"}
	}
	s := newShard(c, r.Partition)
	mark, err := s.lastMark(ctx)
	if err != nil {
		return nil, id, rereadError(err)
	}
	left := markOf(mark, r.Topic)
	if left == nil || r.To > left.Next {
		next := int64(0)
		if left != nil {
			next = left.Next
		}
		return nil, id, &RangeError{
			fmt.Sprintf("topic %s, partition %d: only offsets below %d have been counted", r.Topic, r.Partition, next),
			"what comes after is read by `assay ingest`, and counted by it"}
	}
	there, err := bounds(ctx, c.admin, []string{r.Topic}, r.Partition)
	if err != nil {
		return nil, id, err
	}
	if start := there[r.Topic].start; start > r.From {
		return nil, id, &RangeError{
			fmt.Sprintf("topic %s, partition %d: offsets below %d are no longer in Kafka", r.Topic, r.Partition, start),
			fmt.Sprintf("read what is there with --from %d; the rest is gone unless a backup of the events table has it", start)}
	}
	l := &life{s: s, seq: mark.Seq, config: mark.Config}
	l.gather(c.cfg.names(), c.layout.ids, mark)
	l.decoders = newDecoders(l)
	version, err := versionAt(ctx, c.store, mark.Config)
	if err != nil {
		return nil, id, err
	}
	l.shedder = ingest.ShedderOf(version)
	return l, left.ID, nil
}

// rereadError says in this command's words what stops a shard.
func rereadError(err error) error {
	var stop *halt
	if errors.As(err, &stop) {
		return &RangeError{stop.detail, ""}
	}
	return err
}

// rowCount counts what one goroutine stores.
type rowCount struct {
	Store
	Reread
}

// AppendEvents implements Events.
func (r *rowCount) AppendEvents(ctx context.Context, shard uint16, topics []string, events []ingest.Event, dead []ingest.Dead) error {
	if err := r.Store.AppendEvents(ctx, shard, topics, events, dead); err != nil {
		return err
	}
	r.Events, r.Dead = r.Events+len(events), r.Dead+len(dead)
	return nil
}

package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// batch is what becomes one part: the records of all topics of a shard that were
// gathered between two parts.
type batch struct {
	events []ingest.Event
	dead   []ingest.Dead
	counts []ingest.Counts // by declared topic; From = Next: nothing of it
	first  []time.Time     // by declared topic: timestamp of its first record
	bytes  int
	joined int  // events before this index went through the join
	aging  bool // its age is being measured
}

// newBatch begins where the one before ended.
func (l *life) newBatch(reuse *batch) *batch {
	b := reuse
	if b == nil {
		b = &batch{counts: make([]ingest.Counts, len(l.source)), first: make([]time.Time, len(l.source))}
	}
	clear(b.events)
	clear(b.dead)
	clear(b.first)
	b.events, b.dead, b.bytes, b.joined, b.aging = b.events[:0], b.dead[:0], 0, 0, false
	for i, topic := range l.source {
		b.counts[i] = ingest.Counts{Topic: uint8(topic), From: l.from[i], Next: l.from[i]}
	}
	return b
}

// empty tells whether no offset was passed.
func (b *batch) empty() bool {
	for i := range b.counts {
		if b.counts[i].Next > b.counts[i].From {
			return false
		}
	}
	return true
}

func (b *batch) full(limit Batch) bool {
	return len(b.events)+len(b.dead) >= limit.Records || b.bytes >= limit.Bytes
}

// add decodes records of one topic's partition.
func (l *life) add(b *batch, declared int, records []*kgo.Record) error {
	began := l.s.c.cfg.Now()
	if room := cap(b.events) - len(b.events); room < len(records) {
		// Twice as much each time: append's own steps are smaller, and copy more.
		b.events = slices.Grow(b.events, max(len(records), len(b.events)))
	}
	for _, r := range records {
		if l.goal != nil && r.Offset >= l.goal[declared] {
			// The end lies in a hole, or this is beyond it.
			l.skip(b, declared, r, l.goal[declared])
			break
		}
		if r.Offset < l.from[declared] {
			return fmt.Errorf("topic %s: read offset %d after %d", r.Topic, r.Offset, l.from[declared]-1)
		}
		l.skip(b, declared, r, r.Offset)
		l.decode(b, declared, r)
	}
	l.s.c.observe(Decode, began, len(records))
	return nil
}

// skip passes offsets that have no record, seen from the next record.
func (l *life) skip(b *batch, declared int, r *kgo.Record, to int64) {
	if holes := to - l.from[declared]; holes > 0 {
		b.counts[declared].NoRecord += uint64(holes)
		l.advance(b, declared, r, to)
	}
}

func (l *life) advance(b *batch, declared int, r *kgo.Record, to int64) {
	c := &b.counts[declared]
	if c.Next == c.From {
		l.s.progress.waiting(declared, r.Timestamp.UnixMilli())
		b.first[declared] = r.Timestamp
	}
	l.from[declared], c.Next, c.Epoch = to, to, r.LeaderEpoch+1
}

// decode takes one record. Its fate is counted here if it is no event, else by
// the join.
func (l *life) decode(b *batch, declared int, r *kgo.Record) {
	c := &b.counts[declared]
	l.advance(b, declared, r, r.Offset+1)
	if r.Attrs.IsControl() {
		c.NoRecord++
		return
	}
	b.bytes += len(r.Value)
	if e, dead := l.decodeAbove(l.floor, &l.read[declared], r, c.Topic); dead == nil {
		b.events = append(b.events, e)
	} else {
		b.dead = append(b.dead, *dead)
		c.Dead++
	}
}

// decodeAbove makes an event of a record, or says why it is dead: also an event
// from below the floor is.
func (l *life) decodeAbove(floor int64, by *reading, r *kgo.Record, topic uint8) (ingest.Event, *ingest.Dead) {
	e, dead, ok := l.decoders.decode(by, r, topic)
	if ok {
		dead = ingest.BelowFloor(&e, floor, len(r.Value))
	}
	return e, dead
}

// join adds what was decoded to the shard's state, in the order of the log.
func (l *life) join(ctx context.Context, b *batch) error {
	for b.joined < len(b.events) {
		fresh := b.events[b.joined:]
		if !l.joiner.Whole() {
			fresh = fresh[:min(len(fresh), recallEvents)]
			if err := l.recall(ctx, fresh); err != nil {
				return err
			}
		}
		l.joinAll(b, fresh)
	}
	return nil
}

func (l *life) joinAll(b *batch, fresh []ingest.Event) {
	began := l.s.c.cfg.Now()
	l.fates = l.joiner.AddAll(fresh, l.fates[:0])
	for i, fate := range l.fates {
		c := b.count(fresh[i].Place.Topic)
		switch fate {
		case ingest.Duplicate:
			c.Duplicate++
		case ingest.Misplaced:
			c.Misplaced++
		default:
			c.Accepted++
		}
	}
	b.joined += len(fresh)
	l.s.c.observe(Join, began, len(fresh))
}

func (b *batch) count(topic uint8) *ingest.Counts {
	for i := range b.counts {
		if b.counts[i].Topic == topic {
			return &b.counts[i]
		}
	}
	return nil // a record's topic is one of the declared ones
}

// offsets are the ranges of the topics that the batch has something of.
func (b *batch) offsets() []ingest.Counts {
	var out []ingest.Counts
	for _, c := range b.counts {
		if c.Next > c.From {
			out = append(out, c)
		}
	}
	return out
}

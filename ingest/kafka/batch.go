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
	events []ingest.Event // decoded and not yet joined
	rows   Rows           // joined
	dead   []ingest.Dead
	counts []ingest.Counts // by declared topic; From = Next: nothing of it
	first  []time.Time     // by declared topic: timestamp of its first record
	bytes  int
	// Exposures by topic whose experiment the configuration does not have.
	unknown map[uint8]int
	aging   bool // its age is being measured
	ages    int  // how often it has been old, see worker.ripen
	way     []Stretch
}

// newBatch begins where the one before ended.
func (l *life) newBatch(reuse *batch) *batch {
	b := reuse
	if b == nil {
		b = &batch{rows: l.s.c.store.NewRows(l.s.id, l.names), counts: make([]ingest.Counts, len(l.source)), first: make([]time.Time, len(l.source)), unknown: map[uint8]int{}}
	}
	b.rows.Reset()
	clear(b.dead)
	clear(b.first)
	clear(b.unknown)
	b.events, b.dead, b.way, b.bytes, b.aging, b.ages = b.events[:0], b.dead[:0], b.way[:0], 0, false, 0
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
	return b.records() >= limit.Records || b.bytes >= limit.Bytes
}

// records are how many it has that are stored.
func (b *batch) records() int { return b.rows.Len() + len(b.events) + len(b.dead) }

// add decodes records of one topic's partition.
func (l *life) add(b *batch, declared int, records []*kgo.Record) error {
	began := l.s.c.cfg.Now()
	b.events = slices.Grow(b.events, len(records))
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
	l.observe(b, Decode, began, len(records))
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
	switch e, dead, gone := l.decodeAdmitted(&l.admission, l.shedder, l.hidden, &l.read[declared], r, c.Topic); {
	case gone == hides:
		c.Suppressed++
	case gone == sheds:
		c.Shed++
	case dead == nil:
		b.events = append(b.events, e)
	default:
		b.dead = append(b.dead, *dead)
		c.Dead++
	}
}

// leaving is why a record becomes neither an event nor a dead letter.
type leaving uint8

const (
	stays leaving = iota
	hides         // its unit is erased
	sheds         // its unit is left out
)

// decodeAdmitted makes an event of a record, or says why it is dead: also an event
// from below the floor is. Of units that are hidden or shed it makes neither, which is
// decided while the unit is known: what lacks the consent that it needs has lost it when
// it leaves here.
func (l *life) decodeAdmitted(admission *ingest.Admission, shedder *ingest.Shedder, hidden suppressed, by *reading, r *kgo.Record, topic uint8) (e ingest.Event, dead *ingest.Dead, gone leaving) {
	e, dead, ok := l.decoders.decode(by, r, topic)
	if !ok {
		return e, dead, stays
	}
	isHidden, isShed := hidden.has(e.Unit), shedder.Sheds(&e)
	switch dead = admission.Admit(&e, len(r.Value)); {
	case isHidden:
		gone = hides
	case dead == nil && isShed:
		gone = sheds
	}
	return e, dead, gone
}

// join adds what was decoded to the shard's state, in the order of the log, and
// to the rows that will be stored.
func (l *life) join(ctx context.Context, b *batch) error {
	for fresh := b.events; len(fresh) > 0; {
		now := fresh
		if !l.joiner.Whole() {
			now = fresh[:min(len(fresh), l.recallEvents())]
			if err := l.recall(ctx, now); err != nil {
				return err
			}
		}
		l.joinAll(b, now)
		fresh = fresh[len(now):]
	}
	b.events = b.events[:0]
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
	newest, _ := l.s.c.versions.latest()
	b.addUnknown(newest, fresh)
	l.observe(b, Join, began, len(fresh))
	began = l.s.c.cfg.Now()
	b.rows.Add(fresh)
	l.observe(b, Encode, began, len(fresh))
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

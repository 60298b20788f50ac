package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/assay-dev/assay/ingest"
)

// bounds are the bounds of partition P of every declared topic, and where the
// leader's term ends in which each was last read. A log that lost its end and was
// written on until it is as long as before looks whole in everything but that: the
// term then ends below what was counted.
func (s *shard) bounds(ctx context.Context, mark Mark) (map[string]offsets, error) {
	out, err := bounds(ctx, s.c.admin, s.c.cfg.names(), int32(s.id))
	if err != nil {
		return nil, err
	}
	var ask kadm.OffsetForLeaderEpochRequest
	for name := range out {
		if left := markOf(mark, name); left != nil && left.Epoch > 0 {
			ask.Add(name, int32(s.id), left.Epoch-1)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	terms, err := s.c.admin.OffsetForLeaderEpoch(ctx, ask)
	if err != nil {
		// Brokers before 2.0 cannot say, and we may not be allowed to ask.
		s.log.Warn("leaders' terms not compared", "error", err)
		return out, nil
	}
	for name, of := range terms {
		asked, o := ask[name][int32(s.id)], out[name]
		// An answer about a later term, or none, says nothing about ours.
		if t := of[int32(s.id)]; t.Err == nil && t.LeaderEpoch >= 0 && t.LeaderEpoch <= asked {
			o.term = t.EndOffset
			out[name] = o
		}
	}
	return out, nil
}

// noteReplaced writes down, once somebody has accepted it, how much of a log that
// took the place of another one is never read: what stands at places that are taken.
func (l *life) noteReplaced(ctx context.Context, left *TopicMark, id [16]byte, now offsets) error {
	from := left.Next
	var none [16]byte
	switch {
	case left.ID != id && left.ID != none && id != none:
		from = now.start
	case now.term >= now.start && now.term < left.Next:
		from = now.term
	}
	if from >= left.Next {
		return nil
	}
	return l.note(ctx, Loss{Kind: LostReplaced, Topic: left.Name, From: from, Next: left.Next, Seq: l.seq + 1,
		Records: uint64(left.Next - from), Until: l.s.c.cfg.Now()})
}

// noteBeginnings writes down, before the first part of a topic, what was deleted
// before it was ever read. Logs keep their records in the order in which they
// came, so those were not later than the first one that is left.
func (l *life) noteBeginnings(ctx context.Context, b *batch, seq uint64) error {
	var losses []Loss
	for i, first := range b.first {
		if before := l.begins[i]; before > 0 && !first.IsZero() {
			losses = append(losses, Loss{Kind: LostBefore, Topic: l.s.c.cfg.Topics[i].Name, Next: before, Seq: seq,
				Records: uint64(before), Until: first.Add(ingest.FutureLimit * time.Millisecond)})
			l.begins[i] = 0
		}
	}
	return l.note(ctx, losses...)
}

func (l *life) note(ctx context.Context, losses ...Loss) error {
	if len(losses) == 0 {
		return nil
	}
	for _, n := range losses {
		l.s.log.Warn("records are lost", "kind", n.Kind, "topic", n.Topic, "from", n.From, "next", n.Next, "records", n.Records)
	}
	if err := l.s.c.store.NoteLosses(ctx, l.s.id, losses); err != nil {
		return fmt.Errorf("note losses: %w", err)
	}
	return nil
}

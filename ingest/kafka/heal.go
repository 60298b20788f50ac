package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// healTimeout bounds the reading of one range that lacks.
const healTimeout = time.Minute

// heal reads again what the last marks counted and the events table lost (a
// power cut can take what was written last). Without these rows the state could
// not be restored, so what cannot be read again stops the shard.
func (l *life) heal(ctx context.Context) error {
	lacking, err := l.lacking(ctx)
	if err != nil || len(lacking) == 0 {
		return err
	}
	for _, r := range lacking {
		topic := slices.Index(l.names, r.Topic)
		if topic < 0 {
			return &halt{StateMissing, fmt.Sprintf("events of topic %s lack, which no mark names", r.Topic)}
		}
		if err := l.goOnWithout(l.healRange(ctx, r, uint8(topic))); err != nil {
			return err
		}
	}
	// A record that compaction took leaves no error, only fewer rows than counted.
	left, err := l.lacking(ctx)
	if err != nil {
		return err
	}
	for _, r := range lacking {
		if !slices.Contains(left, r) {
			l.s.log.Warn("events healed", "topic", r.Topic, "from", r.From, "next", r.Next)
		} else if err := l.goOnWithout(gone(r)); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) lacking(ctx context.Context) ([]Range, error) {
	lacking, err := l.s.c.store.Missing(ctx, l.s.id, l.s.c.cfg.HealMarks)
	if err != nil {
		return nil, fmt.Errorf("compare marks with events: %w", err)
	}
	return lacking, nil
}

// goOnWithout takes an error away that says that events are gone, if somebody
// accepts that.
func (l *life) goOnWithout(err error) error {
	var stop *halt
	if errors.As(err, &stop) && stop.state == StateMissing && l.s.c.cfg.AcceptGap {
		l.s.log.Warn("gap accepted", "problem", stop.detail)
		return nil
	}
	return err
}

func gone(r Range) *halt {
	return &halt{StateMissing, fmt.Sprintf("topic %s: events of offsets %d to %d were counted, are not stored, and are no longer in Kafka",
		r.Topic, r.From, r.Next-1)}
}

func (l *life) healRange(ctx context.Context, r Range, topic uint8) error {
	ctx, cancel := context.WithTimeout(ctx, healTimeout)
	defer cancel()
	client, err := l.s.c.reader(map[string]map[int32]kgo.Offset{r.Topic: {int32(l.s.id): kgo.NewOffset().At(r.From)}})
	if err != nil {
		return err
	}
	defer client.Close()
	for at := r.From; at < r.Next; {
		fetches := client.PollRecords(ctx, pollSize)
		if err := l.healError(ctx, r, fetches); err != nil {
			return err
		}
		var events []ingest.Event
		var dead []ingest.Dead
		for _, rec := range fetches.Records() {
			at = rec.Offset + 1
			if rec.Offset >= r.Next || rec.Attrs.IsControl() {
				continue
			}
			e, d, ok := l.decoder.Decode(record(rec, topic))
			switch {
			case ok:
				events = append(events, e)
			case d != nil:
				dead = append(dead, *d)
			}
		}
		if err := l.s.c.store.AppendEvents(ctx, l.s.id, l.names, events, dead); err != nil {
			return fmt.Errorf("heal events: %w", err)
		}
	}
	return nil
}

func (l *life) healError(ctx context.Context, r Range, fetches kgo.Fetches) error {
	err := fetchError(fetches)
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange) || errors.Is(err, kerr.UnknownTopicOrPartition):
		return gone(r)
	case ctx.Err() != nil:
		return fmt.Errorf("heal events of topic %s from offset %d: %w", r.Topic, r.From, ctx.Err())
	}
	return err
}

// record is what the decoder takes.
func record(r *kgo.Record, topic uint8) ingest.Record {
	return ingest.Record{
		Place:     ingest.Place{Topic: topic, Offset: r.Offset},
		Partition: r.Partition,
		KafkaT:    r.Timestamp.UnixMilli(),
		Value:     r.Value,
	}
}

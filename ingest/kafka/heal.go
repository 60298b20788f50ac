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

// heal reads again what was counted and the events table lost (a power cut can take
// what was written last). Without these rows the state could not be restored, so
// what cannot be read again stops the shard, until somebody brings the rows back or
// accepts that they are lost. Every mark is compared once, the last ones each time.
func (l *life) heal(ctx context.Context) error {
	lacking, err := l.lacking(ctx)
	if err != nil {
		return err
	}
	if err := l.healAll(ctx, lacking); err != nil {
		return err
	}
	if l.seq == 0 {
		return nil
	}
	if err := l.s.c.store.Proved(ctx, l.s.id, l.seq); err != nil {
		return fmt.Errorf("note what was compared: %w", err)
	}
	return nil
}

func (l *life) healAll(ctx context.Context, lacking []Range) error {
	if len(lacking) == 0 {
		return nil
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
	l.s.log.Warn("events healed", "ranges", len(lacking), "left", len(left))
	for _, r := range left {
		if err := l.goOnWithout(gone(r)); err != nil {
			return err
		}
		if err := l.note(ctx, Loss{Kind: LostUnstored, Topic: r.Topic, From: r.From, Next: r.Next, Seq: r.Seq, Records: r.Records,
			Until: l.s.c.cfg.Now()}); err != nil {
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
	first, end, err := l.stillThere(ctx, r)
	if err != nil {
		return err
	}
	// The floor was where it was when the range was counted, and consent was asked as
	// it was then.
	version, err := versionAt(ctx, l.s.c.store, r.Config)
	if err != nil {
		return err
	}
	admission, shedder := ingest.AdmissionOf(version), ingest.ShedderOf(version)
	if r.Config == 0 {
		shedder = l.shedder // all steps up to now: what they left out was not counted
	}
	// What was counted as erased is deleted, or will be.
	carriedOut, err := l.s.c.store.CarriedOut(ctx, l.s.id)
	if err != nil {
		return fmt.Errorf("read what is erased: %w", err)
	}
	erased, err := l.s.c.suppressions.upTo(ctx, l.s.c.store, carriedOut)
	if err != nil {
		return err
	}
	client, err := l.s.c.reader(map[string]map[int32]kgo.Offset{r.Topic: {int32(l.s.id): kgo.NewOffset().At(first)}})
	if err != nil {
		return err
	}
	defer client.Close()
	reading, err := l.readingAt(r, topic)
	if err != nil {
		return err
	}
	for at := first; at < end; {
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
			switch e, d, gone := l.decodeAdmitted(&admission, shedder, erased, &reading, rec, topic); {
			case gone != stays:
			case d == nil:
				events = append(events, e)
			default:
				dead = append(dead, *d)
			}
		}
		if err := l.s.c.store.AppendEvents(ctx, l.s.id, l.names, events, dead); err != nil {
			return fmt.Errorf("heal events: %w", err)
		}
	}
	return nil
}

// stillThere is what of a range can still be read: [first, end). Under the name
// of a topic that was made again stand other records.
func (l *life) stillThere(ctx context.Context, r Range) (first, end int64, err error) {
	now, err := metadata(ctx, l.s.c.client, []string{r.Topic})
	var topics *TopicsError
	var none [16]byte
	switch id := now[r.Topic].TopicID; {
	case errors.As(err, &topics), err == nil && id != r.ID && id != none && r.ID != none:
		return 0, 0, gone(r)
	case err != nil:
		return 0, 0, err
	}
	there, err := bounds(ctx, l.s.c.admin, []string{r.Topic}, int32(l.s.id))
	if err != nil {
		return 0, 0, err
	}
	first, end = max(r.From, there[r.Topic].start), min(r.Next, there[r.Topic].end)
	if first >= end {
		return 0, 0, gone(r)
	}
	return first, end, nil
}

// readingAt is how a range was read when it was counted.
func (l *life) readingAt(r Range, topic uint8) (reading, error) {
	x, err := l.s.c.decodings.at(r.Topic, r.Decode)
	if err != nil {
		return reading{}, fmt.Errorf("heal events from offset %d: %w", r.From, err)
	}
	return l.decoders.of(topic, x)
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

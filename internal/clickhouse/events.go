package clickhouse

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/ingest"
)

// AppendEvents stores records of one shard. Writing them again changes nothing.
// Place.Topic is an index into topics. The strings must not change meanwhile.
func (db *DB) AppendEvents(ctx context.Context, shard uint16, topics []string, events []ingest.Event, dead []ingest.Dead) error {
	if len(events) > 0 {
		rows := db.NewEventRows(shard, topics)
		rows.Add(events)
		if err := rows.Append(ctx); err != nil {
			return err
		}
	}
	if len(dead) == 0 {
		return nil
	}
	db, err := db.holder(ctx, shard)
	if err != nil {
		return fmt.Errorf("insert dead letters: %w", err)
	}
	ctx = idempotent(ctx)
	fields := deadFields(shard, topics, dead)
	return db.retry(ctx, "insert dead letters", func(ctx context.Context) error {
		return db.insert(ctx, "dead_letters", fields, len(dead))
	})
}

// EventRows gathers events of one shard, column by column in their wire form: an
// event's strings are needed until it is added and not until it is stored, and a
// large batch costs half the memory that its events would.
type EventRows struct {
	db     *DB
	shard  uint16
	topics []string
	n      int
	eventColumns
}

// NewEventRows begins the rows of one insert. Place.Topic is an index into topics.
func (db *DB) NewEventRows(shard uint16, topics []string) *EventRows {
	return &EventRows{db: db, shard: shard, topics: topics}
}

// Add adds a row for each event. The events are not kept, but for the strings of
// which there are few: names of topics, kinds, experiments, variants, events and
// attributes must not change.
func (r *EventRows) Add(events []ingest.Event) {
	r.grow(len(events))
	for i := range events {
		r.eventColumns.shard.uint16(r.shard)
		r.topic.add(r.topics[events[i].Place.Topic])
		r.add(&events[i])
	}
	r.n += len(events)
}

// Len is how many rows there are.
func (r *EventRows) Len() int { return r.n }

// Append stores the rows in one insert. Doing it again changes nothing.
func (r *EventRows) Append(ctx context.Context) error {
	db, err := r.db.holder(ctx, r.shard)
	if err != nil {
		return fmt.Errorf("insert events: %w", err)
	}
	fields := r.fields()
	return db.retry(idempotent(ctx), "insert events", func(ctx context.Context) error {
		return db.insert(ctx, "events", fields, r.n)
	})
}

// Reset forgets the rows and keeps their room.
func (r *EventRows) Reset() {
	r.n = 0
	r.reset()
}

func deadFields(shard uint16, topics []string, dead []ingest.Dead) []field {
	var (
		topic, reason                          words
		shards, offset, kafkaT, size, position fixed
		detail                                 text
	)
	for _, d := range dead {
		topic.add(topics[d.Place.Topic])
		shards.uint16(shard)
		offset.int64(d.Place.Offset)
		kafkaT.int64(d.KafkaT)
		reason.add(string(d.Reason))
		size.uint32(uint32(d.Size))
		position.uint32(uint32(int32(d.Position)))
		detail.add(d.Detail)
	}
	return []field{
		{"topic", &topic}, {"shard", &shards}, {"offset", &offset}, {"kafka_t", &kafkaT},
		{"reason", &reason}, {"size", &size}, {"position", &position}, {"detail", &detail},
	}
}

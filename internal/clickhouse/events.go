package clickhouse

import (
	"context"
	"slices"

	"github.com/assay-dev/assay/ingest"
)

// AppendEvents stores records of one shard. Writing them again changes nothing.
// Place.Topic is an index into topics. The strings must not change meanwhile.
func (db *DB) AppendEvents(ctx context.Context, shard uint16, topics []string, events []ingest.Event, dead []ingest.Dead) error {
	ctx = idempotent(ctx)
	if len(events) > 0 {
		fields := eventFields(shard, topics, events)
		err := db.retry(ctx, "insert events", func(ctx context.Context) error {
			return db.insert(ctx, "events", fields, len(events))
		})
		if err != nil {
			return err
		}
	}
	if len(dead) == 0 {
		return nil
	}
	fields := deadFields(shard, topics, dead)
	return db.retry(ctx, "insert dead letters", func(ctx context.Context) error {
		return db.insert(ctx, "dead_letters", fields, len(dead))
	})
}

// eventColumns are the columns of table events.
type eventColumns struct {
	shard, offset, t, kafkaT, kind, unit, value, misplaced, decode fixed
	topic, unitKind, experiment, variant, event                    words
	id                                                             text
	attrs                                                          pairs
}

func eventFields(shard uint16, topics []string, events []ingest.Event) []field {
	var c eventColumns
	c.grow(len(events))
	for i := range events {
		c.shard.uint16(shard)
		c.topic.add(topics[events[i].Place.Topic])
		c.add(&events[i])
	}
	return append(c.fields(), originFields(events)...)
}

// originFields are left to their defaults where no record was keyed anew.
func originFields(events []ingest.Event) []field {
	if !slices.ContainsFunc(events, func(e ingest.Event) bool { return e.Origin.Copied }) {
		return nil
	}
	var partition, offset fixed
	for i := range events {
		o := events[i].Origin
		if !o.Copied {
			o.Partition = -1
		}
		partition.uint32(uint32(o.Partition))
		offset.int64(o.Offset)
	}
	return []field{{"origin_partition", &partition}, {"origin_offset", &offset}}
}

func (c *eventColumns) grow(n int) {
	for width, columns := range map[int][]*fixed{
		1:  {&c.kind, &c.misplaced},
		2:  {&c.shard},
		4:  {&c.decode},
		8:  {&c.offset, &c.t, &c.kafkaT},
		16: {&c.unit, &c.value},
	} {
		for _, column := range columns {
			*column = make(fixed, 0, width*n)
		}
	}
	for _, column := range []*words{&c.topic, &c.unitKind, &c.experiment, &c.variant, &c.event} {
		column.keys = make([]uint32, 0, n)
	}
}

func (c *eventColumns) add(e *ingest.Event) {
	c.offset.int64(e.Place.Offset)
	c.t.int64(e.T)
	c.kafkaT.int64(e.KafkaT)
	c.kind.uint8(uint8(e.Type))
	c.unit.wide(e.Unit.Hi, e.Unit.Lo)
	c.value.int128(e.Value)
	c.misplaced.bool(e.Misplaced)
	c.decode.uint32(e.Decode)
	c.unitKind.add(e.UnitKind)
	c.experiment.add(e.Experiment)
	c.variant.add(e.Variant)
	c.event.add(e.Name)
	c.id.add(e.ID)
	c.attrs.add(e.Attrs)
}

func (c *eventColumns) fields() []field {
	return []field{
		{"topic", &c.topic}, {"shard", &c.shard}, {"offset", &c.offset},
		{"t", &c.t}, {"kafka_t", &c.kafkaT}, {"type", &c.kind},
		{"unit_kind", &c.unitKind}, {"unit", &c.unit}, {"id", &c.id},
		{"experiment", &c.experiment}, {"variant", &c.variant}, {"event", &c.event},
		{"value", &c.value}, {"attrs", &c.attrs}, {"misplaced", &c.misplaced},
		{"decode", &c.decode},
	}
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

package clickhouse

import (
	"slices"

	"github.com/assay-dev/assay/ingest"
)

// eventColumns are the columns of table events.
type eventColumns struct {
	shard, offset, t, kafkaT, kind, unit, value, misplaced, decode fixed
	topic, unitKind, experiment, variant, event                    words
	id                                                             text
	attrs                                                          pairs

	originPartition, originOffset fixed
	copied                        bool // any of them was keyed anew
}

// numbers are the columns of numbers, with the bytes of one.
func (c *eventColumns) numbers(yield func(*fixed, int) bool) {
	for _, n := range [...]struct {
		column *fixed
		width  int
	}{
		{&c.shard, 2}, {&c.offset, 8}, {&c.t, 8}, {&c.kafkaT, 8}, {&c.kind, 1}, {&c.unit, 16}, {&c.value, 16},
		{&c.misplaced, 1}, {&c.decode, 4}, {&c.originPartition, 4}, {&c.originOffset, 8},
	} {
		if !yield(n.column, n.width) {
			return
		}
	}
}

func (c *eventColumns) words() [5]*words {
	return [...]*words{&c.topic, &c.unitKind, &c.experiment, &c.variant, &c.event}
}

// grow makes room for n more rows, and for as many again as there are: append's
// own steps are smaller, and copy more.
func (c *eventColumns) grow(n int) {
	for column, width := range c.numbers {
		if cap(*column)-len(*column) < width*n {
			*column = slices.Grow(*column, max(width*n, len(*column)))
		}
	}
	for _, column := range c.words() {
		if cap(column.keys)-len(column.keys) < n {
			column.keys = slices.Grow(column.keys, max(n, len(column.keys)))
		}
	}
}

func (c *eventColumns) reset() {
	for column := range c.numbers {
		*column = (*column)[:0]
	}
	for _, column := range c.words() {
		column.reset()
	}
	c.id = c.id[:0]
	c.attrs.reset()
	c.copied = false
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
	c.addOrigin(e.Origin)
}

func (c *eventColumns) addOrigin(o ingest.Origin) {
	if o.Copied {
		c.copied = true
	} else {
		o.Partition = -1
	}
	c.originPartition.uint32(uint32(o.Partition))
	c.originOffset.int64(o.Offset)
}

// fields are the columns of an insert. Those of the origin are left to their
// defaults where no record was keyed anew.
func (c *eventColumns) fields() []field {
	fields := []field{
		{"topic", &c.topic}, {"shard", &c.shard}, {"offset", &c.offset},
		{"t", &c.t}, {"kafka_t", &c.kafkaT}, {"type", &c.kind},
		{"unit_kind", &c.unitKind}, {"unit", &c.unit}, {"id", &c.id},
		{"experiment", &c.experiment}, {"variant", &c.variant}, {"event", &c.event},
		{"value", &c.value}, {"attrs", &c.attrs}, {"misplaced", &c.misplaced},
		{"decode", &c.decode},
	}
	if c.copied {
		fields = append(fields, field{"origin_partition", &c.originPartition}, field{"origin_offset", &c.originOffset})
	}
	return fields
}

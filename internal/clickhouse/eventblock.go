package clickhouse

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/assay-dev/assay/ingest"
)

// eventBlock is a block of events, column by column. Texts are cut from one string
// a block, so that a row costs no allocation and may be kept.
type eventBlock struct {
	topic, unitKind, experiment, variant, name dictionary
	offset, t, kafkaT, origin                  proto.ColInt64
	partition                                  proto.ColInt32
	kind                                       proto.ColUInt8
	unit                                       proto.ColUInt128
	id                                         proto.ColStr
	value                                      proto.ColInt128
	attrs                                      *proto.ColMap[string, string]
	names                                      *proto.ColLowCardinality[string]
	texts                                      *proto.ColStr
	misplaced                                  proto.ColBool
}

// dictionary is a LowCardinality(String) column.
type dictionary struct {
	proto.ColLowCardinalityRaw
	words   proto.ColStr
	strings []string // of the present block
	known   map[string]string
}

func newEventBlock() *eventBlock {
	b := &eventBlock{texts: new(proto.ColStr), names: proto.NewLowCardinality[string](new(proto.ColStr))}
	b.attrs = proto.NewMap[string, string](b.names, b.texts)
	for _, d := range b.dictionaries() {
		d.Index, d.known = &d.words, map[string]string{}
	}
	return b
}

func (b *eventBlock) dictionaries() []*dictionary {
	return []*dictionary{&b.topic, &b.unitKind, &b.experiment, &b.variant, &b.name}
}

// results are the columns in the order of the queries.
func (b *eventBlock) results() proto.Results {
	return proto.Results{
		{Name: "topic", Data: &b.topic}, {Name: "offset", Data: &b.offset}, {Name: "t_ms", Data: &b.t}, {Name: "kafka_ms", Data: &b.kafkaT},
		{Name: "kind", Data: &b.kind}, {Name: "unit_kind", Data: &b.unitKind}, {Name: "unit", Data: &b.unit}, {Name: "id", Data: &b.id},
		{Name: "experiment", Data: &b.experiment}, {Name: "variant", Data: &b.variant}, {Name: "event", Data: &b.name},
		{Name: "value_int", Data: &b.value}, {Name: "attrs", Data: b.attrs}, {Name: "misplaced", Data: &b.misplaced},
		{Name: "origin_partition", Data: &b.partition}, {Name: "origin_offset", Data: &b.origin},
	}
}

// each hands out the rows. The event is used again, what it refers to is not.
func (b *eventBlock) each(topics map[string]uint8, fn func(*ingest.Event) error) error {
	for _, d := range b.dictionaries() {
		d.load()
	}
	ids, texts := string(b.id.Buf), string(b.texts.Buf)
	attrs := make([]ingest.Attr, b.texts.Rows())
	for i := range attrs {
		at := b.texts.Pos[i]
		attrs[i] = ingest.Attr{Name: b.names.Row(i), Value: texts[at.Start:at.End]}
	}
	from := uint64(0)
	var e ingest.Event
	for i := range b.offset {
		to := b.attrs.Offsets[i]
		id := b.id.Pos[i]
		e = ingest.Event{
			Type: ingest.Type(b.kind[i]), Place: ingest.Place{Topic: topics[b.topic.at(i)], Offset: b.offset[i]},
			T: b.t[i], KafkaT: b.kafkaT[i], Unit: ingest.Unit{Hi: b.unit[i].High, Lo: b.unit[i].Low},
			UnitKind: b.unitKind.at(i), ID: ids[id.Start:id.End], Experiment: b.experiment.at(i), Variant: b.variant.at(i), Name: b.name.at(i),
			Value: ingest.Value{Hi: int64(b.value[i].High), Lo: b.value[i].Low}, Misplaced: b.misplaced[i],
		}
		if to > from {
			e.Attrs = attrs[from:to:to]
		}
		from = to
		if p := b.partition[i]; p >= 0 {
			e.Origin = ingest.Origin{Copied: true, Partition: p, Offset: b.origin[i]}
		}
		if err := fn(&e); err != nil {
			return err
		}
	}
	return nil
}

// load makes strings of the block's dictionary, those of earlier blocks again.
func (d *dictionary) load() {
	d.strings = d.strings[:0]
	for i := range d.words.Rows() {
		b := d.words.RowBytes(i)
		s, ok := d.known[string(b)]
		if !ok {
			s = string(b)
			if len(d.known) < maxKnown {
				d.known[s] = s
			}
		}
		d.strings = append(d.strings, s)
	}
}

// maxKnown bounds the strings that a dictionary keeps from block to block.
const maxKnown = 10_000

func (d *dictionary) at(i int) string {
	switch d.Key {
	case proto.KeyUInt8:
		return d.strings[d.Keys8[i]]
	case proto.KeyUInt16:
		return d.strings[d.Keys16[i]]
	case proto.KeyUInt32:
		return d.strings[d.Keys32[i]]
	default:
		return d.strings[d.Keys64[i]]
	}
}

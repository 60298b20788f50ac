package ingest

import (
	"slices"
)

// MaxSize is the largest value of a record that is decoded, in bytes.
const MaxSize = 1 << 20

// FutureLimit is how far an event's time may lie after its record's timestamp,
// in milliseconds.
const FutureLimit = 5 * 60 * 1000

// defaultKind is the unit kind of events that name none.
const defaultKind = "user"

// Record is one record of a topic as it was read.
type Record struct {
	Place     Place
	Partition int32 // the partition that it was read from
	KafkaT    int64 // the record's timestamp, milliseconds UTC; negative: it has none
	Value     []byte
	Written   []byte // what Value was translated from; nil: it was not
	Headers   []Header
}

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Decoder turns records into events. It keeps tables of its own, so each
// goroutine needs one; it holds on to no record's bytes.
type Decoder struct {
	key        Key
	names      []string // the allow-list, sorted
	partitions int32
	by         []Partitioner
	checker    Checker
	prover     Prover
	proven     bool // what is not proved is dead

	interner  interner
	slab      slab
	fields    fields
	skeletons skeletons
	pair      []byte // kind, 0x00, unit
}

// NewDecoder returns a decoder that hashes units with the key and keeps the
// named attributes, no others.
func NewDecoder(key Key, attributes []string) *Decoder {
	names := slices.Compact(slices.Sorted(slices.Values(attributes)))
	return &Decoder{key: key, names: names}
}

// Expect tells the decoder how units are spread: over n partitions, by topic
// (index of Place.Topic). Events in another partition than their unit's are
// Misplaced. Without a call, and for topics beyond the list, nothing is.
func (d *Decoder) Expect(n int32, by []Partitioner) {
	d.partitions, d.by = n, slices.Clone(by)
}

// Decode returns the event (and true), or why the record is a dead letter.
func (d *Decoder) Decode(rec Record) (e Event, why *Dead, ok bool) {
	if len(rec.Value) > MaxSize {
		return e, dead(&rec, fault{TooLarge, -1, "more than 1 MiB"}), false
	}
	if d.scan(rec.Value) && d.judge(&rec, &d.fields, &e).reason == "" {
		return e, nil, true
	}
	return d.decodeSlowly(&rec)
}

// scan takes a record apart the fast way; false means "ask the fallback".
func (d *Decoder) scan(value []byte) bool {
	if d.skeletons.match(value, &d.fields) {
		return true
	}
	d.fields.reset(value)
	s := scanner{b: value, shape: d.skeletons.learn()}
	return s.object(d, &d.fields) && d.skeletons.keep(s.shape, value)
}

func (d *Decoder) decodeSlowly(rec *Record) (e Event, why *Dead, ok bool) {
	d.fields.reset(nil)
	bad := d.takeApart(rec.Value, &d.fields)
	if bad.reason == "" {
		bad = d.judge(rec, &d.fields, &e)
	}
	if bad.reason != "" {
		return Event{}, dead(rec, bad), false
	}
	return e, nil, true
}

// listed returns the index of an allowed attribute, -1 for others. Allow-lists
// are short: comparing beats hashing.
func (d *Decoder) listed(name []byte) int {
	for i := range d.names {
		if d.names[i] == string(name) {
			return i
		}
	}
	return -1
}

func dead(rec *Record, bad fault) *Dead {
	return &Dead{
		Place: rec.Place, KafkaT: rec.KafkaT, Reason: bad.reason,
		Size: len(rec.Value), Position: bad.at, Detail: bad.detail,
	}
}

// misplaced tells whether the unit's records belong into another partition.
func (d *Decoder) misplaced(rec *Record, unit []byte, hashed Unit) bool {
	if int(rec.Place.Topic) >= len(d.by) {
		return false
	}
	by := d.by[rec.Place.Topic]
	p := Partition(unit, d.partitions, by)
	if by == ByUnit {
		p = hashed.Partition(d.partitions)
	}
	return p >= 0 && p != rec.Partition
}

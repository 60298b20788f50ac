package ingest

import (
	"encoding/json"
	"strconv"
	"strings"
)

// CopiesPrefix begins the names of the topics that hold records that were keyed
// anew; the rest is the name of the topic from which they were copied.
const CopiesPrefix = "assay.rekeyed."

// Headers of records that were keyed anew.
const (
	originHeader = "assay-origin"
	deadHeader   = "assay-dead"
)

// Copy is what a record that was keyed anew says of the one that it was made from.
type Copy struct {
	Partition int32
	Offset    int64
	Index     int   // which of the record's events it is
	KafkaT    int64 // the record's timestamp
}

// Header is what every copy carries.
func (c Copy) Header() Header {
	text := strconv.AppendInt(nil, int64(c.Partition), 10)
	text = strconv.AppendInt(append(text, '/'), c.Offset, 10)
	text = strconv.AppendInt(append(text, '/'), int64(c.Index), 10)
	text = strconv.AppendInt(append(text, '/'), c.KafkaT, 10)
	return Header{Key: originHeader, Value: text}
}

// DeadHeader is what a copy carries beside its place when the record cannot be an
// event, so that it is counted where all others are.
func DeadHeader(why *Dead) Header {
	note, err := json.Marshal(deadNote{why.Reason, why.Size, why.Position, why.Detail})
	if err != nil {
		note = []byte("{}") // texts and numbers alone: it does not happen
	}
	return Header{Key: deadHeader, Value: note}
}

// deadNote is the header of a record that cannot be an event.
type deadNote struct {
	Reason   Reason `json:"reason"`
	Size     int    `json:"size"`
	Position int    `json:"position"`
	Detail   string `json:"detail"`
}

// readCopy reads an origin; ok is false when there is none.
func readCopy(headers []Header) (c Copy, ok bool) {
	text, found := header(headers, originHeader)
	parts := strings.Split(string(text), "/")
	if !found || len(parts) != 4 {
		return c, false
	}
	var numbers [4]int64
	for i, p := range parts {
		n, err := strconv.ParseInt(p, 10, 64)
		if err != nil || n < 0 && i < 3 {
			return c, false
		}
		numbers[i] = n
	}
	c = Copy{int32(numbers[0]), numbers[1], int(numbers[2]), numbers[3]}
	return c, int64(c.Partition) == numbers[0]
}

func header(headers []Header, key string) ([]byte, bool) {
	for i := range headers {
		if headers[i].Key == key {
			return headers[i].Value, true
		}
	}
	return nil, false
}

// id is the identity's text of an event of the copied record. Without an id of its
// producer an event is itself, however often it was copied; the form cannot meet
// a producer's id, because those that begin alike get another @.
func (c Copy) id(producer string) string {
	switch {
	case producer == "":
		return "@" + strconv.Itoa(int(c.Partition)) + "/" + strconv.FormatInt(c.Offset, 10) + "/" + strconv.Itoa(c.Index)
	case producer[0] == '@':
		return "@" + producer
	}
	return producer
}

// CopyDecoder turns copies of records that were keyed anew into events.
type CopyDecoder struct{ native *Decoder }

// NewCopyDecoder returns one that reads the copies' values with this decoder.
func NewCopyDecoder(native *Decoder) *CopyDecoder { return &CopyDecoder{native} }

// Decode returns the event (and true), or why the record is a dead letter. The
// limit on future times goes by the first record's timestamp.
func (d *CopyDecoder) Decode(rec Record) (Event, *Dead, bool) {
	origin, ok := readCopy(rec.Headers)
	if !ok {
		return Event{}, dead(&rec, fault{BadField, -1, "no header says where the record was first written"}), false
	}
	rec.KafkaT = origin.KafkaT
	if _, isStored := header(rec.Headers, storedHeader); isStored {
		return d.stored(&rec, origin)
	}
	if text, isDead := header(rec.Headers, deadHeader); isDead {
		return Event{}, origin.dead(&rec, text), false
	}
	e, why, ok := d.native.Decode(rec)
	if !ok {
		return Event{}, why, false
	}
	e.Origin = Origin{Copied: true, Partition: origin.Partition, Offset: origin.Offset, Index: origin.Index}
	e.ID = origin.id(e.ID)
	return e, nil, true
}

func (c Copy) dead(rec *Record, text []byte) *Dead {
	why := dead(rec, fault{BadField, -1, "the header that says why is not readable"})
	var note deadNote
	if json.Unmarshal(text, &note) == nil && note.Reason != "" {
		why.Reason, why.Size, why.Position, why.Detail = note.Reason, note.Size, note.Position, note.Detail
	}
	return why
}

// UnitID is the id of the unit that a native event names, as its records must be
// keyed; false when the value is no event that names one.
func (d *Decoder) UnitID(value []byte) (string, bool) {
	unit, ok := d.unitID(value)
	return string(unit), ok
}

func (d *Decoder) unitID(value []byte) (unit []byte, ok bool) {
	if len(value) > MaxSize {
		return nil, false
	}
	if !d.scan(value) {
		d.fields.reset(nil)
		if d.takeApart(value, &d.fields).reason != "" {
			return nil, false
		}
	}
	unit, bad := required(&d.fields, fieldUnit, "", "")
	return unit, bad.reason == ""
}

// UnitOf is the unit that a native event names, hashed with the decoder's key; false
// when the value is no event that names one.
func (d *Decoder) UnitOf(value []byte) (Unit, bool) {
	id, ok := d.unitID(value)
	kind := &d.fields.tokens[fieldUnitKind]
	switch {
	case !ok:
		return Unit{}, false
	case kind.kind == absent || kind.kind == null:
		return d.key.Unit(defaultKind, string(id)), true
	case kind.kind != text:
		return Unit{}, false
	}
	return d.key.Unit(string(d.fields.text(kind)), string(id)), true
}

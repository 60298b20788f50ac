package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// storedHeader marks copies that were made of a stored event instead of a record: the
// record may long have been deleted, and of the unit only its hash is left.
const storedHeader = "assay-stored"

// maxStoredHi bounds the upper half of a value: |x| < 10^15 has twelve decimals.
const maxStoredHi = 54_210_109 // 10^27 / 2^64, rounded up

// storedCopy is the value of such a copy: the event as it is stored, so that whoever
// reads the copy has the very same.
type storedCopy struct {
	Type       Type        `json:"type"`
	T          int64       `json:"t"`
	UnitKind   string      `json:"unit_kind"`
	Unit       string      `json:"unit"` // its hash, 32 hexadecimal digits
	ID         string      `json:"id,omitempty"`
	Experiment string      `json:"experiment,omitempty"`
	Variant    string      `json:"variant,omitempty"`
	Name       string      `json:"event,omitempty"`
	Value      [2]string   `json:"value"` // Hi and Lo
	Attrs      [][2]string `json:"attrs,omitempty"`
}

// StoredCopy is the copy of a stored event that was read from its own topic, as
// [CopyDecoder] reads it: partition is that of the event's place.
func StoredCopy(e *Event, partition int32) (value []byte, headers []Header, err error) {
	if e.Origin.Copied {
		return nil, nil, errors.New("the event is that of a copy already")
	}
	c := storedCopy{
		Type: e.Type, T: e.T, UnitKind: e.UnitKind, Unit: fmt.Sprintf("%016x%016x", e.Unit.Hi, e.Unit.Lo),
		ID: e.ID, Experiment: e.Experiment, Variant: e.Variant, Name: e.Name,
		Value: [2]string{strconv.FormatInt(e.Value.Hi, 10), strconv.FormatUint(e.Value.Lo, 10)},
	}
	sound := utf8.ValidString(e.UnitKind) && utf8.ValidString(e.ID) && utf8.ValidString(e.Experiment) && utf8.ValidString(e.Variant) && utf8.ValidString(e.Name)
	for _, a := range e.Attrs {
		c.Attrs = append(c.Attrs, [2]string{a.Name, a.Value})
		sound = sound && utf8.ValidString(a.Name) && utf8.ValidString(a.Value)
	}
	if !sound { // JSON would change it
		return nil, nil, errors.New("a text of the event is not UTF-8")
	}
	if value, err = json.Marshal(c); err != nil {
		return nil, nil, fmt.Errorf("write a copy: %w", err)
	}
	at := Copy{Partition: partition, Offset: e.Place.Offset, KafkaT: e.KafkaT}
	return value, []Header{at.Header(), {Key: storedHeader, Value: []byte("1")}}, nil
}

// stored reads the copy of a stored event.
func (d *CopyDecoder) stored(rec *Record, origin Copy) (Event, *Dead, bool) {
	var c storedCopy
	if err := json.Unmarshal(rec.Value, &c); err != nil {
		return Event{}, dead(rec, fault{BadJSON, -1, "the copy of a stored event is not readable"}), false
	}
	e := Event{
		Type: c.Type, Place: rec.Place, T: c.T, KafkaT: rec.KafkaT, UnitKind: c.UnitKind,
		ID: origin.id(c.ID), Experiment: c.Experiment, Variant: c.Variant, Name: c.Name,
		Origin: Origin{Copied: true, Partition: origin.Partition, Offset: origin.Offset},
	}
	var errs [4]error
	if len(c.Unit) != 32 {
		return Event{}, dead(rec, fault{BadField, -1, "the copy of a stored event names no unit"}), false
	}
	e.Unit.Hi, errs[0] = strconv.ParseUint(c.Unit[:16], 16, 64)
	e.Unit.Lo, errs[1] = strconv.ParseUint(c.Unit[16:], 16, 64)
	e.Value.Hi, errs[2] = strconv.ParseInt(c.Value[0], 10, 64)
	e.Value.Lo, errs[3] = strconv.ParseUint(c.Value[1], 10, 64)
	if errors.Join(errs[:]...) != nil || e.Type != Exposure && e.Type != Outcome || e.Value.Hi < -maxStoredHi || e.Value.Hi >= maxStoredHi {
		return Event{}, dead(rec, fault{BadField, -1, "the copy of a stored event is not readable"}), false
	}
	for _, a := range c.Attrs {
		e.Attrs = append(e.Attrs, Attr{a[0], a[1]})
	}
	e.Misplaced = d.native.misplaced(rec, nil, e.Unit)
	return e, nil, true
}

package sources

import (
	"fmt"

	"github.com/assay-dev/assay/ingest"
)

// Decoder turns the records of a live topic into events through a mapping. What
// the mapping yields is judged by the decoder of native events, so that every
// rule holds for both. Each goroutine needs a decoder of its own.
type Decoder struct {
	mapping *Mapping
	native  *ingest.Decoder
}

// NativeEvent is one native record that was made of a record of another shape.
type NativeEvent struct {
	Unit string // the unit's id: the key under which the record is to be written
	JSON []byte
}

// NewDecoder returns a decoder that hashes units with the key and keeps the named
// attributes, no others. A mapping of files only is refused.
func NewDecoder(m *Mapping, key ingest.Key, attributes []string) (*Decoder, error) {
	if m.Format == csvFormat {
		return nil, fmt.Errorf("mapping %s reads csv, a topic holds JSON", m.Name)
	}
	return &Decoder{mapping: m, native: ingest.NewDecoder(key, attributes)}, nil
}

// Expect tells the decoder how units are spread, as ingest.Decoder.Expect does.
func (d *Decoder) Expect(n int32, by []ingest.Partitioner) { d.native.Expect(n, by) }

// Decode returns the record's event (and true), or why it is a dead letter. A
// record that holds several events cannot stand at one place: it is dead here,
// and read by declaring the topic's partitioner as any.
func (d *Decoder) Decode(rec ingest.Record) (ingest.Event, *ingest.Dead, bool) {
	if d.mapping.Format == nativeFormat {
		return d.native.Decode(rec)
	}
	events, dead := d.Native(rec)
	if dead != nil {
		return ingest.Event{}, dead, false
	}
	original := len(rec.Value)
	rec.Value = events[0].JSON
	e, dead, ok := d.native.Decode(rec)
	if dead != nil {
		dead.Size, dead.Position = original, -1
	}
	return e, dead, ok
}

// Native returns the native records that a record becomes, for the stage that
// writes records anew under their unit's id. There is at least one, or the record
// is dead; of a record that holds a list both may be: some elements are events,
// and at least one is broken.
func (d *Decoder) Native(rec ingest.Record) ([]NativeEvent, *ingest.Dead) {
	fail := func(reason ingest.Reason, detail string) *ingest.Dead {
		return &ingest.Dead{Place: rec.Place, KafkaT: rec.KafkaT, Reason: reason, Size: len(rec.Value), Position: -1, Detail: detail}
	}
	r, err := jsonRow(rec.Value)
	if err != nil {
		return nil, fail(ingest.BadJSON, "not a JSON object")
	}
	if d.mapping.Format == nativeFormat {
		if _, dead, ok := d.native.Decode(rec); !ok {
			return nil, dead
		}
		unit, _ := r("unit")
		return []NativeEvent{{unit, rec.Value}}, nil
	}
	events, err := d.mapping.events(1, "", r)
	switch {
	case err != nil:
		return nil, fail(ingest.BadField, "a field is missing or wrong")
	case len(events) == 0:
		return nil, fail(ingest.Filtered, "no event by the mapping")
	}
	out := make([]NativeEvent, 0, len(events))
	for i := range events {
		b, err := events[i].JSON()
		if err != nil {
			return nil, fail(ingest.BadValue, "cannot be written as JSON")
		}
		out = append(out, NativeEvent{events[i].Unit, b})
	}
	return out, nil
}

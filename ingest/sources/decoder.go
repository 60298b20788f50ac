package sources

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/ingest"
)

// Decoder turns the records of a live topic into events through a mapping. What
// the mapping yields is judged by the decoder of native events, so that every
// rule holds for both. Each goroutine needs a decoder of its own; it holds on to
// no record's bytes.
type Decoder struct {
	mapping *Mapping
	native  *ingest.Decoder
	keep    []string // the allow-list, sorted
	tree    tree
	out     []byte // of one native record
}

// NativeEvent is one native record that was made of a record of another shape.
type NativeEvent struct {
	Unit string // the unit's id: the key under which the record is to be written
	JSON []byte
}

// NewDecoder returns a decoder that hashes units with the key and keeps the named
// attributes, no others. A mapping that only files can satisfy is refused.
func NewDecoder(m *Mapping, key ingest.Key, attributes []string) (*Decoder, error) {
	switch {
	case m.Format == csvFormat:
		return nil, fmt.Errorf("mapping %s reads csv, a topic holds JSON", m.Name)
	case m.Unit.Row:
		return nil, fmt.Errorf("mapping %s counts rows, a topic has none", m.Name)
	case m.Time.Start != "" && !m.Time.Record:
		return nil, fmt.Errorf("mapping %s makes up its times, which is for files: say time: {record: true}", m.Name)
	}
	keep := append(make([]string, 0, len(attributes)), attributes...)
	slices.Sort(keep)
	return &Decoder{mapping: m, native: ingest.NewDecoder(key, attributes), keep: slices.Compact(keep)}, nil
}

// Expect tells the decoder how units are spread, as ingest.Decoder.Expect does.
func (d *Decoder) Expect(n int32, by []ingest.Partitioner) { d.native.Expect(n, by) }

// Check lets the decoder write down what a checker says, as ingest.Decoder.Check does.
func (d *Decoder) Check(c ingest.Checker) { d.native.Check(c) }

// Prove lets the decoder write down what records prove, as ingest.Decoder.Prove does.
func (d *Decoder) Prove(p ingest.Prover, require bool) { d.native.Prove(p, require) }

// Decode returns the record's event (and true), or why it is a dead letter. A
// record that holds several events cannot stand at one place: it is dead here,
// and read by declaring the topic's partitioner as any.
func (d *Decoder) Decode(rec ingest.Record) (ingest.Event, *ingest.Dead, bool) {
	if d.plain(&rec) {
		return d.native.Decode(rec)
	}
	if len(rec.Value) > ingest.MaxSize {
		return ingest.Event{}, dead(&rec, &problem{reason: ingest.TooLarge, says: "more than 1 MiB"}), false
	}
	r, bad := d.read(&rec)
	switch {
	case bad != nil:
		return ingest.Event{}, dead(&rec, bad), false
	case r.json != nil:
		return d.judge(&rec, r.json, r.translated)
	case len(r.events)+r.broken > 1:
		return ingest.Event{}, dead(&rec, &problem{
			reason: ingest.BadField, says: "a record with several events: declare the topic's partitioner as any",
		}), false
	case len(r.events) == 0:
		return ingest.Event{}, r.dead(&rec, nil), false
	}
	d.out = r.events[0].appendJSON(d.out[:0])
	e, why, ok := d.judge(&rec, d.out, true)
	if !ok {
		r.broken++
		why = r.dead(&rec, why)
	}
	return e, why, ok
}

// Native returns the native records that a record becomes, for the stage that
// writes records anew under their unit's id. There is at least one, or the record
// is dead. Of a record that holds a list both may be: some elements are events,
// and some are broken.
func (d *Decoder) Native(rec ingest.Record) ([]NativeEvent, *ingest.Dead) {
	if len(rec.Value) > ingest.MaxSize {
		return nil, dead(&rec, &problem{reason: ingest.TooLarge, says: "more than 1 MiB"})
	}
	r, bad := d.read(&rec)
	if bad != nil {
		return nil, dead(&rec, bad)
	}
	if r.json != nil {
		if _, why, ok := d.judge(&rec, r.json, r.translated); !ok {
			return nil, why
		}
		return []NativeEvent{{d.unit(r.json), r.json}}, nil
	}
	var out []NativeEvent
	var why *ingest.Dead
	for i := range r.events {
		b := r.events[i].JSON()
		if _, refused, ok := d.judge(&rec, b, true); ok {
			out = append(out, NativeEvent{r.events[i].Unit, b})
		} else if r.broken++; why == nil {
			why = refused
		}
	}
	if r.broken > 0 || len(out) == 0 {
		why = r.dead(&rec, why)
	}
	return out, why
}

// plain tells whether a record can go straight to the decoder of native events.
func (d *Decoder) plain(rec *ingest.Record) bool {
	return d.mapping.Format == nativeFormat && len(rec.Headers) == 0 && !bytes.Contains(rec.Value, []byte(specVersion))
}

// read takes a record apart and maps it. Native records pass as they are, unless
// an envelope gives them an identity.
func (d *Decoder) read(rec *ingest.Record) (result, *problem) {
	if d.plain(rec) {
		return result{json: rec.Value}, nil
	}
	root, ce, bad := d.tree.unwrap(rec.Value, rec.Headers)
	native := d.mapping.Format == nativeFormat
	switch {
	case native && ce.id == "":
		return result{json: rec.Value}, nil // with its own position, if it is broken
	case bad != nil:
		return result{}, bad
	case native:
		return result{json: d.tree.identified(root.at, ce), translated: true}, nil
	}
	s := source{
		tree: &d.tree, at: root.at, around: root.around, ce: ce, keep: d.keep,
		record: &record{rec.KafkaT, rec.Partition, rec.Place.Offset},
	}
	return d.mapping.record(&s), nil
}

// judge holds a native record against the rules for all. What it finds has no
// position in a record that was translated.
func (d *Decoder) judge(rec *ingest.Record, native []byte, translated bool) (ingest.Event, *ingest.Dead, bool) {
	made := *rec
	if made.Value = native; translated {
		made.Written = rec.Value
	}
	e, why, ok := d.native.Decode(made)
	if why != nil && translated {
		why.Size, why.Position = len(rec.Value), -1
	}
	return e, why, ok
}

// unit is the unit's id in a native record.
func (d *Decoder) unit(native []byte) string {
	if !d.tree.parse(native) {
		return ""
	}
	return d.tree.plain(0, "unit")
}

// identified is a native record with the identity, and if it has none of its own the
// time, of the envelope around it.
func (t *tree) identified(at int32, ce cloudEvent) []byte {
	n := &t.nodes[at]
	if n.kind != object {
		return slices.Clone(t.raw(at))
	}
	b := append(appendQuoted([]byte(`{"id":`), ce.id), ","...)
	if ce.t != 0 && t.child(at, "ts") == nowhere {
		b = append(appendTime(append(b, `"ts":`...), ce.t), ',')
	}
	for child := at + 1; child < n.next; child = t.nodes[child].next {
		m := &t.nodes[child]
		if key, ok := t.contents(m.keyFrom, m.keyTo, m.keyEscaped); ok && string(key) == "id" {
			continue
		}
		b = append(append(append(b, '"'), t.buf[m.keyFrom:m.keyTo]...), `":`...)
		b = append(append(b, t.raw(child)...), ',')
	}
	b[len(b)-1] = '}'
	return b
}

// raw is a value as it stands in the record.
func (t *tree) raw(at int32) []byte {
	n := &t.nodes[at]
	if n.kind == text {
		return t.buf[n.from-1 : n.to+1]
	}
	return t.buf[n.from:n.to]
}

func dead(rec *ingest.Record, bad *problem) *ingest.Dead {
	return &ingest.Dead{
		Place: rec.Place, KafkaT: rec.KafkaT, Reason: bad.reason,
		Size: len(rec.Value), Position: -1, Detail: bad.detail(),
	}
}

// dead says why there are no events, or of a list not all. judged is what became
// of the first element that was mapped and then refused.
func (r *result) dead(rec *ingest.Record, judged *ingest.Dead) *ingest.Dead {
	why := judged
	if why == nil {
		why = dead(rec, r.first)
	}
	if r.broken > 0 && r.total > 1 {
		why.Detail = fmt.Sprintf("%d of %d elements are no events, the first: %s", r.broken, r.total, why.Detail)
	}
	return why
}

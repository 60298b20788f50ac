package ingest

import (
	"bytes"
	"strconv"
)

// judge makes an event of a record that has been taken apart, or says what is
// wrong with it. Both scanners end here.
func (d *Decoder) judge(rec *Record, f *fields, e *Event) fault {
	e.Place, e.KafkaT = rec.Place, rec.KafkaT
	switch t := &f.tokens[fieldType]; {
	case t.kind == text && string(f.text(t)) == "exposure":
		e.Type = Exposure
	case t.kind == text && string(f.text(t)) == "outcome":
		e.Type = Outcome
	default:
		return t.fault(NoType, `"type" is neither "exposure" nor "outcome"`)
	}
	if bad := when(rec, f, e); bad.reason != "" {
		return bad
	}
	if bad := d.who(rec, f, e); bad.reason != "" {
		return bad
	}
	if bad := d.what(f, e); bad.reason != "" {
		return bad
	}
	if bad := d.attributes(f, e); bad.reason != "" {
		return bad
	}
	if bad := d.prove(rec, e); bad.reason != "" {
		return bad
	}
	d.check(e)
	if e.Type == Outcome && consentIn(e.Attrs) == ConsentDenied {
		e.Strip()
	}
	return fault{}
}

// when reads the event's time.
func when(rec *Record, f *fields, e *Event) fault {
	ok := false
	t := &f.tokens[fieldTS]
	switch t.kind {
	case absent, null:
		return t.fault(MissingField, `"ts" is missing`)
	case text:
		e.T, ok = parseRFC3339(f.text(t))
	case numeral:
		e.T, ok = parseEpoch(f.text(t))
	}
	if !ok {
		return t.fault(BadTime, `"ts" is neither RFC 3339 nor milliseconds since 1970`)
	}
	if rec.KafkaT >= 0 && e.T > rec.KafkaT+FutureLimit {
		return t.fault(Future, `"ts" is more than 5 minutes after the record's timestamp`)
	}
	return fault{}
}

// who reads the unit and the event's id.
func (d *Decoder) who(rec *Record, f *fields, e *Event) fault {
	unit, bad := required(f, fieldUnit, `"unit" is missing`, `"unit" is not a non-empty string`)
	if bad.reason != "" {
		return bad
	}
	kind := &f.tokens[fieldUnitKind]
	switch {
	case kind.kind == absent || kind.kind == null:
		e.UnitKind = defaultKind
	case kind.kind != text || kind.from == kind.to || bytes.IndexByte(f.text(kind), 0) >= 0:
		return kind.fault(BadField, `"unit_kind" is not a non-empty string without zero bytes`)
	default:
		e.UnitKind = d.interner.string(f.text(kind))
	}
	switch id := &f.tokens[fieldID]; id.kind {
	case absent, null:
	case text:
		e.ID = d.slab.string(f.text(id))
	default:
		return id.fault(BadField, `"id" is not a string`)
	}
	d.pair = append(append(append(d.pair[:0], e.UnitKind...), 0), unit...)
	e.Unit = d.key.hash(d.pair)
	e.Misplaced = d.misplaced(rec, unit, e.Unit)
	return fault{}
}

// what reads the fields that only one type has. Those of the other are ignored.
func (d *Decoder) what(f *fields, e *Event) fault {
	if e.Type == Outcome {
		name, bad := required(f, fieldEvent, `"event" is missing`, `"event" is not a non-empty string`)
		if bad.reason != "" {
			return bad
		}
		e.Name = d.interner.string(name)
		return amount(f, e)
	}
	key, bad := required(f, fieldExperiment, `"experiment" is missing`, `"experiment" is not a non-empty string`)
	if bad.reason != "" {
		return bad
	}
	e.Experiment = d.interner.string(key)
	variant, bad := required(f, fieldVariant, `"variant" is missing`, `"variant" is not a non-empty string`)
	e.Variant = d.interner.string(variant)
	e.Sample = kept(f)
	return bad
}

// kept reads the share of units that the producer says it keeps. What is no share is
// ignored like any field that is not known.
func kept(f *fields) float64 {
	t := &f.tokens[fieldSample]
	if t.kind != numeral {
		return 0
	}
	if x, err := strconv.ParseFloat(string(f.text(t)), 64); err == nil && x > 0 && x <= 1 {
		return x
	}
	return 0
}

// amount reads an outcome's value. A null is not an absent value: it is how
// JavaScript writes NaN and Infinity.
func amount(f *fields, e *Event) fault {
	t := &f.tokens[fieldValue]
	switch t.kind {
	case absent:
		e.Value = Value{Lo: 1e12}
		return fault{}
	case numeral:
		v, err := parseValue(f.text(t))
		if err != nil {
			return t.fault(BadValue, `"value" has a magnitude of 10^15 or more`)
		}
		e.Value = v
		return fault{}
	default:
		return t.fault(BadValue, `"value" is not a number`)
	}
}

// attributes keeps the allowed ones that are not null.
func (d *Decoder) attributes(f *fields, e *Event) fault {
	if k := &f.tokens[fieldAttrs]; k.kind > null && k.kind != object {
		return k.fault(BadField, `"attrs" is not an object`)
	}
	consent := f.consent()
	if len(f.attrs) == 0 && consent == "" {
		return fault{}
	}
	list := d.slab.list(len(f.attrs) + 1)
	if consent != "" {
		list = append(list, Attr{Name: Consent, Value: consent}) // a dollar sorts before every letter
	}
	for i := range f.attrs {
		a := &f.attrs[i]
		switch a.kind {
		case null:
		case object, array:
			return a.fault(BadField, "an attribute is not a string, number or boolean")
		default:
			list = append(list, Attr{Name: d.names[a.index], Value: d.interner.string(f.text(&a.token))})
		}
	}
	if len(list) > 0 {
		e.Attrs = list
	}
	return fault{}
}

// required returns the content of a non-empty string.
func required(f *fields, name fieldName, missing, wrong string) ([]byte, fault) {
	t := &f.tokens[name]
	switch {
	case t.kind == absent || t.kind == null:
		return nil, t.fault(MissingField, missing)
	case t.kind != text || t.from == t.to:
		return nil, t.fault(BadField, wrong)
	default:
		return f.text(t), fault{}
	}
}

func (t *token) fault(reason Reason, detail string) fault {
	if t.kind == absent {
		return fault{reason, -1, detail}
	}
	return fault{reason, int(t.at), detail}
}

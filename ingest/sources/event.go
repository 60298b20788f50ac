package sources

import (
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// Event is one native event.
type Event struct {
	Type       ingest.Type
	ID         string
	T          int64 // milliseconds UTC
	Unit       string
	UnitKind   string
	Experiment string        // exposures
	Variant    string        // exposures
	Name       string        // outcomes
	Value      string        // outcomes: a JSON number; empty for 1
	Consent    string        // granted, denied, unknown, not_required; others are unknown
	Attrs      []ingest.Attr // sorted by name; may be nil

	outer bool // the id was found outside of the element, if there is one
	entry int  // which of the mapping's events it is
}

// JSON is the record's value.
func (e *Event) JSON() []byte { return e.appendJSON(nil) }

func (e *Event) appendJSON(b []byte) []byte {
	member := func(name, text string) {
		if text != "" {
			b = append(append(append(b, `,"`...), name...), `":`...)
			b = appendQuoted(b, text)
		}
	}
	if e.Type == ingest.Exposure {
		b = append(b, `{"type":"exposure"`...)
	} else {
		b = append(b, `{"type":"outcome"`...)
	}
	member("id", e.ID)
	b = appendTime(append(b, `,"ts":`...), e.T)
	member("unit", e.Unit)
	member("unit_kind", e.UnitKind)
	member("experiment", e.Experiment)
	member("variant", e.Variant)
	member("event", e.Name)
	member("consent", e.Consent)
	if e.Value != "" {
		b = append(append(b, `,"value":`...), e.Value...)
	}
	for i := range e.Attrs {
		if i == 0 {
			b = append(b, `,"attrs":{`...)
		} else {
			b = append(b, ',')
		}
		b = append(appendQuoted(b, e.Attrs[i].Name), ':')
		b = appendQuoted(b, e.Attrs[i].Value)
	}
	if len(e.Attrs) > 0 {
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendTime writes milliseconds, or a date where so small a number would be
// taken for seconds.
func appendTime(b []byte, t int64) []byte {
	if t >= leastMillis {
		return strconv.AppendInt(b, t, 10)
	}
	return append(time.UnixMilli(t).UTC().AppendFormat(append(b, '"'), "2006-01-02T15:04:05.000Z07:00"), '"')
}

// events is what a row or an element becomes: all of them, or why there is none.
func (m *Mapping) events(s *source) ([]Event, *problem) {
	due, bad := m.due(s)
	if bad != nil {
		return nil, bad
	}
	var common Event
	if common.T, bad = m.Time.of(s); bad != nil {
		return nil, bad
	}
	if common.Unit, common.UnitKind, bad = m.who(s); bad != nil {
		return nil, bad
	}
	if common.ID, common.outer, bad = m.id(s); bad != nil {
		return nil, bad
	}
	if m.Consent != nil {
		if common.Consent, _, bad = m.Consent.optional(s); bad != nil {
			return nil, bad
		}
	}
	out := make([]Event, 0, 1)
	for i := range m.Rows {
		if due&(1<<i) == 0 {
			continue
		}
		e := common
		e.entry = i
		e.T += m.Rows[i].after
		if bad = m.Rows[i].fill(&e, s); bad != nil {
			return nil, bad
		}
		out = append(out, e)
	}
	return out, nil
}

// maxEvents is how many events one row can become.
const maxEvents = 64

// due tells which events apply, one bit each, or why none does.
func (m *Mapping) due(s *source) (due uint64, bad *problem) {
	if holds, bad := m.Only.hold(s); bad != nil || !holds {
		return 0, filtered(bad, "not what the mapping reads")
	}
	for i := range m.Skip {
		if holds, bad := m.Skip[i].hold(s); bad != nil || holds {
			return 0, filtered(bad, "skipped by the mapping")
		}
	}
	for i := range m.Rows {
		holds, bad := m.Rows[i].When.hold(s)
		if bad != nil {
			return 0, bad
		}
		if holds {
			due |= 1 << i
		}
	}
	if due == 0 {
		return 0, filtered(nil, "no event by the mapping")
	}
	for i := range m.Refuse {
		if holds, bad := m.Refuse[i].When.hold(s); bad != nil || holds {
			if bad == nil {
				bad = &problem{reason: ingest.BadField, says: m.Refuse[i].Because}
			}
			return 0, bad
		}
	}
	return due, nil
}

func filtered(bad *problem, says string) *problem {
	if bad != nil {
		return bad
	}
	return &problem{reason: ingest.Filtered, says: says}
}

// who reads the unit and its kind. A unit chosen from several brings its own.
func (m *Mapping) who(s *source) (unit, unitKind string, bad *problem) {
	chosen := &m.Unit
	if m.Unit.Row {
		unit = strconv.Itoa(s.number)
	} else if unit, chosen, bad = m.Unit.required(s, "is missing: nobody to count"); bad != nil {
		return "", "", bad
	}
	of := &m.UnitKind.field
	if chosen.Kind != nil {
		of = &chosen.Kind.field
	} else if m.Unit.Kind != nil {
		of = &m.Unit.Kind.field
	}
	if unitKind, _, bad = of.required(s, "is missing: what kind of unit?"); bad != nil {
		return "", "", bad
	}
	if strings.IndexByte(unitKind, 0) >= 0 {
		return "", "", &problem{reason: ingest.BadField, where: of.shown(), says: "holds a zero byte"}
	}
	return unit, unitKind, nil
}

// id is the source's own, if there is one.
func (m *Mapping) id(s *source) (id string, outer bool, bad *problem) {
	if s.ce.id != "" {
		return s.ce.id, true, nil
	}
	if m.ID == nil {
		return "", false, nil
	}
	id, up, bad := m.ID.optional(s)
	return id, up > 0, bad
}

// fill reads the event's own fields.
func (y *yields) fill(e *Event, s *source) (bad *problem) {
	if e.Attrs, bad = y.attributes(s); bad != nil {
		return bad
	}
	if y.Exposure != nil {
		e.Type = ingest.Exposure
		if e.Experiment, _, bad = y.Exposure.required(s, "is missing: which experiment?"); bad != nil {
			return bad
		}
		e.Variant, _, bad = y.Variant.required(s, "is missing: which variant?")
		return bad
	}
	e.Type = ingest.Outcome
	if e.Name, _, bad = y.Outcome.required(s, "is missing: what happened?"); bad != nil {
		return bad
	}
	if y.Value != nil {
		e.Value, bad = y.Value.number(s)
	}
	return bad
}

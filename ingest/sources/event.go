package sources

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/assay-dev/assay/ingest"
)

// Event is one native event.
type Event struct {
	Type       ingest.Type
	ID         string
	T          int64 // milliseconds UTC
	Unit       string
	UnitKind   string
	Experiment string            // exposures
	Variant    string            // exposures
	Name       string            // outcomes
	Value      string            // outcomes: a JSON number; empty for 1
	Attrs      map[string]string // may be nil
}

// wire is the event's JSON.
type wire struct {
	Type       string            `json:"type"`
	ID         string            `json:"id,omitempty"`
	TS         int64             `json:"ts"`
	Unit       string            `json:"unit"`
	UnitKind   string            `json:"unit_kind,omitempty"`
	Experiment string            `json:"experiment,omitempty"`
	Variant    string            `json:"variant,omitempty"`
	Event      string            `json:"event,omitempty"`
	Value      json.RawMessage   `json:"value,omitempty"`
	Attrs      map[string]string `json:"attrs,omitempty"`
}

// JSON is the record's value.
func (e *Event) JSON() ([]byte, error) {
	w := wire{
		Type: "outcome", ID: e.ID, TS: e.T, Unit: e.Unit, UnitKind: e.UnitKind, Experiment: e.Experiment, Variant: e.Variant,
		Event: e.Name, Value: json.RawMessage(e.Value), Attrs: e.Attrs,
	}
	if e.Type == ingest.Exposure {
		w.Type = "exposure"
	}
	b, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	return b, nil
}

// events is what a row becomes: all of them, or why the row is broken.
func (m *Mapping) events(number int, id string, r row) ([]Event, error) {
	t, err := m.Time.of(number, r)
	if err != nil {
		return nil, err
	}
	who, err := m.unit(number, r)
	if err != nil {
		return nil, err
	}
	if id, err = m.id(id, r); err != nil {
		return nil, err
	}
	var out []Event
	for i := range m.Rows {
		y := &m.Rows[i]
		if holds, err := y.holds(r); err != nil || !holds {
			if err != nil {
				return nil, err
			}
			continue
		}
		e := Event{ID: fmt.Sprintf("%s:%d", id, i), T: t + y.after, Unit: who, UnitKind: m.UnitKind}
		if err := y.fill(&e, r); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (m *Mapping) unit(number int, r row) (string, error) {
	if m.Unit.Row {
		return fmt.Sprint(number), nil
	}
	who, ok := r(m.Unit.Column)
	if !ok || who == "" {
		return "", fmt.Errorf("%s is missing: nobody to count", m.Unit.Column)
	}
	return who, nil
}

// id is the source's own, if the mapping names one.
func (m *Mapping) id(made string, r row) (string, error) {
	if m.ID == nil {
		return made, nil
	}
	own, err := m.ID.read(r)
	if err == nil && own == "" {
		err = errors.New("the id is empty")
	}
	return m.Name + ":" + own, err
}

func (y *yields) holds(r row) (bool, error) {
	for _, column := range slices.Sorted(maps.Keys(y.When)) {
		c := y.When[column]
		if holds, err := c.holds(column, r); err != nil || !holds {
			return false, err
		}
	}
	return true, nil
}

// fill reads the event's own fields.
func (y *yields) fill(e *Event, r row) (err error) {
	if len(y.Attrs) > 0 {
		e.Attrs = make(map[string]string, len(y.Attrs))
	}
	for name, f := range y.Attrs {
		text, err := f.read(r)
		if err != nil {
			return err
		}
		e.Attrs[name] = text
	}
	if y.Exposure != "" {
		e.Type, e.Experiment = ingest.Exposure, y.Exposure
		if e.Variant, err = y.Variant.read(r); err == nil && e.Variant == "" {
			err = errors.New("the variant is empty")
		}
		return err
	}
	e.Type, e.Name = ingest.Outcome, y.Outcome
	if y.Value == nil {
		return nil
	}
	text, err := y.Value.read(r)
	if err != nil {
		return err
	}
	if e.Value, err = decimal(text); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	return nil
}

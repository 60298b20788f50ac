package ingest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCheck: a checker is asked about exposures, with the unit's id and what is kept of
// the event; what it says stands first among the attributes, and producers cannot say it.
func TestCheck(t *testing.T) {
	var asked []string
	d := NewDecoder(Key{}, []string{"country", "plan"})
	d.Check(func(e *Event, unit []byte) (string, string) {
		asked = append(asked, fmt.Sprintf("%s %s %s %s %v", unit, e.UnitKind, e.Experiment, e.Variant, e.Attrs))
		if e.Experiment == "unknown" {
			return "", ""
		}
		if e.Sample > 0 {
			return "match", fmt.Sprint(e.Sample)
		}
		return "match", ""
	})
	decode := func(text string) []Attr {
		t.Helper()
		e, why, ok := d.Decode(Record{Value: []byte(text), KafkaT: -1})
		if !ok {
			t.Fatalf("%s: %+v", text, why)
		}
		return e.Attrs
	}
	const head = `{"type":"exposure","ts":1772366412345,"unit":"ü-\u00e91","unit_kind":"device","experiment":`
	for text, want := range map[string][]Attr{
		head + `"cta","variant":"a","attrs":{"plan":"pro","country":"DE","$assignment":"mine"}}`: {{Assignment, "match"}, {"country", "DE"}, {"plan", "pro"}},
		head + `"cta","variant":"a"}`: {{Assignment, "match"}},
		head + `"cta","variant":"a","sample":0.1,"attrs":{"plan":"pro","$sample":"mine"}}`: {{Assignment, "match"}, {Sample, "0.1"}, {"plan", "pro"}},
		head + `"cta","variant":"a","sample":1e-1}`:                                        {{Assignment, "match"}, {Sample, "0.1"}},
		head + `"cta","variant":"a","sample":0}`:                                           {{Assignment, "match"}},
		head + `"cta","variant":"a","sample":1.5}`:                                         {{Assignment, "match"}},
		head + `"cta","variant":"a","sample":"x"}`:                                         {{Assignment, "match"}},
		head + `"cta","variant":"a","sample":[1]}`:                                         {{Assignment, "match"}},
		head + `"unknown","variant":"a","attrs":{"plan":"pro"}}`:                           {{"plan", "pro"}},
		`{"type":"outcome","ts":1772366412345,"unit":"u","event":"buy"}`:                   nil,
	} {
		if diff := cmp.Diff(want, decode(text)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	if len(asked) != 9 {
		t.Errorf("asked %q", asked)
	}
	asked = nil
	decode(head + `"cta","variant":"a","attrs":{"plan":"pro"}}`)
	if want := "ü-é1 device cta a [{plan pro}]"; len(asked) != 1 || asked[0] != want {
		t.Errorf("asked %q, want %q", asked, want)
	}
}

package ingest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const kafkaT = int64(1_772_366_500_000) // 2026-03-01T12:01:40Z

func testDecoder() *Decoder { return NewDecoder(Key{1, 2, 3}, []string{"plan", "country"}) }

func record(value string) Record {
	return Record{Place: Place{Topic: 1, Offset: 42}, KafkaT: kafkaT, Value: []byte(value)}
}

// semantics: milliseconds fields names attributes allow-list
func TestDecodeEvents(t *testing.T) {
	unit := Key{1, 2, 3}.Unit
	exposure := Event{
		Type: Exposure, Place: Place{1, 42}, T: 1_772_366_400_123, KafkaT: kafkaT, Unit: unit("user", "u-1"),
		UnitKind: "user", Experiment: "e", Variant: "v",
	}
	with := func(base Event, change func(*Event)) Event { change(&base); return base }
	outcome := with(exposure, func(e *Event) {
		e.Type, e.Experiment, e.Variant, e.Name, e.Value = Outcome, "", "", "buy", Value{Lo: 1e12}
	})
	const head = `{"type":"exposure","ts":1772366400123,"unit":"u-1","experiment":"e","variant":"v"`
	const tail = `{"type":"outcome","ts":1772366400123,"unit":"u-1","event":"buy"`
	for name, c := range map[string]struct {
		value string
		want  Event
	}{
		"least exposure":     {head + `}`, exposure},
		"least outcome":      {tail + `}`, outcome},
		"white space":        {" {\n\t\"type\" : \"outcome\" ,\r \"ts\":1772366400123, \"unit\":\"u-1\",\"event\":\"buy\" } \n", outcome},
		"RFC 3339":           {strings.Replace(head, `1772366400123`, `"2026-03-01T13:00:00.1239+01:00"`, 1) + `}`, exposure},
		"fraction of a ms":   {strings.Replace(head, `1772366400123`, `1772366400123.999`, 1) + `}`, exposure},
		"id":                 {head + `,"id":"x"}`, with(exposure, func(e *Event) { e.ID = "x" })},
		"empty id is none":   {head + `,"id":""}`, exposure},
		"null id is none":    {head + `,"id":null}`, exposure},
		"unit kind":          {head + `,"unit_kind":"device"}`, with(exposure, func(e *Event) { e.UnitKind, e.Unit = "device", unit("device", "u-1") })},
		"null unit kind":     {head + `,"unit_kind":null}`, exposure},
		"escapes":            {strings.Replace(head, `"u-1"`, `"u\u002d1"`, 1) + `}`, exposure},
		"escaped name":       {strings.Replace(head, `"unit"`, `"\u0075nit"`, 1) + `}`, exposure},
		"beyond ASCII":       {strings.Replace(head, `"u-1"`, `"ü-😀"`, 1) + `}`, with(exposure, func(e *Event) { e.Unit = unit("user", "ü-😀") })},
		"surrogate pair":     {strings.Replace(head, `"u-1"`, `"ü-\ud83d\uDE00"`, 1) + `}`, with(exposure, func(e *Event) { e.Unit = unit("user", "ü-😀") })},
		"unknown fields":     {head + `,"a":{"unit":[1,{}]},"b":[],"c":null,"a":2,"Unit":7}`, exposure},
		"other type's field": {head + `,"value":"NaN","event":3}`, exposure},
		"attributes":         {head + `,"attrs":{"plan":"pro","other":"x","country":"DE"}}`, with(exposure, func(e *Event) { e.Attrs = []Attr{{"country", "DE"}, {"plan", "pro"}} })},
		"literals":           {head + `,"attrs":{"plan":1.50,"country":true,"deep":{"plan":1}}}`, with(exposure, func(e *Event) { e.Attrs = []Attr{{"country", "true"}, {"plan", "1.50"}} })},
		"null attribute":     {head + `,"attrs":{"plan":null}}`, exposure},
		"null attributes":    {head + `,"attrs":null}`, exposure},
		"no attributes":      {head + `,"attrs":{}}`, exposure},
		"value":              {tail + `,"value":19.99}`, with(outcome, func(e *Event) { e.Value = Value{Lo: 19_990_000_000_000} })},
		"negative value":     {tail + `,"value":-2}`, with(outcome, func(e *Event) { e.Value = Int64(-2e12) })},
		"exponent":           {tail + `,"value":25e-1}`, with(outcome, func(e *Event) { e.Value = Int64(2.5e12) })},
		"other type's names": {tail + `,"experiment":1,"variant":null}`, outcome},
	} {
		t.Run(name, func(t *testing.T) {
			for path, decode := range paths(testDecoder()) {
				got, why, ok := decode(record(c.value))
				if !ok {
					t.Fatalf("%s: dead: %+v", path, *why)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			}
		})
	}
}

// paths are both ways through the decoder: with the scanner in front, and the
// fallback alone.
func paths(d *Decoder) map[string]func(Record) (Event, *Dead, bool) {
	return map[string]func(Record) (Event, *Dead, bool){
		"decode":   d.Decode,
		"fallback": func(rec Record) (Event, *Dead, bool) { return d.decodeSlowly(&rec) },
	}
}

// semantics: reasons dead-letter future
func TestDecodeDead(t *testing.T) {
	const head = `{"type":"exposure","ts":1772366400123,"unit":"u-1","experiment":"e","variant":"v"`
	const tail = `{"type":"outcome","ts":1772366400123,"unit":"u-1","event":"buy"`
	swap := func(s, old, new string) string { return strings.Replace(s, old, new, 1) + "}" }
	for name, c := range map[string]struct {
		value  string
		reason Reason
		at     string // the text at which the error is; empty: no position
	}{
		"empty":                 {"", BadJSON, "0"},
		"cut off":               {head, BadJSON, "end"},
		"two values":            {tail + `} {`, BadJSON, "{"},
		"not an object":         {`[1]`, BadJSON, `[`},
		"not UTF-8":             {swap(head, "u-1", "u-\xff"), BadJSON, "\xff"},
		"half a surrogate":      {swap(head, `"u-1"`, `"\ud83d!"`), BadJSON, `"\ud83d`},
		"other half":            {swap(head, `"u-1"`, `"\uDE00"`), BadJSON, `"\uDE00`},
		"field twice":           {head + `,"unit":"u-1"}`, BadJSON, `"u-1"}`},
		"attribute twice":       {head + `,"attrs":{"plan":1,"plan":2}}`, BadJSON, `2}`},
		"no type":               {`{"ts":1}`, NoType, ""},
		"other type":            {`{"type":"click"}`, NoType, `"click"`},
		"no time":               {swap(head, `"ts":1772366400123,`, ""), MissingField, ""},
		"null time":             {swap(head, `1772366400123`, "null"), MissingField, "null"},
		"text time":             {swap(head, `1772366400123`, `"now"`), BadTime, `"now"`},
		"digits in a text":      {swap(head, `1772366400123`, `"1772366400123"`), BadTime, `"17`},
		"seconds":               {swap(head, `1772366400123`, `1772366400`), BadTime, `1772366400`},
		"far future number":     {swap(head, `1772366400123`, `99999999999999`), BadTime, `99999999999999`},
		"exponent time":         {swap(head, `1772366400123`, `1.7e12`), BadTime, `1.7`},
		"before 1970":           {swap(head, `1772366400123`, `"1969-12-31T23:59:59Z"`), BadTime, `"1969`},
		"no such day":           {swap(head, `1772366400123`, `"2026-02-29T00:00:00Z"`), BadTime, `"2026`},
		"no zone":               {swap(head, `1772366400123`, `"2026-03-01T12:00:00"`), BadTime, `"2026`},
		"boolean time":          {swap(head, `1772366400123`, `true`), BadTime, `true`},
		"future":                {swap(head, `1772366400123`, `1772366800001`), Future, `1772366800001`},
		"no unit":               {swap(head, `"unit":"u-1",`, ``), MissingField, ""},
		"empty unit":            {swap(head, `"u-1"`, `""`), BadField, `""`},
		"unit is a number":      {swap(head, `"u-1"`, `17`), BadField, `17,`},
		"unit kind is a number": {head + `,"unit_kind":1}`, BadField, `1}`},
		"zero byte in the kind": {head + `,"unit_kind":"a\u0000b"}`, BadField, `"a\`},
		"id is a number":        {head + `,"id":12}`, BadField, `12}`},
		"no experiment":         {swap(head, `"experiment":"e",`, ``), MissingField, ""},
		"empty variant":         {swap(head, `"v"`, `""`), BadField, `""`},
		"no event":              {swap(tail, `,"event":"buy"`, ``), MissingField, ""},
		"text value":            {tail + `,"value":"19.99"}`, BadValue, `"19.99"`},
		"null value":            {tail + `,"value":null}`, BadValue, `null`},
		"boolean value":         {tail + `,"value":false}`, BadValue, `false`},
		"large value":           {tail + `,"value":1e15}`, BadValue, `1e15`},
		"rounds to 10^15":       {tail + `,"value":-999999999999999.9999999999995}`, BadValue, `-999`},
		"NaN":                   {tail + `,"value":NaN}`, BadJSON, `NaN`},
		"attrs is a list":       {head + `,"attrs":[]}`, BadField, `[]`},
		"attrs is a text":       {head + `,"attrs":"{}"}`, BadField, `"{}"`},
		"nested attribute":      {head + `,"attrs":{"plan":{"a":1}}}`, BadField, `{"a"`},
		"too large":             {head + strings.Repeat(" ", MaxSize) + `}`, TooLarge, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, got, ok := testDecoder().Decode(record(c.value))
			if ok {
				t.Fatal("decoded")
			}
			want := &Dead{Place: Place{1, 42}, KafkaT: kafkaT, Reason: c.reason, Size: len(c.value), Position: strings.LastIndex(c.value, c.at), Detail: got.Detail}
			switch c.at {
			case "":
				want.Position = -1
			case "0":
				want.Position = 0
			case "end":
				want.Position = len(c.value) - 1
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Detail == "" {
				t.Error("no detail")
			}
		})
	}
}

// semantics: future
func TestDecodeWithoutKafkaTime(t *testing.T) {
	rec := record(`{"type":"outcome","ts":"2200-01-01T00:00:00Z","unit":"u","event":"buy"}`)
	rec.KafkaT = -1
	if _, why, ok := testDecoder().Decode(rec); !ok {
		t.Errorf("dead: %+v", *why)
	}
}

// TestDecodeSecretFree makes sure that a dead letter tells nothing of its payload.
//
// semantics: dead-payload
func TestDecodeSecretFree(t *testing.T) {
	const secret = "hunter2"
	for _, value := range []string{
		`{"type":"` + secret + `"}`, `{"type":"outcome","ts":"` + secret + `"}`, secret, `{"` + secret + `"`,
		`{"type":"exposure","ts":1772366400123,"unit":["` + secret + `"]}`,
		`{"type":"outcome","ts":1772366400123,"unit":"u","event":"e","value":"` + secret + `"}`,
	} {
		_, why, ok := testDecoder().Decode(record(value))
		if text, _ := json.Marshal(why); ok || strings.Contains(string(text), secret) {
			t.Errorf("%q: %v %s", value, ok, text)
		}
	}
}

func TestDecodeKeepsStrings(t *testing.T) {
	d := testDecoder()
	value := []byte(`{"type":"exposure","id":"abc","ts":1772366400123,"unit":"u-1","experiment":"e","variant":"v","attrs":{"plan":"pro"}}`)
	e, _, ok := d.Decode(Record{KafkaT: kafkaT, Value: value})
	clear(value)
	if !ok || e.ID != "abc" || e.Experiment != "e" || e.Attrs[0].Value != "pro" {
		t.Errorf("the event changed with its record: %+v", e)
	}
	for range 3000 { // more than the tables hold
		d.interner.string([]byte{byte(len(e.ID))})
		d.slab.string([]byte("overwrite?"))
		d.slab.list(2)[:2][0].Value = "overwrite?"
	}
	if e.ID != "abc" || e.Attrs[0].Value != "pro" {
		t.Errorf("the event changed with the decoder: %+v", e)
	}
}

// semantics: place
func TestDecodeMisplaced(t *testing.T) {
	d := testDecoder()
	d.Expect(10, []Partitioner{Murmur2, CRC32, AnyPartition})
	const value = `{"type":"outcome","ts":1772366400123,"unit":"kafka","event":"buy"}`
	for _, c := range []struct {
		topic     uint8
		partition int32
		want      bool
	}{
		{1, 9, false}, {1, 8, true}, // crc32("kafka") % 10 = 0x5bbc7517 % 10 = 9
		{0, 9, true}, {2, 3, false}, {3, 3, false},
	} {
		e, _, ok := d.Decode(Record{Place: Place{Topic: c.topic}, Partition: c.partition, KafkaT: kafkaT, Value: []byte(value)})
		if !ok || e.Misplaced != c.want {
			t.Errorf("topic %d partition %d: misplaced %v, want %v", c.topic, c.partition, e.Misplaced, c.want)
		}
	}
}

// TestScannersAgree does what the fuzz target does with records that are nearly
// native, many by one decoder, so that it meets forms that it has learnt.
func TestScannersAgree(t *testing.T) {
	values := []string{
		`"exposure"`, `"outcome"`, `1772366400123`, `1772366400123.5`, `"2026-03-01T12:00:00Z"`, `"2026-03-01T12:00:00.5+01:00"`, `"u-1"`, `"a"`, `""`,
		`"ü"`, `"\u0061"`, `"\n"`, `"\ud800"`, "\"\x01\"", "\"\xff\"", `19.99`, `-0`, `1e3`, `01`, `1.`, `-`, `null`, `true`, `tru`, `{}`, `{"a":"b"}`, `[1]`, `"x`, ``,
		`{"plan":"pro","country":"DE"}`, `{"country":"DE","plan":"pro"}`, `{"plan":1,"plan":2}`, `{"plan":null}`, `{"plan":{}}`, `{"x":{}}`, `{"plan":"pro",}`,
	}
	names := []string{"type", "id", "ts", "unit", "unit_kind", "experiment", "variant", "event", "value", "attrs", "other", "Unit", "\\u0075nit"}
	usual := map[string]string{"type": `"exposure"`, "id": `"9f1c"`, "ts": `1772366400123`, "unit": `"u-1"`, "unit_kind": `"user"`, "experiment": `"e"`, "variant": `"v"`, "event": `"buy"`, "value": `2.5`, "attrs": `{"plan":"pro"}`}
	rapid.Check(t, func(t *rapid.T) {
		d := testDecoder()
		d.Expect(8, []Partitioner{Murmur2})
		order := rapid.Permutation(names[:10]).Draw(t, "order")
		for range rapid.IntRange(1, 12).Draw(t, "records") {
			var b strings.Builder
			b.WriteString(rapid.SampledFrom([]string{"{", "{", "{", " {", ""}).Draw(t, "open"))
			for i, name := range order {
				value := usual[name]
				switch rapid.IntRange(0, 24).Draw(t, "odd") {
				case 0:
					value = rapid.SampledFrom(values).Draw(t, "value")
				case 1:
					name = rapid.SampledFrom(names).Draw(t, "name")
				case 2:
					value += rapid.SampledFrom([]string{" ", "\n", "x", "\""}).Draw(t, "after")
				}
				if name == "type" && rapid.Bool().Draw(t, "outcome") {
					value = `"outcome"`
				}
				if i > 0 {
					b.WriteString(",")
				}
				b.WriteString(`"` + name + `":` + value)
			}
			b.WriteString(rapid.SampledFrom([]string{"}", "}", "}", "} ", "}}", ""}).Draw(t, "close"))
			agree(t, d, Record{KafkaT: kafkaT, Value: []byte(b.String())})
		}
	})
}

// agree decodes a record both ways.
func agree(t interface {
	Helper()
	Fatalf(string, ...any)
}, d *Decoder, rec Record) {
	t.Helper()
	fast, why, ok := d.Decode(rec)
	slow, whySlow, okSlow := d.decodeSlowly(&rec)
	if ok != okSlow || !cmp.Equal(fast, slow) || !cmp.Equal(why, whySlow) {
		t.Fatalf("%q\nscanner  %v %+v %+v\nfallback %v %+v %+v", rec.Value, ok, fast, why, okSlow, slow, whySlow)
	}
	if ok && !json.Valid(rec.Value) {
		t.Fatalf("%q is not JSON, and yet an event", rec.Value)
	}
}

// FuzzDecode holds the scanner against the fallback: what it accepts, the
// fallback accepts alike; what is dead is dead by both.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"type":"exposure","id":"9f1c","ts":"2026-03-01T12:00:00.123Z","unit":"u-123","unit_kind":"user","experiment":"checkout-cta","variant":"treatment","attrs":{"country":"DE","plan":1}}`,
		`{"type":"outcome","id":"a77b","ts":1772366412345,"unit":"u-123","unit_kind":"user","event":"purchase","value":19.99,"attrs":{}}`,
		`{"type":"outcome","ts":1772366412345,"unit":"\u00fc\ud83d\ude00","event":"é","value":-1.5e+3,"x":[{}],"y":null}`,
		`{"type":"outcome","unit":"a","unit":"b"}`, `{"a":"\"`, "{\"unit\":\"\x00\"}", "{\"unit\":\"\xff\"}", `{"attrs":null,"attrs":{}}`, ` { } `,
	} {
		f.Add([]byte(seed), kafkaT)
	}
	f.Fuzz(func(t *testing.T, value []byte, kafka int64) {
		d := testDecoder()
		d.Expect(8, []Partitioner{Murmur2})
		rec := Record{KafkaT: kafka, Value: value}
		agree(t, d, rec)
		agree(t, d, rec) // now by its form, if it has one
		if at := bytes.IndexAny(value, `:"`); at >= 0 {
			agree(t, d, Record{KafkaT: kafka, Value: append(bytes.Clone(value[:at]), value...)})
		}
	})
}

// Of several faults the first in the page's order is the reason.
//
// semantics: reason-order
func TestReasonOrder(t *testing.T) {
	value := `{"type":"x","ts":"then","unit":5,"unit_kind":6,"id":7,"event":8,"value":"9","attrs":{"plan":[]}`
	for _, step := range []struct {
		reason  Reason
		at      string // where the error is
		old, as string // what mends it
	}{
		{BadJSON, "[]}", "[]}", "[]}}"},
		{NoType, `"x"`, `"x"`, `"outcome"`},
		{BadTime, `"then"`, `"then"`, `1772366400123`},
		{BadField, `5,`, `5,`, `"u",`},
		{BadField, `6,`, `6,`, `"user",`},
		{BadField, `7,`, `7,`, `"a",`},
		{BadField, `8,`, `8,`, `"buy",`},
		{BadValue, `"9"`, `"9"`, `9`},
		{BadField, `[]`, `[]`, `"pro"`},
	} {
		_, why, ok := testDecoder().Decode(record(value))
		if ok || why.Reason != step.reason || step.reason != BadJSON && why.Position != strings.Index(value, step.at) {
			t.Errorf("%s: %+v, want %s at %s", value, why, step.reason, step.at)
		}
		value = strings.Replace(value, step.old, step.as, 1)
	}
	if _, why, ok := testDecoder().Decode(record(value)); !ok {
		t.Errorf("%s: %+v", value, *why)
	}
}

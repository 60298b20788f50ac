package sources_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/sources"
)

// one decodes a record through the text of a mapping: the native JSON, or the
// reason and the detail.
func one(t testing.TB, mapping, value string, change ...func(*ingest.Record)) string {
	t.Helper()
	d, err := sources.NewDecoder(load(t, mapping), fixtureKey, []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	rec := record(value)
	for _, c := range change {
		c(&rec)
	}
	events, dead := d.Native(rec)
	var out []string
	for _, e := range events {
		out = append(out, string(e.JSON))
	}
	if dead != nil {
		out = append(out, string(dead.Reason)+": "+dead.Detail)
	}
	return strings.Join(out, "\n")
}

func TestTimes(t *testing.T) {
	mapping := func(time string) string {
		return "name: x\nformat: json\nunit: u\ntime: " + time + "\nevents: [{outcome: o}]\n"
	}
	event := func(ts string) string {
		return `{"type":"outcome","ts":` + ts + `,"unit":"1","unit_kind":"user","event":"o"}`
	}
	for _, c := range []struct{ time, at, want string }{
		{"{path: t, layout: unix}", "1772366400", event("1772366400000")},
		{"{path: t, layout: unix}", "1772366400.1239", event("1772366400123")},
		{"{path: t, layout: unix}", `"1772366400"`, event("1772366400000")},
		{"{path: t, layout: unix}", "1.7e9", "bad_time: t is not a time as the mapping says: unix"},
		{"{path: t, layout: unix}", "-1", "bad_time: t is not a time as the mapping says: unix"},
		{"{path: t, layout: unix}", "1772366400123", "bad_time: t lies before 1970 or after 2286"},
		{"{path: t, layout: unix_ms}", "1772366400123.9", event("1772366400123")},
		{"{path: t, layout: unix_ms}", "1772366400", "bad_time: t is not a time as the mapping says: unix_ms"},
		{"{path: t, layout: unix_us}", "1772366400123456", event("1772366400123")},
		{"{path: t, layout: unix_ns}", `"1772366400123456789"`, event("1772366400123")},
		{"{path: t, layout: unix_or_ms}", "1772366400", event("1772366400000")},
		{"{path: t, layout: unix_or_ms}", "1772366400123", event("1772366400123")},
		{"{path: t, layout: unix_or_ms}", "99999999999", "bad_time: t lies before 1970 or after 2286"},
		{"{path: t, layout: rfc3339}", `"1971-01-01T00:00:00Z"`, event(`"1971-01-01T00:00:00.000Z"`)},
		{"{path: t, layout: rfc3339}", `"1969-12-31T23:59:59Z"`, "bad_time: t lies before 1970 or after 2286"},
		{"{path: t, layout: rfc3339}", "null", "missing_field: t is missing"},
		{"{path: t, layout: rfc3339}", "true", "bad_time: t is not a time as the mapping says: rfc3339"},
		{`{path: t, layout: [rfc3339, "2006-01-02 15:04:05"], zone: Europe/Paris}`, `"2026-03-01 13:00:00.123"`, event("1772366400123")},
		{`{path: t, layout: [rfc3339, "2006-01-02 15:04:05"], zone: Europe/Paris}`, `"2026-03-01T12:00:00.123Z"`, event("1772366400123")},
		{"{first: [{path: z, layout: unix}, {path: t, layout: unix}]}", "1772366400", event("1772366400000")},
		{"{first: [{path: z, layout: unix}, {record: true}]}", "1772366400", event("1772366405000")},
		{"{record: true}", "null", event("1772366405000")},
	} {
		if got := one(t, mapping(c.time), `{"u":1,"t":`+c.at+`}`); got != c.want {
			t.Errorf("%s of %s gives %s, want %s", c.time, c.at, got, c.want)
		}
	}
	none := func(r *ingest.Record) { r.KafkaT = -1 }
	if got, want := one(t, mapping("{record: true}"), `{"u":1}`, none), "missing_field: the record's timestamp is missing"; got != want {
		t.Errorf("without a timestamp: %s", got)
	}
}

func TestFields(t *testing.T) {
	mapping := func(lines string) string {
		return "name: x\nformat: json\nunit: u\ntime: {record: true}\n" + lines
	}
	event := func(rest string) string {
		return `{"type":"outcome","ts":1772366405000,"unit":"1","unit_kind":"user","event":"o"` + rest + `}`
	}
	for _, c := range []struct{ lines, more, want string }{
		// values
		{"events: [{outcome: o, value: v}]", `,"v":"+.50"`, event(`,"value":0.50`)},
		{"events: [{outcome: o, value: v}]", `,"v":1e2`, event(`,"value":1e2`)},
		{"events: [{outcome: o, value: v}]", `,"v":12345678901234.123456789012`, event(`,"value":12345678901234.123456789012`)},
		{"events: [{outcome: o, value: v}]", ``, "missing_field: v is missing"},
		{"events: [{outcome: o, value: v}]", `,"v":null`, "bad_value: v is not a number"},
		{"events: [{outcome: o, value: v}]", `,"v":true`, "bad_value: v is not a number"},
		{"events: [{outcome: o, value: v}]", `,"v":1e15`, `bad_value: "value" has a magnitude of 10^15 or more`},
		{`events: [{outcome: o, value: {first: [v, {constant: "1"}]}}]`, ``, event(`,"value":1`)},
		{`events: [{outcome: o, value: {first: [v, {constant: "1"}]}}]`, `,"v":null`, "bad_value: v is not a number"},
		{`events: [{outcome: o, value: {path: v, values: {small: "1", large: "10"}}}]`, `,"v":"large"`, event(`,"value":10`)},
		// names
		{"events: [{outcome: {path: n}}]", `,"n":"\u00e4\"\\\n"`, strings.Replace(event(""), `"o"`, `"ä\"\\\u000a"`, 1)},
		{"events: [{outcome: {path: n}}]", `,"n":{}`, "bad_field: n is an object or a list"},
		{"events: [{outcome: {path: n}}]", `,"n":"\ud800"`, "bad_json: n half of a surrogate pair"},
		{"events: [{outcome: {path: n}}]", `,"n":"a","n":"b"`, "bad_json: n a key is given twice"},
		{"events: [{outcome: {path: n, values: {a: o}}}]", `,"n":"a"`, event("")},
		{"events: [{outcome: {path: n, values: {a: o}}}]", `,"n":"b"`, "bad_field: n is not one of the values"},
		{"events: [{outcome: {path: n, values: {a: b}, unlisted: keep}}]", `,"n":"o"`, event("")},
		// unit kinds
		{"unit_kind: shop\nevents: [{outcome: o}]", ``, strings.Replace(event(""), "user", "shop", 1)},
		{"unit_kind: {path: k}\nevents: [{outcome: o}]", `,"k":"device"`, strings.Replace(event(""), "user", "device", 1)},
		{"unit_kind: {path: k}\nevents: [{outcome: o}]", `,"k":"a\u0000b"`, "bad_field: k holds a zero byte"},
		{"unit_kind: {path: k}\nevents: [{outcome: o}]", ``, "missing_field: k is missing: what kind of unit?"},
		// attributes
		{"events: [{outcome: o, attrs: {a: x, b: y, c: z}}]", `,"x":1.50,"y":null`, event(`,"attrs":{"a":"1.50"}`)},
		{"events: [{outcome: o, attrs: {a: x}}]", `,"x":[]`, "bad_field: x is an object or a list"},
		{`events: [{outcome: o, attrs: {a: x, "*": p}}]`, `,"x":"own","p":{"a":"other","b":false,"c":{},"d":1}`, event(`,"attrs":{"a":"own","b":"false"}`)},
		{`events: [{outcome: o, attrs: {"*": p}}]`, `,"p":{"b":1,"b":2}`, "bad_json: p a key is given twice"},
		// filters
		{"only: {k: x}\nevents: [{outcome: o}]", ``, "filtered: not what the mapping reads"},
		{"skip: {k: x}\nevents: [{outcome: o}]", `,"k":"x"`, "filtered: skipped by the mapping"},
		{"skip: [{k: x, l: y}, {k: z}]\nevents: [{outcome: o}]", `,"k":"x"`, event("")},
		{"skip: [{k: x, l: y}, {k: z}]\nevents: [{outcome: o}]", `,"k":"z"`, "filtered: skipped by the mapping"},
		{"refuse: [{when: {s: {above: 1}}, because: sampled}]\nevents: [{outcome: o}]", `,"s":1.5`, "bad_field: sampled"},
		{"refuse: [{when: {s: {above: 1}}, because: sampled}]\nevents: [{outcome: o}]", `,"s":1`, event("")},
		{"refuse: [{when: {s: {above: 1}}, because: sampled}]\nevents: [{outcome: o}]", `,"s":"x"`, "bad_value: s is not a number"},
		{"refuse: [{when: {s: {above: 1}}, because: sampled}]\nevents: [{outcome: o, when: {k: x}}]", `,"s":2`, "filtered: no event by the mapping"},
		// several events of one record
		{"events: [{outcome: o}, {outcome: p, after: 2s}]", ``, event("") + "\n" + `{"type":"outcome","id":"3/7:1","ts":1772366407000,"unit":"1","unit_kind":"user","event":"p"}`},
		{"id: i\nevents: [{outcome: o}, {outcome: o}]", `,"i":"x"`, `{"type":"outcome","id":"x","ts":1772366405000,"unit":"1","unit_kind":"user","event":"o"}` + "\n" +
			`{"type":"outcome","id":"x:1","ts":1772366405000,"unit":"1","unit_kind":"user","event":"o"}`},
	} {
		if diff := cmp.Diff(c.want, one(t, mapping(c.lines), `{"u":1`+c.more+`}`)); diff != "" {
			t.Errorf("%s with %s: %s", c.lines, c.more, diff)
		}
	}
}

func TestConditions(t *testing.T) {
	for _, c := range []struct {
		condition, value string
		want             bool
	}{
		{"x", `"x"`, true}, {"x", `"y"`, false}, {"x", "null", false}, {`"true"`, "true", true}, {`"1"`, "1.0", false},
		{"{not: x}", `"y"`, true}, {"{not: x}", `"x"`, false}, {"{not: x}", "null", true}, {"{not: x}", "{}", true},
		{"{in: [x, y]}", `"y"`, true}, {"{in: [x, y]}", "[]", false}, {"{not_in: [x, y]}", `"z"`, true}, {"{not_in: [x, y]}", `"x"`, false},
		{"{prefix: a-}", `"a-b"`, true}, {"{prefix: a-}", `"b"`, false}, {"{not_prefix: a-}", `"a-b"`, false}, {"{not_prefix: a-}", "null", true},
		{"{present: true}", "0", true}, {"{present: true}", `""`, false}, {"{present: true}", "null", false}, {"{present: false}", "null", true}, {"{present: true}", "{}", true},
		{"{number: true}", `"1.5"`, true}, {"{number: true}", `"x"`, false}, {"{number: false}", "null", true}, {"{number: false}", "1", false},
		{"{nonzero: true}", `"0.00"`, false}, {"{nonzero: true}", "0.01", true}, {"{nonzero: true}", "null", false},
		{`{above: "2"}`, "2.000000000001", true}, {`{above: "2"}`, "2", false}, {`{above: "-1"}`, "-2", false}, {`{above: "2"}`, "null", false},
		{"{present: true, not: x}", `"y"`, true}, {"{present: true, not: x}", `"x"`, false}, {"{present: true, not: x}", "null", false},
	} {
		mapping := "name: x\nformat: json\nunit: u\ntime: {record: true}\nevents: [{outcome: o, when: {k: " + c.condition + "}}]\n"
		got := one(t, mapping, `{"u":1,"k":`+c.value+`}`)
		if want := c.want; strings.HasPrefix(got, "{") != want {
			t.Errorf("%s with %s gives %s", c.condition, c.value, got)
		}
	}
}

// What is wrong with the newer parts of the language, by line and column.
func TestBadLiveMappings(t *testing.T) {
	const good = `name: x
format: json
each: events
only: {k: a}
skip: [{k: b}]
refuse: [{when: {s: {above: 1}}, because: sampled}]
unit: {first: [{path: a.b, kind: user}, c]}
time: {first: [{path: t, layout: unix}, {record: true}]}
events:
  - outcome: o
    attrs: {"*": p}
`
	load(t, good)
	for _, c := range []struct{ old, new, want string }{
		{"each: events", "each: ^.events", `3:7: each[0]: "^.events" does not lead to a list`},
		{"path: a.b", "path: a..b", `unit.first[0]: "a..b": a path is made of keys`},
		{"path: a.b", "path: a.b, column: c", "7:16: unit.first[0]: column is another word for path: give one"},
		{"path: a.b", "path: a.b, row: true", "unit.first[0].row: only the unit can be the number of the row"},
		{"{k: a}", "{k: {}}", "4:11: only.k: a condition is a text, or some of equals"},
		{"{k: b}", "{}", "5:8: skip[0]: without a condition nothing would be left"},
		{"above: 1", "above: x", `refuse[0].when.s.above: "x" is not a number`},
		{", because: sampled", "", "refuse[0].because: say why"},
		{"{record: true}", "{record: true, layout: unix}", "8:41: time.first[1]: the record's timestamp is read as it is"},
		{"time: {first", "time: {record: true, first", "time: first stands alone"},
		{"outcome: o", "outcome: \"\"", "10:14: events[0].outcome: a name is not empty"},
		{`{"*": p}`, `{"*": {constant: p}}`, "events[0].attrs: * stands for all members of the object at a path"},
		{`{"*": p}`, `{a: {path: p, kind: user}}`, "11:32: events[0].attrs.a.kind: only a unit has a kind"},
		{`{"*": p}`, `{a: {path: p, unlisted: keep}}`, "events[0].attrs.a.unlisted: unlisted: keep goes with values"},
		{`{"*": p}`, `{a: {path: p, values: {x: y}, unlisted: drop}}`, "events[0].attrs.a.unlisted: unlisted: keep goes with values"},
		{"format: json", "format: native", "events: native events are not translated"},
		{"format: json", "format: csv", "each: a row of csv holds no list"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%q is not in the mapping", c.old)
		}
		_, err := sources.LoadMapping([]byte(text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q instead of %q:\ngot  %v\nwant %s", c.new, c.old, err, c.want)
		}
	}
}

// Mappings of files alone are refused for a topic.
func TestNotForTopics(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"name: x\nformat: csv\nunit: u\ntime: {column: t, layout: unix}\nevents: [{outcome: o}]", "reads csv"},
		{"name: x\nformat: json\nunit: {row: true}\ntime: {path: t, layout: unix}\nevents: [{outcome: o}]", "counts rows"},
		{"name: x\nformat: json\nunit: u\ntime: {start: 2026-03-01T00:00:00Z, step: 1s}\nevents: [{outcome: o}]", "makes up its times"},
	} {
		_, err := sources.NewDecoder(load(t, c.text), fixtureKey, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestLoad(t *testing.T) {
	m, err := sources.Load("segment")
	if err != nil || m.Name != "segment" || len(m.Hash()) != 64 || !strings.Contains(m.Text(), "Experiment Viewed") {
		t.Error(err, m)
	}
	if other, err := sources.Load("segment.yaml"); err != nil || other.Hash() != m.Hash() {
		t.Error("the file of the same text is another mapping:", err)
	}
	for ref, want := range map[string]string{"segmnt": "neither a file nor one of", "no/such.yaml": "no such file"} {
		if _, err := sources.Load(ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

// TestConsentIsMapped: what another system says of consent is translated; what it leaves
// out is left out.
func TestConsentIsMapped(t *testing.T) {
	const mapping = "name: x\nformat: json\nunit: u\ntime: {path: t, layout: unix}\n" +
		"consent: {path: context.consent.categoryPreferences.Analytics, values: {\"true\": granted, \"false\": denied}}\nevents: [{outcome: o}]\n"
	for value, want := range map[string]string{
		`{"u":"1","t":1772366400,"context":{"consent":{"categoryPreferences":{"Analytics":true}}}}`:  `,"consent":"granted"`,
		`{"u":"1","t":1772366400,"context":{"consent":{"categoryPreferences":{"Analytics":false}}}}`: `,"consent":"denied"`,
		`{"u":"1","t":1772366400,"context":{}}`:                                                      ``,
	} {
		want = `{"type":"outcome","ts":1772366400000,"unit":"1","unit_kind":"user","event":"o"` + want + "}"
		if got := one(t, mapping, value); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
}

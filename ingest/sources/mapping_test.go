package sources_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/ingest/sources"
	"github.com/assay-dev/assay/internal/testref"
)

// Each mapping is the good one with one thing changed, and each error names the
// line and the column of it.
func TestBadMappings(t *testing.T) {
	const good = `name: shop
format: csv
unit: {column: user}
time: {column: at, layout: rfc3339}
events:
  - exposure: cta
    variant: group
  - outcome: purchase
    value: {column: amount}
    when: {amount: {nonzero: true}}
`
	load(t, good)
	for _, c := range []struct{ old, new, want string }{
		{"name: shop", "name: my shop", `1:7: name: "my shop" is not a name: letters, digits, - and _`},
		{"name: shop\n", "", `1:1: name: "" is not a name`},
		{"format: csv", "format: xls", `2:9: format: "xls" is not a format: csv, json or native`},
		{"format: csv", "fromat: csv", `[2:1] unknown field "fromat"`},
		{"format: csv", "format: csv\nformat: csv", `[3:1] mapping key "format" already defined at [2:1]`},
		{"{column: user}", "{column: user, row: true}", "3:7: unit: name a column, or say row: true"},
		{"unit: {column: user}\n", "", "1:1: unit: name a column, or say row: true"},
		{"layout: rfc3339", "start: 2026-03-01T00:00:00Z", "time: a time is read from a column or made up from start and step, not both"},
		{", layout: rfc3339", "", "time.layout: say how the time is written"},
		{"layout: rfc3339", "layout: rfc3339, zone: UTC", "4:43: time.zone: rfc3339 has a zone already"},
		{"layout: rfc3339", "layout: 2006-01-02", "time.zone: the layout has no zone: name one, such as UTC or Europe/Paris"},
		{"layout: rfc3339", "layout: 2006-01-02, zone: Mars", `4:46: time.zone: "Mars" is not a time zone`},
		{"layout: rfc3339", `layout: "2006-01-02T15:04:05Z07:00", zone: UTC`, "time.zone: the layout has a zone already"},
		{"{column: at, layout: rfc3339}", "{step: 1s}", "time.start: a source without times needs a start: the same replay must give the same times"},
		{"{column: at, layout: rfc3339}", "{start: now, step: 1s}", `4:15: time.start: "now" is not a time such as 2026-03-01T00:00:00Z`},
		{"{column: at, layout: rfc3339}", "{start: 2026-03-01T00:00:00Z}", `time.step: "" is not a duration: how far apart are two rows?`},
		{"exposure: cta", "nothing: cta", `unknown field "nothing"`},
		{"exposure: cta", "outcome: a\n    exposure: cta", "events[0]: an event is an exposure or an outcome"},
		{"    variant: group\n", "", "events[0].variant: an exposure has a variant"},
		{"    variant: group\n", "    variant: group\n    value: amount\n", "8:12: events[0].value: an exposure has no value"},
		{"variant: group", "variant: {column: group, constant: a}", "events[0].variant: a field is one of a column or path, first, constant, name_of"},
		{"variant: group", "variant: {constant: a, values: {a: b}}", "events[0].variant.values: only a column's text can be translated"},
		{"value: {column: amount}", "value: {colum: amount}", `unknown field "colum"`},
		{"value: {column: amount}", "variant: amount", "9:14: events[1].variant: an outcome has no variant"},
		{"value: {column: amount}", "after: -1h", `9:12: events[1].after: "-1h" is not a duration`},
		{"{nonzero: true}", "{}", "events[1].when.amount: a condition is a text, or some of equals, not, in, not_in, prefix, not_prefix, present, number, nonzero, above"},
		{"{nonzero: true}", "{zero: true}", `unknown field "zero"`},
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

func TestEmptyMapping(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "name: x\nformat: csv\nunit: {row: true}\ntime: {start: 2026-03-01T00:00:00Z, step: 1s}\nevents: []\n"} {
		if _, err := sources.LoadMapping([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

// Every mapping that lies beside this package is one.
func TestShippedMappings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testref.Root(t), "ingest", "sources", "*.yaml"))
	if err != nil || len(files) < 3 {
		t.Fatal(err, files)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m := load(t, string(text))
		if m.Name+".yaml" != filepath.Base(f) {
			t.Errorf("%s calls itself %s", filepath.Base(f), m.Name)
		}
	}
}

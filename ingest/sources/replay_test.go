package sources_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/sources"
	"github.com/assay-dev/assay/internal/testref"
)

// tape is a producer that keeps what it gets.
type tape struct {
	records []string
	values  [][]byte
	fail    error
	flushed int
}

func (p *tape) Produce(_ context.Context, kind ingest.Type, unit string, value []byte) error {
	if p.fail != nil {
		return p.fail
	}
	p.records = append(p.records, fmt.Sprintf("%d %s %s", kind, unit, value))
	p.values = append(p.values, value)
	return nil
}

func (p *tape) Flush(context.Context) error { p.flushed++; return nil }

func load(t testing.TB, text string) *sources.Mapping {
	t.Helper()
	m, err := sources.LoadMapping([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func loadFile(t testing.TB, elem ...string) *sources.Mapping {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{testref.Root(t)}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return load(t, string(text))
}

// replay runs a file's text through a mapping.
func replay(t testing.TB, m *sources.Mapping, name, text string) (*tape, sources.Report, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &tape{}
	report, err := sources.Replay(t.Context(), path, m, p, nil)
	return p, report, err
}

const shop = `
name: shop
format: csv
unit: {column: user}
time: {column: at, layout: "2006-01-02 15:04:05", zone: Europe/Paris}
events:
  - exposure: cta
    variant: {column: group, values: {A: control, B: treatment}}
    attrs: {country: land, source: {constant: csv}}
  - outcome: purchase
    when: {amount: {nonzero: true}, group: {in: [A, B]}, user: {not: test}}
    value: {column: amount}
    after: 90s
  - outcome: visited
    when: {seen: yes}
`

func TestReplay(t *testing.T) {
	file := "at,user,group,land,amount,seen\n" +
		"2026-03-01 12:00:00,u1,A,DE,19.990,no\n" +
		"2026-07-01 12:00:00,u2,B,\"Saint Martin, \"\"FR\"\"\",0.00,yes\r\n" +
		"\n" +
		"2026-03-01 12:00:01,test,A,FR,-.5e1,no"
	p, report, err := replay(t, load(t, shop), "shop.csv", file)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Split(p.records[0], `"`)[7]
	prefix, ok := strings.CutSuffix(id, ":2:0")
	if !ok || !strings.HasPrefix(prefix, "shop:") {
		t.Fatalf("the id is %s, want shop:HASH:LINE:PLACE", id)
	}
	want := []string{
		`1 u1 {"type":"exposure","id":"ID:2:0","ts":1772362800000,"unit":"u1","unit_kind":"user","experiment":"cta","variant":"control","attrs":{"country":"DE","source":"csv"}}`,
		`2 u1 {"type":"outcome","id":"ID:2:1","ts":1772362890000,"unit":"u1","unit_kind":"user","event":"purchase","value":19.990}`,
		`1 u2 {"type":"exposure","id":"ID:3:0","ts":1782900000000,"unit":"u2","unit_kind":"user","experiment":"cta","variant":"treatment","attrs":{"country":"Saint Martin, \"FR\"","source":"csv"}}`,
		`2 u2 {"type":"outcome","id":"ID:3:2","ts":1782900000000,"unit":"u2","unit_kind":"user","event":"visited"}`,
		`1 test {"type":"exposure","id":"ID:5:0","ts":1772362801000,"unit":"test","unit_kind":"user","experiment":"cta","variant":"control","attrs":{"country":"FR","source":"csv"}}`,
	}
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], "ID", prefix)
	}
	if diff := cmp.Diff(want, p.records); diff != "" {
		t.Error(diff)
	}
	if want := (sources.Report{Rows: 3, Exposures: 3, Outcomes: 2}); !cmp.Equal(want, report) || p.flushed != 1 {
		t.Errorf("report %+v, flushed %d times", report, p.flushed)
	}
}

// A broken row is reported with its line and takes no other along.
func TestBrokenRows(t *testing.T) {
	rows := []struct{ line, reason string }{
		{"2026-03-01 12:00:00,u1,A,DE,1,no", ""},
		{"2026-03-01 12:00:00,u2,A", "3 columns, the header has 6"},
		{"2026-03-01 12:00:00,u2,A,DE,1,no,more", "7 columns, the header has 6"},
		{"yesterday,u3,A,DE,1,no", `at: "yesterday" is not a time as the mapping says: 2006-01-02 15:04:05`},
		{"2026-03-01 12:00:00,,A,DE,1,no", "user is missing: nobody to count"},
		{"2026-03-01 12:00:00,u4,C,DE,1,no", `group: "C" is not one of the values`},
		{"2026-03-01 12:00:00,u5,A,DE,1.2.3,no", `amount: "1.2.3" is not a number`},
		{"2026-03-01 12:00:00,u6,A,DE,NaN,no", `amount: "NaN" is not a number`},
		{`2026-03-01 12:00:00,"u7,A,DE,1,no`, "a quote is not closed"},
		{`2026-03-01 12:00:00,u"8,A,DE,1,no`, "a quote within a cell that does not begin with one"},
		{`2026-03-01 12:00:00,"u"9,A,DE,1,no`, "text after a closing quote"},
		{"2026-03-01 12:00:00,u\xff,A,DE,1,no", "the line is not UTF-8"},
		{strings.Repeat("x", 1<<20+1), "the line is longer than 1048576 bytes"},
		{"2026-03-01 12:00:00,u10,B,DE,2,no", ""},
	}
	file := "at,user,group,land,amount,seen\n"
	var want []string
	for i, r := range rows {
		file += r.line + "\n"
		if r.reason != "" {
			want = append(want, fmt.Sprintf("shop.csv:%d: %s", i+2, r.reason))
		}
	}
	p, report, err := replay(t, load(t, shop), "shop.csv", strings.TrimSuffix(file, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range report.Errors {
		got = append(got, b.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if report.Broken != len(want) || report.Rows != len(rows) || len(p.records) != 4 {
		t.Errorf("%d of %d rows are broken, %d events were sent; want %d of %d and 4", report.Broken, report.Rows, len(p.records), len(want), len(rows))
	}
}

func TestNDJSON(t *testing.T) {
	m := load(t, `
name: x
format: ndjson
unit: {column: user.id}
id: {column: key}
time: {column: t, layout: unix_ms}
events:
  - {outcome: order, value: order.total, when: {order.test: "false"}}
`)
	p, report, err := replay(t, m, "x.ndjson", `{"key":"a","t":1772362800123,"user":{"id":7},"order":{"total":123456789012345.123456789012345,"test":false}}
{"key":"b","t":1772362800123,"user":{"id":"8"},"order":{"total":"1","test":true}}
{"key":"c","t":1772362800123,"user":{"id":null},"order":{"total":"1","test":false}}
{"key":"d","t":1772362800123,"user":{"id":"9"}} {}
{"key":"e","t":1772362800123,"user":{"id":"9"}
{"key":"f","t":1.5,"user":{"id":"9"},"order":{"total":1,"test":false}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`2 7 {"type":"outcome","id":"x:a:0","ts":1772362800123,"unit":"7","unit_kind":"user","event":"order","value":123456789012345.123456789012345}`}
	if diff := cmp.Diff(want, p.records); diff != "" {
		t.Error(diff)
	}
	if report.Rows != 6 || report.Broken != 4 {
		t.Errorf("report %+v", report)
	}
}

// Made-up times depend on the row alone, so that a second replay is the same.
func TestTwiceIsTheSame(t *testing.T) {
	m := loadFile(t, "ingest", "sources", "hillstrom.yaml")
	head := "recency,history_segment,history,mens,womens,zip_code,newbie,channel,segment,visit,conversion,spend\n"
	row := "10,2) $100 - $200,142.44,1,0,Surburban,0,Phone,Womens E-Mail,1,1,29.99\n"
	a, _, err := replay(t, m, "a.csv", head+row+row)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := replay(t, m, "b.csv", head+row+row)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.records, b.records); diff != "" {
		t.Error(diff)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(a.records)))) != 8 {
		t.Errorf("two equal rows must give events of their own: %v", a.records)
	}
	for i, want := range map[int]string{
		0: `"ts":1205971200000,"unit":"1"`, 3: `"ts":1206057600000,"unit":"1"`, 4: `"ts":1205971201000,"unit":"2"`,
	} {
		if !strings.Contains(a.records[i], want) {
			t.Errorf("event %d is %s, want %s", i, a.records[i], want)
		}
	}
	c, _, err := replay(t, m, "c.csv", head+row)
	if err != nil || c.records[0] == a.records[0] {
		t.Errorf("another file has the same ids (%v)", err)
	}
}

// A quoted cell may hold line breaks. A quote that is not closed costs its own
// line and no other.
func TestLineBreaks(t *testing.T) {
	file := "at,user,group,land,amount,seen\n" +
		"2026-03-01 12:00:00,u1,A,\"D\nE \"\"x\"\"\n\",1,no\n" +
		"2026-03-01 12:00:00,\"u2,A,DE,1,no\n" +
		"2026-03-01 12:00:00,u3,B,\"F\r\nR\",0,no\n" +
		"2026-03-01 12:00:00,u4,\"A\n"
	p, report, err := replay(t, load(t, shop), "shop.csv", file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.records {
		_, attrs, _ := strings.Cut(r, `"attrs":`)
		id := strings.Split(r, `"`)[7]
		got = append(got, r[:4]+id[strings.Index(id, ":")+17:]+" "+attrs)
	}
	want := []string{`1 u1:2:0 {"country":"D\u000aE \"x\"\u000a","source":"csv"}}`, `2 u1:2:1 `, `1 u3:6:0 {"country":"F\u000aR","source":"csv"}}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantErrors := []string{"shop.csv:5: a quote is not closed", "shop.csv:8: a quote is not closed"}
	var errs []string
	for _, b := range report.Errors {
		errs = append(errs, b.String())
	}
	if diff := cmp.Diff(wantErrors, errs); diff != "" || report.Rows != 4 {
		t.Error(diff, report)
	}
}

// Native events are replayed as they are; those without an id get one, so that a
// second replay changes nothing. A record's list, and what is filtered, count.
func TestReplayTopicFormats(t *testing.T) {
	m, err := sources.Load("native")
	if err != nil {
		t.Fatal(err)
	}
	p, report, err := replay(t, m, "x.ndjson", `{"type":"outcome","id":"own","ts":1772366400123,"unit":"u","event":"e"}
{"type":"outcome","ts":1772366400123,"unit":"u","event":"e"}
{"type":"outcome","ts":1772366400,"unit":"u","event":"e"}`)
	if err != nil || len(p.records) != 2 || report.Broken != 1 {
		t.Fatal(err, p.records, report)
	}
	if p.records[0] != `2 u {"type":"outcome","id":"own","ts":1772366400123,"unit":"u","event":"e"}` ||
		!strings.HasPrefix(p.records[1], `2 u {"id":"native:`) || !strings.HasSuffix(p.records[1], `:2","type":"outcome","ts":1772366400123,"unit":"u","event":"e"}`) {
		t.Errorf("%s", p.records)
	}
	if m, err = sources.Load("amplitude"); err != nil {
		t.Fatal(err)
	}
	p, report, err = replay(t, m, "x.ndjson", `{"events":[{"event_type":"a","user_id":"u","insert_id":"1","time":1772366400123},{"event_type":"b","user_id":"u","time":1772366400123}]}
{"event_type":"$identify","user_id":"u","time":1772366400123}
{"events":[{"event_type":"a","user_id":"u","time":1772366400123},{"event_type":"b","time":1772366400123}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if want := (sources.Report{Rows: 3, Outcomes: 2, Filtered: 1, Broken: 1, Errors: report.Errors}); !cmp.Equal(want, report) {
		t.Errorf("%+v", report)
	}
	if !strings.Contains(p.records[0], `"id":"amplitude:1:1"`) || !strings.Contains(p.records[1], `:1/1:1"`) {
		t.Errorf("%s", p.records)
	}
}

func TestReplayRefuses(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"a column that is not there", "at,user,group,land,seen\n", "the mapping reads column amount, the file has at, user, group, land, seen"},
		{"an empty file", "", "read header: EOF"},
		{"a column twice", "at,user,at\n", "column at is there twice"},
	} {
		_, _, err := replay(t, load(t, shop), "x.csv", c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := sources.Replay(t.Context(), filepath.Join(t.TempDir(), "nothing"), load(t, shop), &tape{}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	path := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(path, []byte("at,user,group,land,amount,seen\n2026-03-01 12:00:00,u1,A,DE,1,no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	away := errors.New("the broker is away")
	if _, err := sources.Replay(t.Context(), path, load(t, shop), &tape{fail: away}, nil); !errors.Is(err, away) {
		t.Errorf("a producer that fails: %v", err)
	}
}

func TestProgress(t *testing.T) {
	path := filepath.Join(testref.Root(t), "testdata", "replay", "shop.ndjson")
	var told []sources.Progress
	report, err := sources.Replay(t.Context(), path, loadFile(t, "testdata", "replay", "shop.yaml"), &tape{}, func(p sources.Progress) { told = append(told, p) })
	if err != nil || len(told) == 0 {
		t.Fatal(err, told)
	}
	if last := told[len(told)-1]; last.Rows != report.Rows || last.Bytes != last.Size || last.Size == 0 {
		t.Errorf("the last progress is %+v, the report %+v", last, report)
	}
	if report.Broken != 5 {
		t.Errorf("broken rows: %v", report.Errors)
	}
}

// FuzzReplay: whatever the file, every row is broken or yields events that are
// valid JSON, and nothing else happens.
func FuzzReplay(f *testing.F) {
	m := load(f, shop)
	f.Add("at,user,group,land,amount,seen\n2026-03-01 12:00:00,u1,A,DE,19.990,no\n\"")
	f.Add("at,user,group,land,amount,seen\n2026-03-01 12:00:00,u1,A,DE,+0001.e5,no\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, report, err := replay(t, m, "f.csv", text)
		if err != nil {
			return
		}
		if report.Exposures+report.Outcomes != len(p.records) || report.Exposures+report.Broken != report.Rows {
			t.Errorf("%+v for %d events", report, len(p.records))
		}
		for _, v := range p.values {
			if !json.Valid(v) {
				t.Errorf("not JSON: %s", v)
			}
		}
	})
}

package sources_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/sources"
)

// A fixture is testdata/NAME.txt: lines with > are records, the lines with < after
// one are the native events that it becomes, or why it becomes none. They were
// written by hand, from the names that the sources' own documents and code have.
type fixture struct {
	mapping, record string
	want            []string
}

const readAt = 1772366405000 // the fixtures' record timestamp: 2026-03-01T12:00:05Z

var fixtureKey = ingest.Key{1, 2, 3}

func fixtures(t testing.TB) []fixture {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var out []fixture
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		for line := range strings.Lines(string(b)) {
			line = strings.TrimSuffix(line, "\n")
			if record, ok := strings.CutPrefix(line, "> "); ok {
				out = append(out, fixture{mapping: name, record: record})
			} else if want, ok := strings.CutPrefix(line, "< "); ok {
				out[len(out)-1].want = append(out[len(out)-1].want, want)
			}
		}
	}
	return out
}

func record(value string) ingest.Record {
	return ingest.Record{Place: ingest.Place{Topic: 1, Offset: 7}, Partition: 3, KafkaT: readAt, Value: []byte(value)}
}

// everything is an allow-list with all names that stand in the texts.
func everything(texts ...string) []string {
	var names []string
	for _, text := range texts {
		names = append(names, strings.Split(text, `"`)...)
	}
	return names
}

func decoder(t testing.TB, name string, attributes []string) *sources.Decoder {
	t.Helper()
	m, err := sources.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := sources.NewDecoder(m, fixtureKey, attributes)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Every source's records become exactly the events written beside them, in the
// stage that writes records anew and, where a record is one event, in the decoder.
func TestFixtures(t *testing.T) {
	covered := map[string]bool{}
	for _, f := range fixtures(t) {
		covered[f.mapping] = true
		names := everything(f.want...)
		d := decoder(t, f.mapping, names)
		events, dead := d.Native(record(f.record))
		var got []string
		for _, e := range events {
			got = append(got, string(e.JSON))
		}
		if dead != nil {
			got = append(got, string(dead.Reason))
		}
		if diff := cmp.Diff(f.want, got); diff != "" {
			t.Errorf("%s: %s\n%s(%+v)", f.mapping, f.record, diff, dead)
			continue
		}
		sameAsNative(t, d, ingest.NewDecoder(fixtureKey, names), record(f.record))
	}
	for _, name := range sources.Names() {
		m, err := sources.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if m.Format != "csv" && !covered[name] {
			t.Errorf("%s has no fixture", name)
		}
	}
}

// sameAsNative holds a mapped record against the decoder of native events: the
// event is the one that the written native record gives, and exactly one of event
// and dead letter comes back.
func sameAsNative(t testing.TB, d *sources.Decoder, native *ingest.Decoder, rec ingest.Record) {
	t.Helper()
	input := bytes.Clone(rec.Value)
	written, undone := d.Native(rec)
	e, dead, ok := d.Decode(rec)
	if !bytes.Equal(input, rec.Value) {
		t.Fatalf("the record was changed: %s became %s", input, rec.Value)
	}
	if ok != (dead == nil) || len(written) == 0 && undone == nil {
		t.Fatalf("%s: neither event nor dead letter, or both: %v %+v %+v", rec.Value, ok, dead, undone)
	}
	for _, w := range written {
		made := rec
		made.Value, made.Headers = w.JSON, nil
		want, bad, fine := native.Decode(made)
		if !fine {
			t.Fatalf("%s: %s was written, which is %+v", rec.Value, w.JSON, bad)
		}
		if want.Unit != fixtureKey.Unit(want.UnitKind, w.Unit) {
			t.Fatalf("%s: the key of %s is %q", rec.Value, w.JSON, w.Unit)
		}
		if ok {
			if diff := cmp.Diff(want, e); diff != "" {
				t.Fatalf("%s: decoded and written differ\n%s", rec.Value, diff)
			}
		}
	}
	switch {
	case ok && (len(written) != 1 || undone != nil):
		t.Fatalf("%s: one event was decoded, %d written (%+v)", rec.Value, len(written), undone)
	case !ok && len(written) == 1 && undone == nil:
		t.Fatalf("%s: one event was written, none decoded: %+v", rec.Value, dead)
	case !ok && len(written) == 0:
		if diff := cmp.Diff(undone, dead); diff != "" && !strings.Contains(dead.Detail, "partitioner") {
			t.Fatalf("%s: the reasons differ\n%s", rec.Value, diff)
		}
	}
}

// A record with several events has no place for them.
func TestSeveralEvents(t *testing.T) {
	seen := 0
	for _, f := range fixtures(t) {
		events := 0
		for _, w := range f.want {
			if strings.HasPrefix(w, "{") {
				events++
			}
		}
		if events < 2 {
			continue
		}
		seen++
		_, dead, ok := decoder(t, f.mapping, nil).Decode(record(f.record))
		want := &ingest.Dead{
			Place: ingest.Place{Topic: 1, Offset: 7}, KafkaT: readAt, Reason: ingest.BadField, Size: len(f.record), Position: -1,
			Detail: "a record with several events: declare the topic's partitioner as any",
		}
		if diff := cmp.Diff(want, dead); ok || diff != "" {
			t.Errorf("%s: %s", f.mapping, diff)
		}
	}
	if seen < 3 {
		t.Errorf("only %d fixtures hold several events", seen)
	}
}

// Attributes outside the allow-list are not even written anew.
func TestAllowList(t *testing.T) {
	const track = `{"type":"track","event":"Signed Up","messageId":"m","userId":"u","timestamp":"2026-03-01T12:00:00Z","properties":{"email":"a@b.example","plan":"pro"}}`
	events, dead := decoder(t, "segment", []string{"plan", "country"}).Native(record(track))
	if dead != nil || len(events) != 1 || !strings.HasSuffix(string(events[0].JSON), `"attrs":{"plan":"pro"}}`) {
		t.Errorf("%s, %+v", events[0].JSON, dead)
	}
}

// A unit in another partition than its own is seen, as in native records.
func TestMisplaced(t *testing.T) {
	const track = `{"type":"track","event":"Signed Up","messageId":"m","userId":"u","timestamp":"2026-03-01T12:00:00Z"}`
	d := decoder(t, "segment", nil)
	d.Expect(8, []ingest.Partitioner{ingest.AnyPartition, ingest.Murmur2})
	own := ingest.Partition([]byte("u"), 8, ingest.Murmur2)
	for p := range int32(8) {
		rec := record(track)
		rec.Partition = p
		if e, _, ok := d.Decode(rec); !ok || e.Misplaced != (p != own) {
			t.Errorf("partition %d: misplaced is %v, the unit's own is %d", p, e.Misplaced, own)
		}
	}
}

func seeds(t testing.TB) (values []string) {
	for _, f := range fixtures(t) {
		values = append(values, f.record)
	}
	return append(values, "", "{", "null", "[]", "[[]]", `{"a":"\ud800"}`, `{"type":"track","type":"track"}`, "\xff",
		`{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"e30="}`, `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":"{}"}`)
}

func all(t testing.TB) map[string]*sources.Decoder {
	out := map[string]*sources.Decoder{}
	for _, name := range sources.Names() {
		m, err := sources.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if m.Format != "csv" {
			out[name] = decoder(t, name, []string{"country", "plan", "value"})
		}
	}
	return out
}

// Whatever a record holds, every mapping makes of it exactly one event or one dead
// letter, and the events are those of the written native records.
func FuzzMappings(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	decoders := all(f)
	native := ingest.NewDecoder(fixtureKey, []string{"country", "plan", "value"})
	f.Fuzz(func(t *testing.T, value []byte, enveloped bool) {
		rec := record(string(value))
		if enveloped {
			rec.Headers = []ingest.Header{{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte("1")}, {Key: "ce_source", Value: []byte("/s")}}
		}
		for _, d := range decoders {
			sameAsNative(t, d, native, rec)
		}
	})
}

// The same for records that are broken in one byte or lack a piece, in every run.
func TestBrokenRecords(t *testing.T) {
	decoders := all(t)
	native := ingest.NewDecoder(fixtureKey, []string{"country", "plan", "value"})
	for n, f := range fixtures(t) {
		value := []byte(f.record)
		for i := n % 7; i < len(value); i += 7 {
			changed := slices.Clone(value)
			changed[i] ^= byte(1 << (i % 8))
			sameAsNative(t, decoders[f.mapping], native, record(string(changed)))
			sameAsNative(t, decoders[f.mapping], native, record(string(slices.Delete(slices.Clone(value), i, min(i+5, len(value))))))
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"segment", "launchdarkly", "posthog", "otel", "native"} {
		i := slices.IndexFunc(fixtures(b), func(f fixture) bool { return f.mapping == name })
		rec := record(fixtures(b)[i].record)
		d := decoder(b, name, []string{"country", "plan"})
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(rec.Value)))
			b.ReportAllocs()
			for b.Loop() {
				if _, dead, ok := d.Decode(rec); !ok {
					b.Fatal(dead)
				}
			}
		})
	}
}

// A consumer gives a record's memory back as soon as it is decoded, so neither an
// event nor a dead letter may look into it, whichever mapping made it.
func TestNothingOfARecordIsKept(t *testing.T) {
	for _, f := range fixtures(t) {
		d := decoder(t, f.mapping, everything(f.record))
		for _, value := range []string{f.record, f.record[:len(f.record)/2]} {
			r := record(value)
			event, dead, _ := d.Decode(r)
			want := fmt.Sprintf("%+v %+v", event, dead)
			clear(r.Value)
			if got := fmt.Sprintf("%+v %+v", event, dead); got != want {
				t.Errorf("%s: after its record's memory was cleared\n%s\nbecame\n%s", f.mapping, want, got)
			}
		}
	}
}

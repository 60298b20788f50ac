package ingest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCopyComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Copy{
			Partition: rapid.Int32Min(0).Draw(t, "partition"), Offset: rapid.Int64Min(0).Draw(t, "offset"),
			Index: rapid.IntRange(0, 1000).Draw(t, "index"), KafkaT: rapid.Int64Min(-1).Draw(t, "time"),
		}
		headers := []Header{{Key: "other", Value: []byte("1/2/3/4")}, want.Header()}
		if got, ok := readCopy(headers); !ok || got != want {
			t.Fatalf("got %+v (%v), want %+v", got, ok, want)
		}
	})
}

func TestCopyIsRefused(t *testing.T) {
	for _, text := range []string{"", "1/2/3", "1/2/3/4/5", "-1/2/3/4", "1/-2/3/4", "1/2/-3/4", "x/2/3/4", "4294967296/2/3/4"} {
		if c, ok := readCopy([]Header{{Key: originHeader, Value: []byte(text)}}); ok {
			t.Errorf("%q was read as %+v", text, c)
		}
	}
	rec := record(`{"type":"outcome","ts":1772366412345,"unit":"u","event":"e"}`)
	_, why, ok := NewCopyDecoder(testDecoder()).Decode(rec)
	if ok || why == nil || why.Reason != BadField {
		t.Errorf("a record without an origin: %+v", why)
	}
}

func TestCopyDecoder(t *testing.T) {
	d := NewCopyDecoder(testDecoder())
	copied := func(id string, c Copy) Record {
		rec := record(fmt.Sprintf(`{"type":"outcome","id":%q,"ts":1772366412345,"unit":"u","event":"e"}`, id))
		rec.Headers, rec.KafkaT = []Header{c.Header()}, c.KafkaT+1_000_000_000 // copied days later
		return rec
	}
	at := Copy{Partition: 3, Offset: 17, Index: 2, KafkaT: 1772366412345}
	for id, want := range map[string]string{"": "@3/17/2", "a": "a", "@3/17/2": "@@3/17/2", "@@": "@@@"} {
		e, why, ok := d.Decode(copied(id, at))
		if !ok || e.ID != want || e.KafkaT != at.KafkaT || e.Origin != (Origin{Copied: true, Partition: 3, Offset: 17, Index: 2}) {
			t.Errorf("id %q: %+v, %+v", id, e, why)
		}
	}
	early := at
	early.KafkaT -= FutureLimit + 1
	if _, why, ok := d.Decode(copied("", early)); ok || why.Reason != Future {
		t.Errorf("an event from the future of its first record: %+v", why)
	}
}

func TestCopyOfADeadRecord(t *testing.T) {
	d := NewCopyDecoder(testDecoder())
	at := Copy{Partition: 1, Offset: 5, KafkaT: 99}
	want := Dead{Place: Place{Topic: 1, Offset: 7}, KafkaT: 99, Reason: Filtered, Size: 2_000_000, Position: 4, Detail: "an \"evaluation\""}
	rec := Record{Place: want.Place, KafkaT: 1000, Headers: []Header{at.Header(), DeadHeader(&want)}}
	_, got, ok := d.Decode(rec)
	if diff := cmp.Diff(&want, got); ok || diff != "" {
		t.Errorf("dead letter (-want +got):\n%s", diff)
	}
	rec.Headers[1].Value = []byte("?")
	if _, got, ok := d.Decode(rec); ok || got == nil || got.Reason != BadField {
		t.Errorf("an unreadable note: %+v", got)
	}
}

func TestUnitID(t *testing.T) {
	d := testDecoder()
	for value, want := range map[string]string{
		`{"unit":"u-1","type":"exposure"}`: "u-1",
		`{"unit":"\u00fc","x":{}}`:         "ü",
		`{"unit":""}`:                      "",
		`{"unit":7}`:                       "",
		`{"type":"exposure"}`:              "",
		`nonsense`:                         "",
	} {
		if got, ok := d.UnitID([]byte(value)); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", value, got, ok, want)
		}
	}
}

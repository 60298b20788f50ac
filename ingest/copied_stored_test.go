package ingest

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The copy of a stored event is read as the very event that the copy of its record is:
// whichever of the two a ledger is filled from, and if it is from both.
func TestStoredCopyIsTheRecordsCopy(t *testing.T) {
	text := rapid.StringMatching(`[ -~äß@"\\]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		value := fmt.Sprintf(`{"type":"outcome","id":%q,"ts":%d,"unit":%q,"unit_kind":%q,"event":%q,"value":%d.%06d,"attrs":{"country":%q}}`,
			text.Draw(t, "id"), rapid.Int64Range(0, 1_772_366_412_345).Draw(t, "t"), "u"+strconv.Itoa(rapid.IntRange(0, 99).Draw(t, "unit")),
			rapid.SampledFrom([]string{"user", "device"}).Draw(t, "kind"), "e", rapid.IntRange(-1_000_000, 1_000_000).Draw(t, "value"),
			rapid.IntRange(0, 999_999).Draw(t, "decimals"), text.Draw(t, "country"))
		if rapid.Bool().Draw(t, "an exposure") {
			value = fmt.Sprintf(`{"type":"exposure","ts":1772366412345,"unit":"u","experiment":"e","variant":%q,"attrs":{"country":true}}`, "v"+text.Draw(t, "variant"))
		}
		rec := record(value)
		rec.Place, rec.Partition, rec.KafkaT = Place{Topic: 1, Offset: rapid.Int64Min(0).Draw(t, "offset")}, 3, 1772366412345
		stored, why, ok := testDecoder().Decode(rec)
		if !ok {
			t.Skip(why)
		}

		const shards = 16
		read := func(value []byte, headers []Header, key Unit) Event {
			native := testDecoder()
			native.Expect(shards, []Partitioner{ByUnit, ByUnit})
			at := Record{Place: Place{Topic: 1, Offset: 77}, Partition: key.Partition(shards), KafkaT: 1_999_999_999_999, Value: value, Headers: headers}
			e, why, ok := NewCopyDecoder(native).Decode(at)
			if !ok {
				t.Fatalf("a copy is dead: %+v", why)
			}
			return e
		}
		copied, headers, err := StoredCopy(&stored, rec.Partition)
		if err != nil {
			t.Fatal(err)
		}
		place := Copy{Partition: rec.Partition, Offset: rec.Place.Offset, KafkaT: rec.KafkaT}
		unit, named := testDecoder().UnitOf(rec.Value)
		if !named || unit != stored.Unit {
			t.Fatalf("the stage sends it by unit %v, it is of %v", unit, stored.Unit)
		}
		want := read(rec.Value, []Header{place.Header()}, unit)
		if want.Misplaced {
			t.Fatal("the stage's copy is misplaced")
		}
		if diff := cmp.Diff(want, read(copied, headers, stored.Unit)); diff != "" {
			t.Fatalf("the record's copy and the stored event's differ:\n%s", diff)
		}
	})
}

func TestStoredCopyIsRefused(t *testing.T) {
	e := Event{Type: Outcome, UnitKind: "user", Name: "e", Unit: Unit{1, 2}}
	value, headers, err := StoredCopy(&e, 3)
	if err != nil {
		t.Fatal(err)
	}
	d := NewCopyDecoder(testDecoder())
	if _, why, ok := d.Decode(Record{Value: value, Headers: headers}); !ok {
		t.Fatalf("a sound copy is dead: %+v", why)
	}
	for _, text := range []string{``, `{}`, `{"type":1,"unit":"x","value":["0","0"]}`, `{"type":9,"unit":"00000000000000010000000000000002","value":["0","0"]}`,
		`{"type":2,"unit":"00000000000000010000000000000002","value":["0"]}`, `{"type":2,"unit":"00000000000000010000000000000002","value":["99999999999","0"]}`} {
		if e, _, ok := d.Decode(Record{Value: []byte(text), Headers: headers}); ok {
			t.Errorf("%s was read as %+v", text, e)
		}
	}
	e.Name = "\xff"
	if _, _, err := StoredCopy(&e, 3); err == nil {
		t.Error("a text that JSON would change was copied")
	}
	e.Name, e.Origin.Copied = "e", true
	if _, _, err := StoredCopy(&e, 3); err == nil {
		t.Error("the event of a copy was copied")
	}
}

// A record in another partition than its unit's hash says is misplaced, however its id
// would be spread.
func TestByUnit(t *testing.T) {
	d := testDecoder()
	d.Expect(16, []Partitioner{ByUnit, ByUnit, ByUnit})
	seen := map[int32]bool{}
	for i := range 400 {
		rec := record(fmt.Sprintf(`{"type":"outcome","ts":1772366412345,"unit":"u-%d","event":"e"}`, i))
		unit, _ := d.UnitOf(rec.Value)
		rec.Partition = unit.Partition(16)
		seen[rec.Partition] = true
		if e, why, ok := d.Decode(rec); !ok || e.Misplaced {
			t.Fatalf("in its own partition: %+v, %+v", e, why)
		}
		rec.Partition = (rec.Partition + 1) % 16
		if e, _, _ := d.Decode(rec); !e.Misplaced {
			t.Fatal("in another partition it is not misplaced")
		}
	}
	if len(seen) != 16 {
		t.Errorf("400 units lie in %d of 16 partitions", len(seen))
	}
	for _, value := range []string{``, `{`, `{"unit":7}`, `{"unit":"u","unit_kind":7}`} {
		if u, ok := d.UnitOf([]byte(value)); ok {
			t.Errorf("%s names unit %v", value, u)
		}
	}
	if _, ok := ParsePartitioner("unit"); ok {
		t.Error("producers cannot know the key")
	}
}

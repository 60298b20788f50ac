package clickhouse_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// Three parts of 10 offsets on two topics; the second has dead letters, offsets
// without a record and duplicates.
func countedParts() []ingest.Part {
	parts := []ingest.Part{part(4, 1), part(4, 2), part(4, 3)}
	parts[1].Offsets[0] = ingest.Counts{Topic: 0, From: 10, Next: 20, Accepted: 4, Duplicate: 1, Misplaced: 1, Dead: 2, NoRecord: 2, Decode: 7}
	return parts
}

// storedPlaces are the events and dead letters that belong to these parts.
func storedPlaces() (events []ingest.Event, dead []ingest.Dead) {
	at := func(topic uint8, offset int64) ingest.Place { return ingest.Place{Topic: topic, Offset: offset} }
	for topic := range uint8(2) {
		for offset := range int64(30) {
			switch {
			case topic == 0 && (offset == 12 || offset == 13):
				dead = append(dead, ingest.Dead{Place: at(topic, offset), KafkaT: 1000, Reason: ingest.BadJSON})
			case topic == 0 && offset >= 18 && offset < 20: // no record
			default:
				events = append(events, ingest.Event{Type: ingest.Outcome, Place: at(topic, offset), T: 1000 * offset})
			}
		}
	}
	return events, dead
}

func TestMissing(t *testing.T) {
	s := newStore(t)
	mustAppend(t, s.DB, countedParts()...)
	events, dead := storedPlaces()
	// Lost: 3 of the first part, 1 of the second, and both dead letters.
	var kept []ingest.Event
	for _, e := range events {
		if o := e.Place.Offset; !(e.Place.Topic == 1 && o >= 7 && o <= 10) {
			kept = append(kept, e)
		}
	}
	// What lies above the last mark doesn't fill a gap below it.
	beyond := ingest.Event{Type: ingest.Outcome, Place: ingest.Place{Topic: 1, Offset: 30}, T: 1}
	for range 2 { // and neither does a place that is there twice
		if err := s.AppendEvents(t.Context(), 4, names, append(kept, beyond), nil); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Missing(t.Context(), 4, 0)
	want := []clickhouse.Lacking{
		{Topic: "exposures", From: 10, Next: 20, Seq: 2, Dead: 2, Decode: 7, ID: [16]byte{1, 2, 255}, Config: 1},
		{Topic: "outcomes", From: 0, Next: 10, Seq: 1, Events: 3, Config: 1},
		{Topic: "outcomes", From: 10, Next: 20, Seq: 2, Events: 1, Config: 1},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("missing (-want +got), %v:\n%s", err, diff)
	}
	if err := s.Proved(t.Context(), 4, 1); err != nil {
		t.Fatal(err)
	}
	got, err = s.Missing(t.Context(), 4, 2)
	if diff := cmp.Diff([]clickhouse.Lacking{want[0], want[2]}, got); err != nil || diff != "" {
		t.Errorf("missing of what was not proven (-want +got), %v:\n%s", err, diff)
	}

	// Healing is writing again whatever the ranges hold.
	if err := s.AppendEvents(t.Context(), 4, names, events, dead); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Missing(t.Context(), 4, 0); err != nil || len(got) > 0 {
		t.Errorf("after healing: %+v, %v", got, err)
	}
	if got, err := s.Missing(t.Context(), 9, 0); err != nil || len(got) > 0 {
		t.Errorf("a shard without parts: %+v, %v", got, err)
	}
}

func TestReconcile(t *testing.T) {
	s := newStore(t)
	mustAppend(t, s.DB, countedParts()...)
	got, err := s.Reconcile(t.Context())
	want := []clickhouse.Reconciliation{
		{Shard: 4, Topic: "exposures", Parts: 3, From: 0, Next: 30, Counts: ingest.Counts{Accepted: 24, Duplicate: 1, Misplaced: 1, Dead: 2, NoRecord: 2}},
		{Shard: 4, Topic: "outcomes", Parts: 3, From: 0, Next: 30, Counts: ingest.Counts{Accepted: 30}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("reconciliation (-want +got), %v:\n%s", err, diff)
	}

	// A part that begins elsewhere than the one before ended.
	jump := part(4, 4)
	jump.Offsets = jump.Offsets[:1]
	jump.Offsets[0].From, jump.Offsets[0].Next = 35, 45
	mustAppend(t, s.DB, jump)
	got, err = s.Reconcile(t.Context())
	if err != nil || got[0].Breaks != 1 || got[0].Difference != 0 || got[1].Breaks != 0 {
		t.Errorf("a jump: %+v, %v", got, err)
	}
}

func TestAppendPartRefusesAnUnbalancedPart(t *testing.T) {
	s := newStore(t)
	unbalanced := part(0, 1)
	unbalanced.Offsets[0].Accepted--
	nameless := part(0, 1, ingest.Row{})
	for name, p := range map[string]ingest.Part{
		"a fate lacks": unbalanced, "no number": part(0, 0), "a cell without experiment": nameless,
	} {
		if got, err := s.AppendPart(t.Context(), topics(), p); err == nil || got != clickhouse.Unknown {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if m, err := s.LastMark(t.Context(), 0); err != nil || m.Seq != 0 {
		t.Errorf("something was written: %+v, %v", m, err)
	}
}

// A restore into a table that lives doubles rows with equal attempts; a dropped
// part leaves a hole. Both are seen, and nobody else's shard is accused.
//
// semantics: chain
func TestCheckChain(t *testing.T) {
	s := newStore(t)
	for shard := range uint16(3) {
		mustAppend(t, s.DB, part(shard, 1, deltas(shard, 1, 3)...), part(shard, 2, deltas(shard, 2, 4)...))
	}
	if faults, err := s.CheckChain(t.Context()); err != nil || len(faults) > 0 {
		t.Fatalf("healthy shards are accused: %+v, %v", faults, err)
	}
	admin := s.raw(t, s.engine.Admin())
	for _, ddl := range []string{
		"CREATE TABLE copy AS ledger ENGINE = MergeTree PARTITION BY shard ORDER BY (mark, experiment, iteration, metric, variant, phase, dimension, value, slot, seq)",
		"ALTER TABLE copy ATTACH PARTITION 1 FROM ledger",
		"ALTER TABLE ledger ATTACH PARTITION 1 FROM copy",
		"ALTER TABLE ledger DELETE WHERE shard = 2 AND seq = 1 SETTINGS mutations_sync = 2",
	} {
		if err := admin.Exec(t.Context(), ddl); err != nil {
			t.Fatalf("%s: %v", ddl, err)
		}
	}
	got, err := s.CheckChain(t.Context())
	want := []clickhouse.ChainFault{
		{Shard: 1, Seq: 2, Marks: 4, Distinct: 2, Attempts: 2, Rows: 18, Declared: 18},
		{Shard: 2, Seq: 2, Marks: 1, Distinct: 1, Attempts: 1, Rows: 5, Declared: 5},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("faults (-want +got), %v:\n%s", err, diff)
	}
}

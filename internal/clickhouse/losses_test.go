package clickhouse_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// Losses stand beside the gaps of the marks, once each.
func TestLosses(t *testing.T) {
	s := newStore(t)
	newest := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	counted := cell("m", "c", 0, ingest.Delta{N: 1})
	counted.Newest = newest.UnixMilli()
	mustAppend(t, s.DB, part(1, 1, counted))
	until := newest.Add(time.Hour)
	before := clickhouse.Loss{Kind: clickhouse.Before, Shard: 1, Topic: "exposures", Next: 40, Seq: 1, Records: 40, Until: until}
	replaced := clickhouse.Loss{Kind: clickhouse.Replaced, Shard: 1, Topic: "exposures", From: 7, Next: 10, Seq: 2, Records: 3, Until: until}
	for range 2 {
		if err := s.NoteLosses(t.Context(), []clickhouse.Loss{before, replaced}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Gaps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []clickhouse.Gap{
		{Shard: 1, Topic: "exposures", Kind: clickhouse.Before, Seq: 1, Records: 40, Until: until},
		{Shard: 1, Topic: "exposures", Kind: clickhouse.Replaced, Seq: 2, Records: 3, Since: newest, Until: until},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(clickhouse.Gap{}, "AcceptedAt")); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
}

// What was proven is compared again only among the last marks; what was accepted
// as lost is not asked for again; a proof of a ledger that is gone proves nothing.
func TestMissingAfterProof(t *testing.T) {
	s := newStore(t)
	mustAppend(t, s.DB, countedParts()...)
	missing := func(marks int) []uint64 {
		t.Helper()
		got, err := s.Missing(t.Context(), 4, marks)
		if err != nil {
			t.Fatal(err)
		}
		var seqs []uint64
		for _, l := range got {
			if l.Topic == "exposures" {
				seqs = append(seqs, l.Seq)
			}
		}
		return seqs
	}
	expect := func(what string, marks int, want ...uint64) {
		t.Helper()
		if diff := cmp.Diff(want, missing(marks), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	prove := func(seq uint64) {
		t.Helper()
		if err := s.Proved(t.Context(), 4, seq); err != nil {
			t.Fatal(err)
		}
	}
	expect("nothing is proven yet", 1, 1, 2, 3)
	prove(2)
	expect("the last one was not", 1, 3)
	prove(3)
	expect("the last two again", 2, 2, 3)
	expect("all", 0, 1, 2, 3)
	prove(9)
	expect("a ledger that went back", 1, 1, 2, 3)
	if err := s.NoteLosses(t.Context(), []clickhouse.Loss{{Kind: clickhouse.Unstored, Shard: 4, Topic: "exposures", From: 10, Next: 20, Seq: 2, Records: 8, Until: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	expect("accepted as lost", 0, 1, 3)
}

// The first key's fingerprint stays, whoever comes later.
func TestUnitKeyFingerprint(t *testing.T) {
	s := newStore(t)
	for _, fingerprint := range []string{"a", "b", "a"} {
		if got, err := s.UnitKey(t.Context(), fingerprint); err != nil || got != "a" {
			t.Errorf("%s: got %q, %v", fingerprint, got, err)
		}
	}
}

// The mark tells the leader's epoch of its last record.
func TestEpochOfAMark(t *testing.T) {
	s := newStore(t)
	first, second := part(1, 1), part(1, 2)
	first.Offsets[0].Epoch, second.Offsets[0].Epoch = 3, 8
	mustAppend(t, s.DB, first, second)
	m, err := s.LastMark(t.Context(), 1)
	if err != nil || m.Topics[0].Epoch != 8 || m.Topics[1].Epoch != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

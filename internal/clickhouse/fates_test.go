package clickhouse_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/results"
)

// TestFates: the records of the parts between two positions, and of no others.
func TestFates(t *testing.T) {
	s := newStore(t)
	p := func(shard uint16, seq, accepted, dead uint64) ingest.Part {
		from := int64(seq) * 100
		return ingest.Part{Shard: shard, Seq: seq, Config: 1, Offsets: []ingest.Counts{
			{Topic: 0, From: from, Next: from + int64(accepted+dead) + 2, Accepted: accepted, Dead: dead, Misplaced: 1, NoRecord: 1},
			{Topic: 1, From: from, Next: from}}}
	}
	mustAppend(t, s.DB, p(0, 1, 50, 7), p(0, 2, 10, 1), p(0, 3, 20, 2), p(0, 4, 40, 9), p(1, 1, 30, 3), p(1, 2, 5, 5), p(2, 1, 60, 0))
	got, err := s.Fates(t.Context(), map[uint16]uint64{0: 1, 1: 0}, map[uint16]uint64{0: 3, 1: 1, 2: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []results.Fates{
		{Topic: "exposures", Records: 10 + 1 + 20 + 2 + 30 + 3 + 3, Dead: 6, Misplaced: 3},
		{Topic: "outcomes"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fates (-want +got):\n%s", diff)
	}
	if none, err := s.Fates(t.Context(), nil, map[uint16]uint64{0: 3}); err != nil || none != nil {
		t.Errorf("of nothing before: %v, %v", none, err)
	}
}

package clickhouse_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

func TestGaps(t *testing.T) {
	s := newStore(t)
	if got, err := s.Gaps(t.Context()); err != nil || len(got) != 0 {
		t.Fatalf("of an empty ledger: %+v, %v", got, err)
	}
	newest := time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC)
	counted := cell("m", "c", 0, ingest.Delta{N: 1})
	counted.Newest = newest.UnixMilli()
	later := counted
	later.Newest += 60_000
	gap := ingest.Part{Shard: 1, Seq: 2, Config: 1, Offsets: []ingest.Counts{
		{Topic: 0, From: 10, Next: 17, Gap: 7}, {Topic: 1, From: 10, Next: 10}}}
	next := ingest.Part{Shard: 1, Seq: 3, Config: 1, Rows: []ingest.Row{later}, Offsets: []ingest.Counts{{Topic: 0, From: 17, Next: 18, Accepted: 1}}}
	first := ingest.Part{Shard: 2, Seq: 1, Config: 1, Offsets: []ingest.Counts{{Topic: 1, From: 0, Next: 3, Gap: 3}}}
	mustAppend(t, s.DB, part(0, 1, counted), part(1, 1, counted), gap, next, first)

	got, err := s.Gaps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []clickhouse.Gap{
		{Shard: 1, Topic: "exposures", Kind: clickhouse.Unread, Seq: 2, Records: 7, Since: newest},
		{Shard: 2, Topic: "outcomes", Kind: clickhouse.Unread, Seq: 1, Records: 3},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(clickhouse.Gap{}, "AcceptedAt", "Until")); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	for _, g := range got {
		if age := time.Since(g.AcceptedAt); age < 0 || age > time.Minute {
			t.Errorf("accepted at %v", g.AcceptedAt)
		}
	}
}

package clickhouse_test

import (
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

func topics() []clickhouse.Topic {
	return []clickhouse.Topic{{Name: "exposures", ID: [16]byte{1, 2, 255}}, {Name: "outcomes"}}
}

// part is a small balanced part: every offset of its ranges is accepted.
func part(shard uint16, seq uint64, rows ...ingest.Row) ingest.Part {
	from := int64(seq-1) * 10
	return ingest.Part{Shard: shard, Seq: seq, Config: 1, Rows: rows, Offsets: []ingest.Counts{
		{Topic: 0, From: from, Next: from + 10, Accepted: 10},
		{Topic: 1, From: from, Next: from + 10, Accepted: 10},
	}}
}

func cell(metric, variant string, slot int64, d ingest.Delta) ingest.Row {
	return ingest.Row{Cell: ingest.Cell{
		Experiment: "e1", Iteration: 1, Phase: 1, Variant: variant, Metric: metric, Slot: slot,
	}, Delta: d}
}

func mustAppend(t testing.TB, db *clickhouse.DB, parts ...ingest.Part) {
	t.Helper()
	for _, p := range parts {
		got, err := db.AppendPart(t.Context(), topics(), p)
		if err != nil || got != clickhouse.Committed {
			t.Fatalf("part %d of shard %d: %v, %v", p.Seq, p.Shard, got, err)
		}
	}
}

func TestAppendPartMovesTheMark(t *testing.T) {
	s := newStore(t)
	got, err := s.LastMark(t.Context(), 3)
	if err != nil || got.Seq != 0 || got.Topics != nil {
		t.Fatalf("a shard without parts has %+v, %v", got, err)
	}
	mustAppend(t, s.DB, part(3, 1, cell("m", "c", 60_000, ingest.Delta{N: 1})), part(3, 2))
	adopt := ingest.Part{Shard: 3, Seq: 3, Config: 2}
	mustAppend(t, s.DB, adopt, part(4, 1))

	got, err = s.LastMark(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	if got.Attempt == 0 || got.WrittenAt.IsZero() {
		t.Errorf("mark without attempt or time: %+v", got)
	}
	want := clickhouse.Mark{
		Shard: 3, Seq: 3, Attempt: got.Attempt, Config: 2, Code: "test", WrittenAt: got.WrittenAt,
		Topics: []clickhouse.TopicMark{
			{Topic: topics()[0], Next: 20},
			{Topic: topics()[1], Next: 20},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mark (-want +got):\n%s", diff)
	}
}

func TestAppendPartIsLost(t *testing.T) {
	s := newStore(t)
	mustAppend(t, s.DB, part(0, 1), part(0, 2))
	for name, p := range map[string]ingest.Part{
		"a number that is taken":       part(0, 2),
		"a number long gone":           part(0, 1),
		"a number beyond the next":     part(0, 4),
		"not the first of a new shard": part(9, 2),
	} {
		got, err := s.AppendPart(t.Context(), topics(), p)
		if err != nil || got != clickhouse.Lost {
			t.Errorf("%s: %v, %v; want Lost", name, got, err)
		}
	}
}

func TestInt128Survives(t *testing.T) {
	s := newStore(t)
	huge := ingest.Int128{Hi: 1 << 40, Lo: 7}
	mustAppend(t, s.DB,
		part(0, 1, cell("m", "c", 0, ingest.Delta{N: 1, Sum: huge, SumSquares: huge})),
		part(0, 2, cell("m", "c", 0, ingest.Delta{N: -1, Sum: ingest.Int64(-3), SumSquares: huge.Neg().Add(ingest.Int64(-1))})),
	)
	m, err := s.Moments(t.Context(), []clickhouse.MomentsSpec{{Experiment: "e1", Iteration: 1}})
	if err != nil || len(m.Cells) != 1 {
		t.Fatalf("%d cells, %v", len(m.Cells), err)
	}
	// 2^104 + 7 - 3, by arithmetic that is not the package's.
	want := new(big.Int).Lsh(big.NewInt(1), 104)
	want.Add(want, big.NewInt(4))
	if got := m.Cells[0].Open; got.Sum.Cmp(want) != 0 || got.SumSquares.Int64() != -1 || got.N != 0 {
		t.Errorf("sums %v; want sum %s, squares -1, n 0", got, want)
	}
}

// A shard that never had a part knows all the same under how many partitions the
// others were written.
func TestPartitionsOfTheLedger(t *testing.T) {
	s := newStore(t)
	if m, err := s.LastMark(t.Context(), 3); err != nil || m.Partitions != 0 {
		t.Errorf("an empty ledger has %d partitions, %v", m.Partitions, err)
	}
	p := part(0, 1, deltas(0, 1, 2)...)
	p.Partitions = 4
	mustAppend(t, s.DB, p)
	for _, shard := range []uint16{0, 3} {
		if m, err := s.LastMark(t.Context(), shard); err != nil || m.Partitions != 4 {
			t.Errorf("shard %d: %d partitions, %v; want 4", shard, m.Partitions, err)
		}
	}
}

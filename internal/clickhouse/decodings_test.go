package clickhouse_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/clickhouse"
)

func TestDecodings(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	if got, err := s.Decodings(ctx, 0); err != nil || len(got) != 0 {
		t.Fatalf("before the first: %v, %v", got, err)
	}
	want := []clickhouse.Decoding{
		{Number: 1, Topic: "exposures", Attributes: []string{"country", "pl'an"}},
		{Number: 2, Topic: "outcomes", Mapping: "name: x\nformat: ndjson\n", Attributes: []string{}},
		{Number: 3, Topic: "exposures", Attributes: []string{"country"}},
	}
	for _, d := range want {
		if err := s.AppendDecoding(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	for _, number := range []uint32{1, 3} {
		if err := s.AppendDecoding(ctx, clickhouse.Decoding{Number: number, Topic: "late"}); !errors.Is(err, clickhouse.ErrConflict) {
			t.Errorf("number %d, which is taken: %v", number, err)
		}
	}
	for _, number := range []uint32{0, 5} {
		if err := s.AppendDecoding(ctx, clickhouse.Decoding{Number: number, Topic: "x"}); err == nil {
			t.Errorf("number %d was accepted", number)
		}
	}
	for after := range uint32(3) {
		got, err := s.Decodings(ctx, after)
		if diff := cmp.Diff(want[after:], got); err != nil || diff != "" {
			t.Errorf("decodings after %d (-want +got), %v:\n%s", after, err, diff)
		}
	}
}

func TestDecodedRanges(t *testing.T) {
	s := newStore(t)
	parts := countedParts() // offsets 0 to 30 in tens; the second part names decoding 7 for one topic
	mustAppend(t, s.DB, parts...)
	for name, c := range map[string]struct {
		from, next int64
		want       []clickhouse.DecodedRange
	}{
		"the border of two": {9, 11, []clickhouse.DecodedRange{{From: 0, Next: 10, Config: 1}, {From: 10, Next: 20, Decode: 7, Config: 1}}},
		"one":               {10, 20, []clickhouse.DecodedRange{{From: 10, Next: 20, Decode: 7, Config: 1}}},
		"beyond":            {30, 40, nil},
	} {
		got, err := s.Decoded(t.Context(), 4, "exposures", c.from, c.next)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s (-want +got), %v:\n%s", name, err, diff)
		}
	}
}

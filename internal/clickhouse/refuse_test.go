package clickhouse_test

import (
	"context"
	"sync"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// block is an insert into the ledger as any client might send it.
type block struct {
	shard    uint16
	seq      uint64
	token    string
	rows     int    // the mark and rows-1 deltas
	declared uint32 // by the mark; 0: as many as there are
	mark     int    // which row is the mark
	foreign  bool   // the last row belongs to another shard
	pieces   int    // sent as so many blocks; 0: one
	attempt  uint64
}

func (b block) send(ctx context.Context, conn native.Conn) error {
	if b.declared == 0 {
		b.declared = uint32(b.rows)
	}
	ctx = withToken(ctx, b.token)
	if b.pieces > 0 { // or the server puts small ones together again
		ctx = driver.Context(ctx, driver.WithSettings(driver.Settings{
			"async_insert": 0, "insert_deduplication_token": b.token,
			"min_insert_block_size_rows": 1, "min_insert_block_size_bytes": 1,
		}))
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO ledger (shard, seq, mark, rows, attempt, experiment, n)")
	if err != nil {
		return err
	}
	defer batch.Close()
	for i := range b.rows {
		mark, rows, attempt, experiment := uint8(0), uint32(0), uint64(0), "e1"
		if i == b.mark {
			mark, rows, attempt, experiment = 1, b.declared, b.attempt, ""
		}
		shard := b.shard
		if b.foreign && i == b.rows-1 {
			shard++
		}
		if err := batch.Append(shard, b.seq, mark, rows, attempt, experiment, int64(1)); err != nil {
			return err
		}
		if b.pieces > 0 && (i+1)%(b.rows/b.pieces) == 0 {
			if err := batch.Flush(); err != nil {
				return err
			}
		}
	}
	return batch.Send()
}

// The guard stands in the table: these are sent by a plain client, and it is the
// server that refuses each.
func TestServerRefuses(t *testing.T) {
	s := newStore(t)
	conn := s.raw(t, s.engine.Writer())
	for _, b := range []block{
		{shard: 1, seq: 1, token: "g:1:1", rows: 5},
		{shard: 1, seq: 2, token: "g:1:2", rows: 5},
		{shard: 1, seq: 3, token: "g:1:3:r1", rows: 5}, // the form for a burnt token
	} {
		if err := b.send(t.Context(), conn); err != nil {
			t.Fatalf("%+v: %v", b, err)
		}
	}
	for name, c := range map[string]struct {
		block      block
		constraint string
	}{
		"a stale seq":              {block{shard: 1, seq: 2, token: "g:1:2:r1", rows: 5}, "append"},
		"a seq that leaves a gap":  {block{shard: 1, seq: 5, token: "g:1:5", rows: 5}, "append"},
		"another part's token":     {block{shard: 1, seq: 4, token: "g:1:3", rows: 5}, "token"},
		"another shard's token":    {block{shard: 1, seq: 4, token: "g:2:4", rows: 5}, "token"},
		"no token":                 {block{shard: 1, seq: 4, token: "", rows: 5}, "token"},
		"a token spelt otherwise":  {block{shard: 1, seq: 4, token: "g:01:4", rows: 5}, "token"},
		"a token with more to it":  {block{shard: 1, seq: 4, token: "g:1:4:r10", rows: 5}, "token"},
		"a row of another shard":   {block{shard: 1, seq: 4, token: "g:1:4", rows: 5, foreign: true}, "token"},
		"a split block":            {block{shard: 1, seq: 4, token: "g:1:4", rows: 6, pieces: 2}, "one_block"},
		"a block that lost a row":  {block{shard: 1, seq: 4, token: "g:1:4", rows: 5, declared: 6}, "one_block"},
		"a mark that is not first": {block{shard: 1, seq: 4, token: "g:1:4", rows: 5, mark: 1}, "one_block"},
		"no mark":                  {block{shard: 1, seq: 4, token: "g:1:4", rows: 5, mark: -1}, "one_block"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.block.send(t.Context(), conn); !violates(err, c.constraint) {
				t.Errorf("not refused by %s: %v", c.constraint, err)
			}
		})
	}
	if n := scalar[uint64](t, conn, "SELECT count() FROM ledger"); n != 15 {
		t.Errorf("%d rows; want the 15 of the three good parts", n)
	}
	if err := (block{shard: 1, seq: 4, token: "g:1:4", rows: 5}).send(t.Context(), conn); err != nil {
		t.Errorf("the refused ones left something behind: %v", err)
	}
}

// Deduplication can be switched off by the statement; then the token means
// nothing and the table must not accept the row.
func TestServerRefusesWithoutDeduplication(t *testing.T) {
	s := newStore(t)
	conn := s.raw(t, s.engine.Writer())
	const values = "INSERT INTO ledger (shard, seq, mark, rows) SETTINGS async_insert = 0, insert_deduplication_token = 'g:1:1', "
	for _, setting := range []string{"insert_deduplicate = 0", "deduplicate_insert = 'disable'"} {
		if err := conn.Exec(t.Context(), values+setting+" VALUES (1, 1, 1, 1)"); !violates(err, "token") {
			t.Errorf("%s: %v", setting, err)
		}
	}
	if err := conn.Exec(t.Context(), values+"insert_deduplicate = 1 VALUES (1, 1, 1, 1)"); err != nil {
		t.Error(err)
	}
}

// Two writers with the same token at the same time: one part, whatever each of
// them is told.
func TestRaceOfOneToken(t *testing.T) {
	s := newStore(t)
	conn := s.raw(t, s.engine.Writer())
	const rounds, writers = 25, 3
	for seq := uint64(1); seq <= rounds; seq++ {
		var all sync.WaitGroup
		for w := range uint64(writers) {
			all.Go(func() {
				b := block{shard: 7, seq: seq, token: "g:7:" + itoa(seq), rows: 20, attempt: w + 1}
				if err := b.send(t.Context(), conn); err != nil && code(err) != violatedConstraint {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := scalar[uint64](t, conn, "SELECT count() FROM ledger WHERE shard = 7"); n != 20*seq {
			t.Fatalf("%d rows after %d parts of 20", n, seq)
		}
	}
	faults, err := s.CheckChain(t.Context())
	if err != nil || len(faults) > 0 {
		t.Errorf("chain: %+v, %v", faults, err)
	}
}

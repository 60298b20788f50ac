package clickhouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
)

// A shard's events are wanted in the order of the sorting key. The server has them in
// some tens of parts, and takes 1.3 to 2 µs of its time a row to merge these; unordered
// they cost 0.12 µs. So they are read range by range of units, each as it comes, and
// sorted here.

var (
	// rangeRows is how many rows a range is to have: it lies in memory. The blocks at its
	// ends, of each part, are read for its neighbours too.
	rangeRows uint64 = 200_000
	// rangeMost is how many rows are sorted here. Units are spread evenly, but what one
	// of them has is not.
	rangeMost = 600_000

	errTooMany    = errors.New("too many rows to be sorted at once")
	errAnotherRun = errors.New("the server was started again meanwhile")
)

// ranges reads what a query with first and last gives, in the order of the sorting key.
func (db *DB) ranges(ctx context.Context, query string, params args, next map[string]int64, fn func(*ingest.Event) error) error {
	if len(next) == 0 {
		return nil
	}
	text, err := statement(query)
	if err != nil {
		return err
	}
	shard := params["shard"].(uint16)
	began, err := db.ServerRun(ctx, shard)
	if err != nil {
		return err
	}
	holder, err := db.holding(ctx, params)
	if err != nil {
		return err
	}
	stored, _, err := one(ctx, holder, "events_of_shard", args{"shard": shard}, func(rows native.Rows, n *uint64) error { return rows.Scan(n) })
	if err != nil {
		return err
	}
	bounds := unitBounds(int64(1 + stored/rangeRows))
	var rows []ingest.Event
	for i, first := range bounds[:len(bounds)-1] {
		params["first"], params["last"] = first.String(), new(big.Int).Sub(bounds[i+1], big.NewInt(1)).String()
		rows, err = db.gather(ctx, query, text, params, next, rows[:0])
		if errors.Is(err, errTooMany) {
			err = db.ordered(ctx, query, text+"\nORDER BY shard, unit, t, topic, offset", params, next, fn)
			rows = rows[:0]
		}
		if err != nil {
			return err
		}
		// What was read before this is of the run at the beginning.
		if now, err := db.ServerRun(ctx, shard); err != nil || now != began {
			return cmp.Or(err, errAnotherRun)
		}
		if err := inOrder(ctx, rows, fn); err != nil {
			return err
		}
	}
	return nil
}

// unitBounds cuts all units into n ranges: bound i is where range i begins.
func unitBounds(n int64) []*big.Int {
	bounds := make([]*big.Int, n+1)
	for i := range bounds {
		at := new(big.Int).Lsh(big.NewInt(int64(i)), 128)
		bounds[i] = at.Div(at, big.NewInt(n))
	}
	return bounds
}

// gather appends what a query gives to rows.
func (db *DB) gather(ctx context.Context, query, text string, params args, next map[string]int64, rows []ingest.Event) ([]ingest.Event, error) {
	index, block := bind(params, next), newEventBlock()
	db, err := db.holding(ctx, params)
	if err != nil {
		return nil, err
	}
	err = db.retry(ctx, "query "+query, func(ctx context.Context) error {
		rows = rows[:0]
		return db.columns(ctx, text, params, block.results(), func() error {
			if len(rows)+len(block.offset) > rangeMost {
				return final{errTooMany}
			}
			return block.each(index, func(e *ingest.Event) error { rows = append(rows, *e); return nil })
		})
	})
	if err != nil {
		return rows, fmt.Errorf("read events of shard %d: %w", params["shard"], err)
	}
	return rows, nil
}

// sortingKey is that of a row, and where the row is in memory.
type sortingKey struct {
	unit   ingest.Unit
	t      int64
	topic  uint8
	row    uint32
	offset int64
}

// inOrder hands rows to fn in the order of the sorting key, each place once.
func inOrder(ctx context.Context, rows []ingest.Event, fn func(*ingest.Event) error) error {
	keys := make([]sortingKey, len(rows))
	for i := range rows {
		e := &rows[i]
		keys[i] = sortingKey{e.Unit, e.T, e.Place.Topic, uint32(i), e.Place.Offset}
	}
	slices.SortFunc(keys, func(a, b sortingKey) int {
		switch {
		case a.unit.Hi != b.unit.Hi:
			return cmp.Compare(a.unit.Hi, b.unit.Hi)
		case a.unit.Lo != b.unit.Lo:
			return cmp.Compare(a.unit.Lo, b.unit.Lo)
		case a.t != b.t:
			return cmp.Compare(a.t, b.t)
		case a.topic != b.topic:
			return cmp.Compare(a.topic, b.topic)
		}
		return cmp.Compare(a.offset, b.offset)
	})
	once, _ := eachOnce(fn)
	for i := range keys {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := once(&rows[keys[i].row]); err != nil {
			return err
		}
	}
	return nil
}

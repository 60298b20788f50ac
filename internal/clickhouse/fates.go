package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"slices"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/results"
)

// Fates are what became of the records of each topic in the parts after one position
// of the shards, up to another. A shard that has no part in after gives nothing.
func (db *DB) Fates(ctx context.Context, after, upto map[uint16]uint64) ([]results.Fates, error) {
	if len(after) == 0 {
		return nil, nil
	}
	shards := slices.Sorted(maps.Keys(after))
	from, to := make([]uint64, len(shards)), make([]uint64, len(shards))
	for i, s := range shards {
		from[i], to[i] = after[s], upto[s]
	}
	all, err := collect(ctx, db, "fates", args{"shards": shards, "after": from, "upto": to},
		func(rows native.Rows, f *results.Fates) error {
			return rows.Scan(&f.Topic, &f.Records, &f.Dead, &f.Misplaced)
		})
	if err != nil {
		return nil, fmt.Errorf("read what became of the records: %w", err)
	}
	return all, nil
}

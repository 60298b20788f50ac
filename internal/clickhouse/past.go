package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/results"
)

// PastVector is how far each shard was at a time, by the clocks of those who wrote
// its parts. A shard that had none is not in it.
func (db *DB) PastVector(ctx context.Context, at time.Time) (map[uint16]uint64, error) {
	type position struct {
		shard uint16
		seq   uint64
	}
	all, err := collect(ctx, db, "past_vector", args{"at": at.UnixMilli()}, func(rows native.Rows, p *position) error {
		return rows.Scan(&p.shard, &p.seq)
	})
	if err != nil {
		return nil, fmt.Errorf("read how far the shards were: %w", err)
	}
	vector := map[uint16]uint64{}
	for _, p := range all {
		vector[p.shard] = p.seq
	}
	return vector, nil
}

// MomentsAt is [DB.Moments] as the ledger stood when the shards had come to these
// parts. The ledger is only ever appended to, so they are the same sums.
func (db *DB) MomentsAt(ctx context.Context, specs []MomentsSpec, vector map[uint16]uint64) (results.Moments, error) {
	params := momentsParams(specs)
	params["shards"], params["seqs"] = bounds(vector)
	return db.moments(ctx, "moments_past", specs, params)
}

// bounds are the shards of a vector and their parts, as the queries of the past take them.
func bounds(vector map[uint16]uint64) (shards []uint16, seqs []uint64) {
	if len(vector) == 0 {
		return []uint16{0}, []uint64{0} // transform() wants at least one
	}
	shards = slices.Sorted(maps.Keys(vector))
	for _, shard := range shards {
		seqs = append(seqs, vector[shard])
	}
	return shards, seqs
}

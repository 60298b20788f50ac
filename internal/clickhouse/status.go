package clickhouse

import (
	"context"
	"errors"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/results"
)

// WriteStatus stores what consumers say of their shards. The later At wins.
func (db *DB) WriteStatus(ctx context.Context, statuses []results.ShardStatus) error {
	if len(statuses) == 0 {
		return nil
	}
	var shard, seq, freshness, config, at fixed
	var state words
	var detail text
	for _, s := range statuses {
		shard.uint16(s.Shard)
		seq.uint64(s.Seq)
		freshness.int64(s.Freshness.UnixMilli())
		config.uint32(s.Config)
		state.add(s.State)
		detail.add(s.Detail)
		at.int64(s.At.UnixMilli())
	}
	fields := []field{
		{"shard", &shard}, {"seq", &seq}, {"freshness", &freshness}, {"config", &config},
		{"state", &state}, {"detail", &detail}, {"at", &at},
	}
	return db.retry(idempotent(ctx), "insert shard status", func(ctx context.Context) error {
		return db.insert(ctx, "shard_status", fields, len(statuses))
	})
}

// Statuses is the last word of every shard, by number.
func (db *DB) Statuses(ctx context.Context) ([]results.ShardStatus, error) {
	return collect(ctx, db, "statuses", nil, func(rows native.Rows, s *results.ShardStatus) error {
		return rows.Scan(&s.Shard, &s.Seq, &s.Freshness, &s.Config, &s.State, &s.Detail, &s.At)
	})
}

// Parts counts the active parts of every table by partition. Where the shards are on
// several nodes, each gives its own.
func (db *DB) Parts(ctx context.Context) (all []PartCount, err error) {
	count := func(ctx context.Context, db *DB) error {
		some, err := collect(ctx, db, "parts", nil, func(rows native.Rows, p *PartCount) error {
			return rows.Scan(&p.Table, &p.Partition, &p.Parts, &p.Rows, &p.Bytes)
		})
		all = append(all, some...)
		return err
	}
	if db.spread() {
		err = count(ctx, db)
	}
	return all, errors.Join(err, db.everywhere(ctx, count))
}

package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Head is where a shard stands.
type Head struct {
	Shard  uint16
	Seq    uint64 // its last part
	Config uint32 // the version under which it counts
}

// Heads are the shards that have parts.
func (db *DB) Heads(ctx context.Context) ([]Head, error) {
	if err := db.wait(ctx, "ledger"); err != nil {
		return nil, err
	}
	return collect(ctx, db, "heads", nil, func(rows native.Rows, h *Head) error {
		return rows.Scan(&h.Shard, &h.Seq, &h.Config)
	})
}

// EventsBefore are the monthly partitions of events that lie wholly before a time,
// by their names (YYYYMM).
func (db *DB) EventsBefore(ctx context.Context, floor time.Time) ([]PartCount, error) {
	all, err := db.Parts(ctx)
	if err != nil {
		return nil, err
	}
	var out []PartCount
	for _, p := range all {
		if p.Table != "events" {
			continue
		}
		month, err := time.Parse("200601", p.Partition)
		if err != nil {
			return nil, fmt.Errorf("partition %q of events is no month: %w", p.Partition, err)
		}
		known := slices.ContainsFunc(out, func(o PartCount) bool { return o.Partition == p.Partition }) // on another node
		if !month.AddDate(0, 1, 0).After(floor) && !known {
			out = append(out, p)
		}
	}
	return out, nil
}

// Retire notes that nothing up to these parts can be compared with stored rows any
// more, because some are about to be dropped.
func (db *DB) Retire(ctx context.Context, heads []Head) error {
	for _, h := range heads {
		if err := db.prove(ctx, h.Shard, h.Seq, true); err != nil {
			return err
		}
	}
	return nil
}

// DropEvents drops a monthly partition of events. It needs the right to alter.
func (db *DB) DropEvents(ctx context.Context, partition string) error {
	month, err := strconv.ParseUint(partition, 10, 32)
	if err != nil {
		return fmt.Errorf("drop partition %q of events: %w", partition, err)
	}
	return db.everywhere(ctx, func(ctx context.Context, db *DB) error {
		return db.retry(idempotent(ctx), "drop a partition of events", func(ctx context.Context) error {
			return db.conn.Exec(ctx, fmt.Sprintf("ALTER TABLE events DROP PARTITION %d", month))
		})
	})
}

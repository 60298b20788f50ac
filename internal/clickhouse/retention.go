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

// KindCount is how many events of a unit kind a monthly partition has.
type KindCount struct {
	Partition string // YYYYMM
	Kind      string
	Rows      uint64
}

// EventsOfKinds counts events by unit kind in the monthly partitions that lie wholly
// before a time.
func (db *DB) EventsOfKinds(ctx context.Context, before time.Time) ([]KindCount, error) {
	if err := db.wait(ctx, "events"); err != nil {
		return nil, err
	}
	before = before.UTC()
	return collect(ctx, db, "events_of_kinds", args{"month": uint64(before.Year()*100 + int(before.Month()))}, func(rows native.Rows, c *KindCount) error {
		return rows.Scan(&c.Partition, &c.Kind, &c.Rows)
	})
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

// DeleteKinds deletes the events of some unit kinds from a monthly partition: the parts
// that hold any are written anew without them. It needs the right to alter.
func (db *DB) DeleteKinds(ctx context.Context, partition string, kinds []string) error {
	month, err := strconv.ParseUint(partition, 10, 32)
	if err != nil {
		return fmt.Errorf("delete from partition %q of events: %w", partition, err)
	}
	statement := fmt.Sprintf("ALTER TABLE events DELETE IN PARTITION %d WHERE has(%s, unit_kind)", month, list(kinds, quote))
	return db.everywhere(ctx, func(ctx context.Context, db *DB) error {
		return db.retry(deletion(ctx), "delete events of unit kinds", func(ctx context.Context) error { return db.conn.Exec(ctx, statement) })
	})
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

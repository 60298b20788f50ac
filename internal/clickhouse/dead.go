package clickhouse

import (
	"context"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// DeadCount is how many records of a topic could not be read for one reason.
type DeadCount struct {
	Topic, Reason string
	Records       uint64
	First, Last   time.Time // Kafka's timestamps
}

// DeadSample is one of them. What it held stays in Kafka.
type DeadSample struct {
	Topic, Reason string
	Shard         uint16
	Offset        int64
	At            time.Time
	Size          uint32
	Position      int32 // of the error in the value; -1: none in particular
	Detail        string
}

// DeadCounts are all dead letters by topic and reason, the most frequent first.
func (db *DB) DeadCounts(ctx context.Context) ([]DeadCount, error) {
	return collect(ctx, db, "dead_counts", nil, func(rows native.Rows, d *DeadCount) error {
		return rows.Scan(&d.Topic, &d.Reason, &d.Records, &d.First, &d.Last)
	})
}

// DeadSamples are the newest dead letters, so many of each topic and reason.
func (db *DB) DeadSamples(ctx context.Context, each int) ([]DeadSample, error) {
	return collect(ctx, db, "dead_samples", args{"each": each}, func(rows native.Rows, d *DeadSample) error {
		return rows.Scan(&d.Topic, &d.Reason, &d.Shard, &d.Offset, &d.At, &d.Size, &d.Position, &d.Detail)
	})
}

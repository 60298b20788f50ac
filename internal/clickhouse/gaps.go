package clickhouse

import (
	"context"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Gap is a stretch of records that were lost before they were read, and that a
// person accepted as lost.
type Gap struct {
	Shard      uint16
	Topic      string
	Seq        uint64    // the part that stepped over it
	Records    uint64    // offsets that were lost
	AcceptedAt time.Time // when that part was written
	Since      time.Time // the greatest event time that the shard had counted before; zero: none
}

// Gaps are all accepted gaps, by shard and part.
func (db *DB) Gaps(ctx context.Context) ([]Gap, error) {
	return collect(ctx, db, "gaps", nil, func(rows native.Rows, g *Gap) error {
		err := rows.Scan(&g.Shard, &g.Topic, &g.Seq, &g.Records, &g.AcceptedAt, &g.Since)
		if g.Since.UnixMilli() == 0 {
			g.Since = time.Time{}
		}
		return err
	})
}

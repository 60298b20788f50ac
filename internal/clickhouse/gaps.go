package clickhouse

import (
	"context"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Gap is a stretch of records that results may lack: lost before they were read
// and accepted as lost by a person, or one of the other kinds of loss.
type Gap struct {
	Shard      uint16
	Topic      string
	Kind       LossKind
	Seq        uint64    // the part that it belongs to
	Records    uint64    // offsets that were lost
	AcceptedAt time.Time // when it was written down
	Since      time.Time // none of the records is earlier, as a rule; zero: not known
	Until      time.Time // none of them is later
}

// Gaps are all that is known to be lost, by shard and part.
func (db *DB) Gaps(ctx context.Context) ([]Gap, error) {
	return collect(ctx, db, "gaps", nil, func(rows native.Rows, g *Gap) error {
		var kind string
		err := rows.Scan(&g.Shard, &g.Topic, &kind, &g.Seq, &g.Records, &g.AcceptedAt, &g.Since, &g.Until)
		g.Kind = LossKind(kind)
		if g.Since.UnixMilli() == 0 {
			g.Since = time.Time{}
		}
		return err
	})
}

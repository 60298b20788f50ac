package clickhouse

import (
	"context"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// LastOutside says of experiments when they were last exposed outside all of their
// iterations, before a time. Those that never were are not in it.
func (db *DB) LastOutside(ctx context.Context, experiments []string, until time.Time) (map[string]time.Time, error) {
	type last struct {
		key string
		at  time.Time
	}
	all, err := collect(ctx, db, "outside", args{"experiments": experiments, "until": until.UnixMilli()}, func(rows native.Rows, l *last) error {
		return rows.Scan(&l.key, &l.at)
	})
	out := make(map[string]time.Time, len(all))
	for _, l := range all {
		out[l.key] = l.at.UTC()
	}
	return out, err
}

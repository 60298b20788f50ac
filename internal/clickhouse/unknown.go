package clickhouse

import (
	"context"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// UnknownExperiment is one that exposures name and no file declares.
type UnknownExperiment struct {
	Key       string
	Exposures uint64
	Last      time.Time
}

// UnknownExperiments lists them, the most exposed first.
func (db *DB) UnknownExperiments(ctx context.Context) ([]UnknownExperiment, error) {
	return collect(ctx, db, "unknown", nil, func(rows native.Rows, u *UnknownExperiment) error {
		return rows.Scan(&u.Key, &u.Exposures, &u.Last)
	})
}

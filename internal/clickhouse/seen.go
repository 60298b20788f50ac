package clickhouse

import (
	"context"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// OutcomesSeen is how often an event of outcomes was stored, and when last.
type OutcomesSeen struct {
	Event string
	Count uint64
	Last  time.Time
}

// OutcomesSeen counts events of outcomes since a time, by name. Those that never came are
// not in it.
func (db *DB) OutcomesSeen(ctx context.Context, events []string, since time.Time) ([]OutcomesSeen, error) {
	return collect(ctx, db, "outcomes_seen", args{"events": events, "since": since.UnixMilli()}, func(rows native.Rows, s *OutcomesSeen) error {
		return rows.Scan(&s.Event, &s.Count, &s.Last)
	})
}

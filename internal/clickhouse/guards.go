package clickhouse

import (
	"context"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Beat says that a guard runs.
func (db *DB) Beat(ctx context.Context, instance string) error {
	var name text
	var at fixed
	name.add(instance)
	at.int64(time.Now().UnixMilli())
	return db.retry(idempotent(ctx), "insert a guard's word", func(ctx context.Context) error {
		return db.insert(ctx, "guards", []field{{"instance", &name}, {"at", &at}}, 1)
	})
}

// Beats are the last words of all guards.
func (db *DB) Beats(ctx context.Context) (map[string]time.Time, error) {
	said := map[string]time.Time{}
	err := db.query(ctx, "guards", nil, func() { clear(said) }, func(rows native.Rows) error {
		var instance string
		var at time.Time
		err := rows.Scan(&instance, &at)
		said[instance] = at
		return err
	})
	return said, err
}

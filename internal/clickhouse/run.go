package clickhouse

import (
	"context"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// ServerRun is one run of a server, from its start to its end. Equal ones are one run.
type ServerRun struct {
	Server string
	Began  time.Time
}

// sameRun is how far apart two readings of one run's beginning may lie: servers count
// whole seconds. A machine that lost its power is not back so soon.
const sameRun = 1100 * time.Millisecond

// ServerRun is the present run of the server that holds a shard's rows. When it began is
// known to a second.
func (db *DB) ServerRun(ctx context.Context, shard uint16) (ServerRun, error) {
	db, err := db.holding(ctx, args{"shard": shard})
	if err != nil {
		return ServerRun{}, err
	}
	r, _, err := one(ctx, db, "server_run", nil, func(rows native.Rows, r *ServerRun) error {
		var began int64
		err := rows.Scan(&r.Server, &began)
		r.Began = time.UnixMilli(began).UTC()
		return err
	})
	if err != nil {
		return ServerRun{}, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if known := db.run; known.Server == r.Server && known.Began.Sub(r.Began).Abs() <= sameRun {
		return known, nil
	}
	db.run = r
	return r, nil
}

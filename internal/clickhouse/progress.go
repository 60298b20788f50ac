package clickhouse

import (
	"context"
	"sync"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Watched lets the queries that are made with the context tell how many rows they have
// read, of how many as far as is known by then. It tells one thing at a time.
func Watched(ctx context.Context, tell func(done, total uint64)) context.Context {
	var mu sync.Mutex
	var done, total uint64
	return driver.Context(ctx, driver.WithProgress(func(p *driver.Progress) {
		mu.Lock()
		defer mu.Unlock()
		done, total = done+p.Rows, total+p.TotalRows
		tell(done, max(done, total))
	}))
}

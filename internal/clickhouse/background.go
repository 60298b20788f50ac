package clickhouse

import (
	"context"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// InBackground is for queries that nobody waits for: the server takes one thread for each.
func InBackground(ctx context.Context) context.Context {
	return driver.Context(ctx, driver.WithSettings(driver.Settings{"max_threads": 1}))
}

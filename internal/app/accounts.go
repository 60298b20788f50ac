package app

import (
	"fmt"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
)

// Users are the statements that make the accounts of a ClickHouse server which keeps
// them by SQL, for the configured database.
func Users(cfg config.Config) (string, error) {
	text, err := clickhouse.Users(cfg.ClickHouse.Database)
	if err != nil {
		return "", fmt.Errorf("write the statements of the accounts: %w", err)
	}
	return text, nil
}

// Views is the database of what people query.
func (s *Stack) Views() string { return clickhouse.ViewsOf(s.Config.ClickHouse.Database) }

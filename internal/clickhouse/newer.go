package clickhouse

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/assay-dev/assay/sql"
)

// NewerError says that the tables are of a later program than this one, which would
// read and write them wrongly without knowing.
type NewerError struct {
	Schema int64  // of the tables
	Known  int64  // the last one that this program knows
	Code   string // version of this program
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the tables are at schema %d, and assay %s knows them up to %d only: a newer program has migrated them, and there is no way back", e.Schema, e.Code, e.Known)
}

// Hint says what to do about it.
func (e *NewerError) Hint() string {
	return "start the newer program; to go back, restore a backup of before into a database of its own (docs/operations.md, Upgrades)"
}

// CheckSchema is a [NewerError] when the tables are of a later program. Tables that are
// older or not there are none of its business.
func (db *DB) CheckSchema(ctx context.Context) error {
	known, err := knownSchema()
	if err != nil {
		return err
	}
	version, err := db.schemaVersion(ctx)
	switch {
	case err != nil && transient(err):
		return fmt.Errorf("read the schema's version: %w", err)
	case err == nil && version > known:
		return &NewerError{Schema: version, Known: known, Code: db.cfg.Code}
	}
	return nil
}

// knownSchema is the number of the newest migration.
func knownSchema() (int64, error) {
	files, err := fs.Glob(sql.Migrations, "migrations/*.sql")
	if err != nil {
		return 0, fmt.Errorf("list migrations: %w", err)
	}
	newest, err := goose.NumericComponent(files[len(files)-1]) // Glob sorts
	if err != nil {
		return 0, fmt.Errorf("list migrations: %w", err)
	}
	return newest, nil
}

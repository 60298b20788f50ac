package clickhouse

import (
	"context"
	"fmt"
	"path"
	"strings"
	"text/template"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/sql"
)

// args are the bound parameters of a query.
type args map[string]any

// statement is the text of sql/queries/NAME.sql.
func statement(name string) (string, error) {
	b, err := sql.Queries.ReadFile(path.Join("queries", name+".sql"))
	return string(b), err
}

// filled is the text of a statement that is a template.
func filled(name, text string, data any) (string, error) {
	t, err := template.New(name).Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = t.Execute(&out, data)
	return out.String(), err
}

// query runs sql/queries/NAME.sql and hands each row to scan. It is repeated
// when the server could not answer, so scan must begin anew when begin is
// called.
func (db *DB) query(ctx context.Context, name string, params args, begin func(), scan func(native.Rows) error) error {
	text, err := statement(name)
	if err != nil {
		return fmt.Errorf("query %s: %w", name, err)
	}
	return db.queryText(ctx, name, text, params, begin, scan)
}

// queryText is query for a text that was put together of such files.
func (db *DB) queryText(ctx context.Context, name, text string, params args, begin func(), scan func(native.Rows) error) error {
	db, err := db.holding(ctx, params)
	if err != nil {
		return fmt.Errorf("query %s: %w", name, err)
	}
	err = db.retry(ctx, "query "+name, func(ctx context.Context) error {
		begin()
		return db.each(ctx, text, params, scan)
	})
	if db.spread() && unknownTable(err) {
		return fmt.Errorf("home's tables are closed: %w: %w", ErrMoving, err)
	}
	return err
}

func (db *DB) each(ctx context.Context, text string, params args, scan func(native.Rows) error) error {
	var named []any
	for name, value := range params {
		named = append(named, driver.Named(name, value))
	}
	rows, err := db.conn.Query(ctx, text, named...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// collect runs a query and returns one value a row.
func collect[T any](ctx context.Context, db *DB, name string, params args, scan func(native.Rows, *T) error) ([]T, error) {
	text, err := statement(name)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", name, err)
	}
	return collectText(ctx, db, name, text, params, scan)
}

// collectText is collect for a text that was put together of such files.
func collectText[T any](ctx context.Context, db *DB, name, text string, params args, scan func(native.Rows, *T) error) ([]T, error) {
	var all []T
	err := db.queryText(ctx, name, text, params, func() { all = nil }, func(rows native.Rows) error {
		var v T
		if err := scan(rows, &v); err != nil {
			return err
		}
		all = append(all, v)
		return nil
	})
	return all, err
}

// one runs a query that has at most one row.
func one[T any](ctx context.Context, db *DB, name string, params args, scan func(native.Rows, *T) error) (v T, found bool, err error) {
	all, err := collect(ctx, db, name, params, scan)
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}

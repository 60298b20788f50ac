package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded"
)

// raw is a connection that knows nothing of this package: any other client.
func (s store) raw(t testing.TB, user embedded.User) native.Conn {
	t.Helper()
	return s.rawIn(t, s.database, user)
}

// reader is a person's connection: the reading account, in the database of views.
func (s store) reader(t testing.TB) native.Conn {
	t.Helper()
	return s.rawIn(t, clickhouse.ViewsOf(s.database), s.engine.Reader())
}

func (s store) rawIn(t testing.TB, database string, user embedded.User) native.Conn {
	t.Helper()
	conn, err := driver.Open(&driver.Options{
		Addr: []string{s.engine.Addr()},
		Auth: driver.Auth{Database: database, Username: user.Name, Password: user.Password},
		// The engine's profile of the reader allows it, and so does everybody's.
		Settings: driver.Settings{"max_threads": 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// scalar runs a query with one value.
func scalar[T any](t testing.TB, conn native.Conn, query string) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func withToken(ctx context.Context, token string) context.Context {
	return driver.Context(ctx, driver.WithSettings(driver.Settings{
		"async_insert": 0, "insert_deduplicate": 1, "insert_deduplication_token": token,
	}))
}

// code is the number of the server's exception, 0 without one.
func code(err error) int32 {
	var e *driver.Exception
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

const (
	accessDenied       = 497
	violatedConstraint = 469
)

// violates tells whether that constraint of the table refused an insert.
func violates(err error, constraint string) bool {
	return code(err) == violatedConstraint && strings.Contains(err.Error(), "Constraint `"+constraint+"`")
}

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

// newOf is a pointer to scan a column into.
func newOf(c native.ColumnType) any { return reflect.New(c.ScanType()).Interface() }

// textOf is a scanned row as text.
func textOf(values []any) string {
	fields := make([]string, len(values))
	for i, v := range values {
		fields[i] = fmt.Sprint(reflect.ValueOf(v).Elem().Interface())
	}
	return strings.Join(fields, "\t")
}

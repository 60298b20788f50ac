package app

import (
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// TestMain lets a test be another process that writes a report.
func TestMain(m *testing.M) {
	if spec := os.Getenv(elsewhereVariable); spec != "" {
		if err := writeElsewhere(spec, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	embeddedtest.Main(m)
}

// newStack is a stack on an empty database.
func newStack(t *testing.T) *Stack {
	t.Helper()
	engine, name := embeddedtest.ClickHouse(t), embeddedtest.Database(t)
	open := func(as embedded.User) *clickhouse.DB {
		db, err := clickhouse.Open(t.Context(), clickhouse.Config{
			Addr: []string{engine.Addr()}, Database: name, User: as.Name, Password: as.Password,
			Code: "test", Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		return db
	}
	if err := open(engine.Admin()).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &Stack{DB: open(engine.Writer()), Code: "test", Log: slog.New(slog.DiscardHandler)}
	s.Config.ClickHouse.Database = name
	s.endpoints.ClickHouse, s.endpoints.Admin = []string{engine.Addr()}, Account(engine.Admin())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

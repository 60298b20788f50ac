package clickhouse_test

import (
	"log/slog"
	"testing"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// store is a database of its own on the engine that all tests share.
type store struct {
	*clickhouse.DB
	engine   *embedded.ClickHouse
	database string
}

// newStore migrates a new database and opens it as the writer.
func newStore(t testing.TB) store {
	t.Helper()
	return migrated(t, embeddedtest.ClickHouse(t))
}

func migrated(t testing.TB, engine *embedded.ClickHouse) store {
	t.Helper()
	s := store{engine: engine, database: embeddedtest.Database(t)}
	admin := s.open(t, s.engine.Addr(), s.engine.Admin())
	if err := admin.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.DB = s.open(t, s.engine.Addr(), s.engine.Writer())
	return s
}

// open opens the store's database once more, as somebody or by another way.
func (s store) open(t testing.TB, addr string, user embedded.User) *clickhouse.DB {
	t.Helper()
	db, err := clickhouse.Open(t.Context(), clickhouse.Config{
		Addr: []string{addr}, Database: s.database, User: user.Name, Password: user.Password,
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

package clickhouse_test

import "testing"

// TestMigrateAsWriter: an account that may only read and insert starts on tables
// that are up to date, and is told when they are not.
func TestMigrateAsWriter(t *testing.T) {
	s := newStore(t)
	if err := s.Migrate(t.Context()); err != nil {
		t.Errorf("tables that are up to date: %v", err)
	}
	bare := s
	bare.database += "_bare"
	if err := bare.open(t, s.engine.Addr(), s.engine.Writer()).Migrate(t.Context()); err == nil {
		t.Error("a writer has made a database")
	}
}

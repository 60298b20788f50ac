package clickhouse_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// lastReleased is the schema of the last release. A release makes a file of what it
// writes, testdata/schema-N.sql, and puts its number here.
const lastReleased = 13

// TestUpgrade starts from the data of the last released schema. Migrations run while a
// writer of before lives: its next part, in its own words, is taken afterwards, and the
// new program's after that.
func TestUpgrade(t *testing.T) {
	s := unmigrated(t)
	admin := s.asAdmin(t)
	if err := admin.MigrateTo(t.Context(), lastReleased); err != nil {
		t.Fatal(err)
	}
	old := s.raw(t, s.engine.Writer())
	written := replayOld(t, old)
	if err := admin.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	newest, err := clickhouse.KnownSchema()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := admin.SchemaVersion(t.Context()); err != nil || n != newest || n <= lastReleased {
		t.Fatalf("the tables are at %d, %v; want %d", n, err, newest)
	}

	third := strings.NewReplacer("(0, 2, 1,", "(0, 3, 1,", "(0, 2, 0,", "(0, 3, 0,", "[0], [1], [2]", "[0], [2], [3]").Replace(written[len(written)-1])
	if err := old.Exec(withToken(t.Context(), "g:0:3"), third); err != nil {
		t.Errorf("a writer of before is refused: %v", err)
	}
	s.DB = s.open(t, s.engine.Addr(), s.engine.Writer())
	m, err := s.LastMark(t.Context(), 0)
	if err != nil || m.Seq != 3 || m.Code != "v0" || len(m.Topics) != 1 || m.Topics[0].Next != 3 {
		t.Fatalf("the last mark is %+v, %v", m, err)
	}
	next := ingest.Part{Shard: 0, Seq: 4, Config: 1, Rows: []ingest.Row{cell("$units", "c", 0, ingest.Delta{N: 1})},
		Offsets: []ingest.Counts{{From: 3, Next: 4, Accepted: 1}}}
	mustAppend(t, s.DB, next)
	if m, err := s.LastMark(t.Context(), 0); err != nil || m.Code != "test" {
		t.Errorf("the new mark bears version %q, %v", m.Code, err)
	}
	if faults, err := s.CheckChain(t.Context()); err != nil || len(faults) > 0 {
		t.Errorf("%+v, %v", faults, err)
	}
	sums, err := s.Moments(t.Context(), []clickhouse.MomentsSpec{{Experiment: "e1", Iteration: 1}})
	if err != nil || len(sums.Cells) != 1 || sums.Cells[0].Open.N != 4 || sums.Vector[0] != 4 {
		t.Errorf("moments %+v, %v", sums, err)
	}
	all, err := s.Reconcile(t.Context())
	if err != nil || len(all) != 1 || all[0].Difference != 0 || all[0].Accepted != 4 || all[0].Breaks != 0 {
		t.Errorf("reconciled %+v, %v", all, err)
	}
	if v, err := s.VersionNumber(t.Context()); err != nil || v != 1 {
		t.Errorf("version %d, %v", v, err)
	}
	if d, err := s.Decisions(t.Context(), clickhouse.DecisionFilter{}); err != nil || len(d) != 1 || d[0].Actor != "before" {
		t.Errorf("decisions %+v, %v", d, err)
	}
}

// unmigrated is a database that is not there yet.
func unmigrated(t *testing.T) store {
	t.Helper()
	s := newStore(t) // for the engine and a name of its own
	s.database += "_old"
	return s
}

// replayOld runs the statements of the last release's file and returns them.
func replayOld(t *testing.T, conn native.Conn) (statements []string) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("testdata/schema-%d.sql", lastReleased))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for line := range strings.SplitSeq(string(b), "\n") {
		token, isToken := strings.CutPrefix(line, "TOKEN ")
		switch {
		case isToken && token == "none":
			ctx = driver.Context(t.Context(), driver.WithSettings(driver.Settings{"async_insert": 0}))
		case isToken:
			ctx = withToken(t.Context(), token)
		case strings.HasPrefix(line, "INSERT"):
			statement := strings.TrimSuffix(line, ";")
			if err := conn.Exec(ctx, statement); err != nil {
				t.Fatalf("%.60s: %v", statement, err)
			}
			statements = append(statements, statement)
		}
	}
	return statements
}

// TestDowngradeIsRefused: a program that is older than the tables says so, whoever asks.
func TestDowngradeIsRefused(t *testing.T) {
	s := newStore(t)
	if err := s.CheckSchema(t.Context()); err != nil {
		t.Fatalf("the program's own schema: %v", err)
	}
	mustExec(t, s.raw(t, s.engine.Admin()), "INSERT INTO goose_db_version (version_id, is_applied) SETTINGS async_insert = 0 VALUES (9999, 1)")
	admin := s.asAdmin(t)
	for name, err := range map[string]error{"checked": s.CheckSchema(t.Context()), "migrated": admin.Migrate(t.Context())} {
		var newer *clickhouse.NewerError
		if !errors.As(err, &newer) || newer.Schema != 9999 || newer.Code != "test" || newer.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

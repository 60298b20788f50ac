package clickhouse_test

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/sql"
)

func TestMigrateTwice(t *testing.T) {
	s := newStore(t)
	admin := s.open(t, s.engine.Addr(), s.engine.Admin())
	if err := admin.Migrate(t.Context()); err != nil {
		t.Errorf("the second time: %v", err)
	}
	files, err := fs.Glob(sql.Migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	newest := path.Base(files[len(files)-1])
	if v, err := s.SchemaVersion(t.Context()); err != nil || !strings.HasPrefix(newest, fmt.Sprintf("%05d_", v)) {
		t.Errorf("schema version %d, %v; want that of %s", v, err, newest)
	}
}

// Every migration can be undone, and done again after that.
func TestMigrationsGoDown(t *testing.T) {
	s := newStore(t)
	admin := s.raw(t, s.engine.Admin())
	files, err := fs.Glob(sql.Migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for i := len(files) - 1; i >= 0; i-- {
		_, down, ok := strings.Cut(s.rendered(t, files[i], clickhouse.Config{}), "-- +goose Down")
		if !ok {
			t.Fatalf("%s has no way down", files[i])
		}
		for _, ddl := range strings.Split(down, ";\n") {
			if strings.TrimSpace(ddl) == "" {
				continue
			}
			if err := admin.Exec(t.Context(), ddl); err != nil {
				t.Errorf("%s: %v", files[i], err)
			}
		}
	}
	left := s.query(t, admin, "SELECT name FROM system.tables WHERE database = currentDatabase()", nil, nil)
	if diff := gocmp.Diff([]string{"goose_db_version"}, left); diff != "" {
		t.Errorf("tables that are left (-want +got):\n%s", diff)
	}
}

func (s store) rendered(t testing.TB, name string, cfg clickhouse.Config) string {
	t.Helper()
	b, err := fs.ReadFile(sql.Migrations, name)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Database = s.database
	out, err := cfg.Render(name, b)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// No replica can be run here, so the statements are held as text.
func TestMigrationsOfReplicas(t *testing.T) {
	s := store{database: "assay"}
	engines := regexp.MustCompile(`ENGINE = \w+\(.*\)`)
	windows := regexp.MustCompile(`\w*_deduplication_window = \d+`)
	cfg := clickhouse.Config{Replicated: true, Dictionary: "USER 'd' PASSWORD 'p'"}
	var found []string
	for _, file := range []string{"migrations/00001_events.sql", "migrations/00002_ledger.sql", "migrations/00003_records.sql"} {
		text := s.rendered(t, file, cfg)
		found = append(found, engines.FindAllString(text, -1)...)
		found = append(found, windows.FindAllString(text, -1)...)
		found = append(found, regexp.MustCompile(`SOURCE\(CLICKHOUSE\(.*`).FindAllString(text, -1)...)
	}
	want := []string{
		"ENGINE = ReplicatedReplacingMergeTree()", // events
		"ENGINE = ReplicatedReplacingMergeTree()", // dead_letters
		"ENGINE = ReplicatedReplacingMergeTree()", // unit_names
		"ENGINE = ReplicatedMergeTree()",          // ledger
		"ENGINE = ReplicatedReplacingMergeTree(at)",
		"replicated_deduplication_window = 10000",
		"SOURCE(CLICKHOUSE(USER 'd' PASSWORD 'p' QUERY '",
		"ENGINE = ReplicatedMergeTree()", // configurations
		"ENGINE = ReplicatedMergeTree()", // decisions
		"ENGINE = ReplicatedReplacingMergeTree(decision)",
		"replicated_deduplication_window = 10000",
		"replicated_deduplication_window = 10000",
		"SOURCE(CLICKHOUSE(USER 'd' PASSWORD 'p' DB 'assay' TABLE 'chain_heads'))",
	}
	if diff := gocmp.Diff(want, found); diff != "" {
		t.Errorf("engines (-want +got):\n%s", diff)
	}
}

// examples are values for the parameters of queries, by type.
var examples = map[string]any{
	"UInt16": uint16(1), "Int32": int32(1), "UInt32": uint32(1), "UInt64": uint64(1), "Int64": int64(1), "UInt128": "1", "Float64": 0.5, "Array(UInt16)": []uint16{1}, "Array(UInt64)": []uint64{1}, "Array(UInt128)": []uint64{1},
	"String": "x", "Bool": true, "Array(String)": []string{"x"}, "Array(Int64)": []int64{1}, "Array(UInt32)": []uint32{1},
}

// Every file of queries runs as the writer, on tables with something in them.
func TestEveryQueryRuns(t *testing.T) {
	s := newStore(t)
	mustAppend(t, s.DB, part(1, 1, deltas(1, 1, 5)...))
	writer, admin := s.raw(t, s.engine.Writer()), s.raw(t, s.engine.Admin())
	files, err := fs.Glob(sql.Queries, "queries/*.sql")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d queries, %v", len(files), err)
	}
	parameter := regexp.MustCompile(`\{(\w+):([\w()]+)\}`)
	for _, file := range files {
		t.Run(path.Base(file), func(t *testing.T) {
			text, err := clickhouse.Statement(strings.TrimSuffix(path.Base(file), ".sql"))
			if err != nil {
				t.Fatal(err)
			}
			var params []any
			for _, m := range parameter.FindAllStringSubmatch(text, -1) {
				value, known := examples[m[2]]
				if !known {
					t.Fatalf("no example of type %s", m[2])
				}
				params = append(params, driver.Named(m[1], value))
			}
			conn := writer
			if path.Base(file) == "backup_progress.sql" { // who copies tables has an account of its own
				conn = admin
			}
			s.query(t, conn, text, params, nil)
			if plan := s.query(t, conn, "EXPLAIN "+text, params, nil); len(plan) == 0 {
				t.Error("no plan")
			}
		})
	}
}

// What people read is documented, column by column, and readable by the reader.
func TestViews(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	if err := s.AppendVersion(ctx, version(1, "a")); err != nil {
		t.Fatal(err)
	}
	withGap := part(0, 1,
		cell("m", "c", 0, ingest.Delta{N: 3, Sum: ingest.Int64(600), SumSquares: ingest.Int64(140_000)}), // y = 1, 2, 3 EUR
		cell(ingest.Units, "c", 0, ingest.Delta{N: 3}),
	)
	withGap.Offsets[0].Accepted, withGap.Offsets[0].Gap = 6, 4
	mustAppend(t, s.DB, withGap)
	events, dead := storedPlaces()
	events[0].Type, events[0].Experiment = ingest.Exposure, "nobody-knows"
	events[1].Experiment, events[1].Type = "e1", ingest.Exposure
	events[2].ID, events[3].ID = "again", "again" // at two times
	if err := s.AppendEvents(ctx, 0, names, events, dead); err != nil {
		t.Fatal(err)
	}
	if err := s.StoreLook(ctx, look(clickhouse.FullLook, thisHour())); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AppendDecision(ctx, decision("kill")); err != nil {
		t.Fatal(err)
	}

	analysis := look(analysisLook, thisHour())
	analysis.Document = []byte(`{"name":"long","author":"ann","number":2,"code":"test","definition":{"window":"14d"}}`)
	if err := s.StoreLook(ctx, analysis); err != nil {
		t.Fatal(err)
	}

	if err := s.StoreSignals(ctx, []clickhouse.SignalReading{{Experiment: "m", Iteration: 1, Signal: "p99", At: thisHour(), Value: 0.25}}); err != nil {
		t.Fatal(err)
	}

	reader := s.reader(t)
	admin := s.raw(t, s.engine.Admin())
	for who, conn := range map[string]native.Conn{"reader": reader, "admin": admin} {
		for _, view := range s.query(t, conn, "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'", nil, nil) {
			if rows := s.query(t, conn, "SELECT * FROM "+view, nil, nil); len(rows) == 0 {
				t.Errorf("view %s is empty for the %s", view, who)
			}
		}
	}
	undocumented := s.query(t, admin, `
		SELECT concat(database, '.', name) FROM system.tables WHERE database IN (currentDatabase(), {views:String}) AND name != 'goose_db_version' AND comment = ''
		UNION ALL
		SELECT concat(database, '.', table, '.', name) FROM system.columns
		WHERE database IN (currentDatabase(), {views:String}) AND comment = ''
			AND (database, table) IN (SELECT database, name FROM system.tables WHERE engine = 'View')`,
		[]any{driver.Named("views", clickhouse.ViewsOf(s.database))}, nil)
	if len(undocumented) > 0 {
		t.Errorf("without a comment: %v", undocumented)
	}

	// y of the three units are 1, 2 and 3 EUR: mean 2, standard deviation 1.
	got := s.query(t, reader, "SELECT experiment, variant, metric, units, mean, standard_deviation, round(standard_error, 6), unit FROM results", nil, nil)
	if diff := gocmp.Diff([]string{"e1\tc\tm\t3\t2\t1\t0.57735\tEUR"}, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	got = s.query(t, reader, "SELECT experiment, exposures, units, toUnixTimestamp(first_seen) FROM unknown_experiments", nil, nil)
	if diff := gocmp.Diff([]string{"nobody-knows\t1\t1\t0"}, got); diff != "" {
		t.Errorf("unknown experiments (-want +got):\n%s", diff)
	}
	got = s.query(t, reader, "SELECT topic, type, id, times, toUnixTimestamp(last_t) - toUnixTimestamp(first_t) FROM id_conflicts", nil, nil)
	if diff := gocmp.Diff([]string{"exposures\toutcome\tagain\t2\t1"}, got); diff != "" {
		t.Errorf("id conflicts (-want +got):\n%s", diff)
	}
	for query, want := range map[string]string{
		"SELECT shard, topic, seq, from_offset, next_offset, lost FROM gaps":                                        "0\texposures\t1\t0\t10\t4",
		"SELECT shard, seq, topic, from_offset, next_offset, accepted, gap FROM marks WHERE gap > 0":                "0\t1\texposures\t0\t10\t6\t4",
		"SELECT name, author, exploratory, number, definition FROM analyses":                                        "long\tann\ttrue\t2\t{\"window\":\"14d\"}",
		"SELECT groupUniqArray(kind) FROM looks":                                                                    "[full]",
		"SELECT groupUniqArray(kind) FROM latest_looks":                                                             "[full]",
		"SELECT number, author, length(hash), JSONExtractString(body, 'experiments', 1, 'key') FROM configurations": "1\ta\t64\te1",
	} {
		if diff := gocmp.Diff([]string{want}, s.query(t, reader, query, nil, nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// analysisLook is the kind of a stored exploratory analysis.
const analysisLook = clickhouse.AnalysisLook

func TestRights(t *testing.T) {
	s := newStore(t)
	mustAppend(t, s.DB, part(1, 1))
	conns := map[string]native.Conn{"writer": s.raw(t, s.engine.Writer())}
	for _, c := range []struct{ who, statement string }{
		{"writer", "ALTER TABLE ledger DROP CONSTRAINT append"},
		{"writer", "ALTER TABLE ledger DELETE WHERE 1"},
		{"writer", "ALTER TABLE ledger MODIFY SETTING non_replicated_deduplication_window = 0"},
		{"writer", "DELETE FROM events WHERE 1"},
		{"writer", "TRUNCATE TABLE ledger"},
		{"writer", "DROP TABLE decisions"},
		{"writer", "DROP DICTIONARY watermark"},
		{"writer", "CREATE TABLE mine (x Int8) ENGINE = Memory"},
	} {
		if err := conns[c.who].Exec(t.Context(), c.statement); code(err) != accessDenied {
			t.Errorf("%s, %s: %v", c.who, c.statement, err)
		}
	}
}

package clickhouse_test

import (
	"slices"
	"strings"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/clickhouse"
)

// Codes of the server's refusals.
const (
	readOnly       = 164
	constraintHurt = 452
	noSuchTables   = 636 // merge() sees none that the account may see
	timeExceeded   = 159
	memoryExceeded = 241
	impersonateOff = 344
)

// TestReaderSees: the catalogue of the reading account holds the documented views
// and no name of anything else.
func TestReaderSees(t *testing.T) {
	s := newStore(t)
	views := clickhouse.ViewsOf(s.database)
	want := []string{
		"analyses", "configurations", "dead_letters", "decisions", "exposures", "gaps", "id_conflicts", "latest_looks", "looks", "marks",
		"metrics", "moments", "outcomes", "results", "shards", "signals", "units", "unknown_experiments",
	}
	for _, query := range []string{
		"SHOW TABLES FROM " + views,
		"SELECT name FROM system.tables WHERE database = '" + views + "' ORDER BY name",
		"SELECT DISTINCT table FROM system.columns WHERE database LIKE 'assay%' AND database NOT LIKE 'assay_sql_test%' OR database = '" + views + "' ORDER BY table",
	} {
		if diff := gocmp.Diff(want, s.query(t, s.reader(t), query, nil, nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if got := s.query(t, s.reader(t), "SELECT count() FROM system.tables WHERE database = '"+s.database+"'", nil, nil); !slices.Equal(got, []string{"0"}) {
		t.Errorf("the reader sees %s tables of the ledger's database", got)
	}
}

// TestReaderIsRefused tries every way out of the views that is known.
func TestReaderIsRefused(t *testing.T) {
	s := newStore(t)
	mustAppend(t, s.DB, part(1, 1))
	refused := map[int32][]string{
		accessDenied: {
			// Table functions that reach files, the network, programs or other tables.
			"SELECT * FROM url('http://127.0.0.1:1/', 'TSV', 'a String')",
			"SELECT * FROM file('/etc/passwd', 'LineAsString')",
			"SELECT * FROM remote('127.0.0.1', 'DB', 'events')",
			"SELECT * FROM remote('127.0.0.1', 'DB', 'events', 'writer', 'x')",
			"SELECT * FROM s3('http://127.0.0.1:1/x.csv')",
			"SELECT * FROM executable('id', 'TSV', 'a String')",
			"SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
			"SELECT * FROM sqlite('/tmp/x', 'y')",
			"SELECT * FROM dictionary('DB.watermark')",
			"SELECT * FROM loop(DB.events)",
			"SELECT * FROM mergeTreeIndex('DB', 'ledger')",
			"SELECT * FROM mergeTreeProjection('DB', 'ledger', 'look')",
			"INSERT INTO FUNCTION file('/tmp/x', 'TSV', 'a String') VALUES ('a')",
			// What the server knows of itself.
			"SELECT * FROM system.processes", "SELECT * FROM system.users", "SELECT * FROM system.grants", "SELECT * FROM system.parts",
			"SELECT * FROM system.named_collections", "SELECT * FROM system.server_settings",
			"SELECT * FROM system.dictionaries WHERE 1", "SELECT * FROM information_schema.tables", "SHOW PROCESSLIST", "SHOW ACCESS",
			"SHOW CREATE USER writer", "SHOW GRANTS FOR writer",
			// Tables behind the views, and what else lies there.
			"SELECT * FROM DB.events", "SELECT * FROM DB.ledger", "SELECT * FROM DB.decisions", "SELECT * FROM DB.looks", "SELECT * FROM DB.unit_names",
			"SELECT * FROM DB.configurations", "SELECT * FROM DB.goose_db_version", "SELECT count() FROM DB.unit_keys", "SELECT * FROM DB.chain_heads",
			"SHOW CREATE TABLE DB.ledger", "DESCRIBE TABLE DB.unit_names", "EXISTS TABLE DB.ledger", "CHECK TABLE DB.ledger",
			"EXPLAIN SELECT * FROM DB.ledger", "EXPLAIN ESTIMATE SELECT * FROM DB.ledger",
			"WITH x AS (SELECT * FROM DB.events) SELECT * FROM x", "SELECT (SELECT count() FROM DB.events)", "SELECT 1 WHERE 1 IN DB.proven",
			"SELECT 1 FROM results AS r INNER JOIN DB.ledger AS l ON r.experiment = l.experiment",
			"SELECT dictGet('DB.watermark', 'seq', toUInt64(1))", "SELECT dictHas('DB.chain_head', toUInt64(1))",
			// Writing and making.
			"INSERT INTO results (experiment) VALUES ('x')", "INSERT INTO DB.events (shard) VALUES (1)", "INSERT INTO DB.ledger (shard) VALUES (1)",
			"DROP VIEW results", "DROP DATABASE DB", "ALTER TABLE DB.ledger DELETE WHERE 1", "ALTER TABLE results MODIFY SQL SECURITY NONE",
			"TRUNCATE TABLE DB.events", "OPTIMIZE TABLE DB.events", "DELETE FROM DB.events WHERE 1", "RENAME TABLE results TO mine",
			"CREATE VIEW mine DEFINER = admin SQL SECURITY DEFINER AS SELECT * FROM DB.events", "CREATE TABLE mine (a Int8) ENGINE = Memory",
			"CREATE TEMPORARY TABLE mine (a Int8)", "CREATE DICTIONARY mine (a UInt64) PRIMARY KEY a SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)",
			"CREATE FUNCTION mine AS x -> x", "CREATE NAMED COLLECTION mine AS a = 1",
			// Becoming somebody else.
			"GRANT SELECT ON DB.* TO reader", "GRANT SELECT ON *.* TO reader WITH GRANT OPTION", "CREATE USER mine", "CREATE ROLE mine",
			"ALTER USER reader DEFAULT ROLE ALL", "CREATE ROW POLICY p ON DB.events TO reader", "CREATE SETTINGS PROFILE p", "CREATE QUOTA q",
			"KILL QUERY WHERE user = 'writer'", "SYSTEM STOP LISTEN TCP", "SYSTEM RELOAD DICTIONARIES", "BACKUP DATABASE DB TO Disk('d', 'b')",
			"SELECT demangle('x') SETTINGS allow_introspection_functions = 1",
		},
		readOnly: {
			"SET readonly = 0", "SET readonly = 1", "SELECT 1 SETTINGS readonly = 0", "SELECT 1 SETTINGS profile = 'writer', readonly = 0",
		},
		constraintHurt: {
			"SET max_memory_usage = 0", "SET max_memory_usage = 4000000000", "SET max_execution_time = 0", "SET max_execution_time = 601",
			"SELECT 1 SETTINGS max_memory_usage = 0", "SELECT 1 SETTINGS max_execution_time = 100000", "SET timeout_overflow_mode = 'break'",
			"SET log_queries = 0", "SET send_logs_level = 'trace'", "SET max_temporary_data_on_disk_size_for_user = 0",
			"SELECT 1 SETTINGS profile = 'writer', max_memory_usage = 0", "SELECT 1 SETTINGS profile = 'default', max_execution_time = 0",
		},
		noSuchTables: {
			"SELECT * FROM merge('DB', '^events$')", "SELECT * FROM merge(REGEXP('^assay.*'), '^ledger$')",
		},
		timeExceeded:   {"SELECT sum(number) FROM numbers(1000000000000) SETTINGS max_execution_time = 1"},
		memoryExceeded: {"SELECT groupArray(number) FROM numbers(1000000000)"},
		impersonateOff: {"EXECUTE AS admin SELECT 1"},
	}
	reader := s.reader(t)
	for want, statements := range refused {
		for _, statement := range statements {
			statement = strings.ReplaceAll(statement, "DB", s.database)
			if err := reader.Exec(t.Context(), statement); code(err) != want {
				t.Errorf("%s: %v, want code %d", statement, err, want)
			}
		}
	}
	// Nobody else's: the grants are those of the views.
	for _, grant := range s.query(t, reader, "SHOW GRANTS", nil, nil) {
		if !strings.HasPrefix(grant, "GRANT SELECT ON assay_sql*.* TO") && !strings.HasPrefix(grant, "GRANT SELECT ON assay.") || strings.Contains(grant, "assay.*") {
			t.Errorf("the reader has %s", grant)
		}
	}
}

// TestReaderKeepsItsLimits: a session that puts on another profile is still held to
// the limits of its own.
func TestReaderKeepsItsLimits(t *testing.T) {
	s := newStore(t)
	who := s.engine.Reader()
	conn, err := driver.Open(&driver.Options{
		Addr: []string{s.engine.Addr()}, MaxOpenConns: 1,
		Auth: driver.Auth{Database: clickhouse.ViewsOf(s.database), Username: who.Name, Password: who.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	must(t, conn, "SET profile = 'writer'")
	for statement, want := range map[string]int32{
		"SET max_memory_usage = 0": constraintHurt, "SET max_execution_time = 0": constraintHurt, "SET readonly = 0": readOnly,
		"SELECT groupArray(number) FROM numbers(1000000000)":       memoryExceeded,
		"INSERT INTO " + s.database + ".events (shard) VALUES (1)": accessDenied,
	} {
		if err := conn.Exec(t.Context(), statement); code(err) != want {
			t.Errorf("%s: %v, want code %d", statement, err, want)
		}
	}
	// The limits hold inside a view, too, which reads with the rights of somebody else.
	err = conn.Exec(t.Context(), "SELECT sleepEachRow(1) FROM exposures FULL JOIN numbers(100) AS n ON 1 = 1 SETTINGS max_execution_time = 1, max_block_size = 1, function_sleep_max_microseconds_per_block = 0")
	if code(err) != timeExceeded {
		t.Errorf("a long query over a view: %v", err)
	}
}

func must(t *testing.T, conn native.Conn, statement string) {
	t.Helper()
	if err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	store "github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// accessDenied is the server's code of a right that is not granted.
const accessDenied = 497

// migration is done once, by the compose file's own command.
var migration struct {
	once sync.Once
	out  string
	err  error
}

// environment is what the compose file's processes find in theirs.
func environment() []string {
	return []string{
		"ASSAY_ADMIN_PASSWORD=" + password, "ASSAY_CLICKHOUSE_PASSWORD=" + password,
		"ASSAY_UNIT_KEY=000102030405060708090a0b0c0d0e0f",
	}
}

// migrated is the engine's address after the compose service migrate.
func migrated(t *testing.T) string {
	t.Helper()
	addr, binary := clickhouse(t), assay(t)
	args := atHome(t, services(t)["migrate"].arguments(t), addr, nil)
	migration.once.Do(func() { migration.out, migration.err = run(t.Context(), binary, environment(), args...) })
	if migration.err != nil {
		t.Fatalf("migrate: %v\n%s", migration.err, migration.out)
	}
	return addr
}

// atHome makes a command of the compose file run here: its configuration with
// folders and a port of ours, the addresses of the test's servers.
func atHome(t *testing.T, args []string, engine string, brokers []string) []string {
	t.Helper()
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer(
		"/var/lib/assay", dir, "/etc/assay", filepath.Join(here, "testdata"), "0.0.0.0:8344", "127.0.0.1:0",
	).Replace(string(read(t, "compose/assay.yaml")))
	config = regexp.MustCompile(`(?m)^notify:\n(?:  .*\n)+`).ReplaceAllString(config, "") // there is nobody to tell
	file := filepath.Join(dir, "assay.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	out := []string{"--clickhouse", engine}
	for _, b := range brokers {
		out = append(out, "--kafka", b)
	}
	for _, a := range args {
		out = append(out, strings.ReplaceAll(a, "/etc/assay/assay.yaml", file))
	}
	return out
}

// readersViews asks every view that people have.
func readersViews() []string {
	return []string{
		"SELECT * FROM assay.metrics", "SELECT * FROM assay.moments", "SELECT * FROM assay.results", "SELECT * FROM assay.units",
		"SELECT * FROM assay.exposures", "SELECT * FROM assay.outcomes", "SELECT * FROM assay.decision_log", "SELECT * FROM assay.latest_looks",
		"SELECT * FROM assay.versions", "SELECT * FROM assay.shards", "SELECT * FROM assay.gaps", "SELECT * FROM assay.unknown_experiments", "SELECT * FROM assay.id_conflicts",
		"SELECT * FROM assay_sql.results", "SELECT * FROM assay_sql.decisions", "SELECT * FROM assay_sql.configurations",
		"SELECT * FROM assay_sql.dead_letters", "SELECT * FROM assay_sql.exposures", "SELECT * FROM assay_sql.marks",
	}
}

// TestRights tries, as each account, what it must be able to do and what it must
// not. Every refusal is the server's for want of a right, and no other error.
func TestRights(t *testing.T) {
	addr := migrated(t)
	const table, values = "assay.unit_names (unit, unit_kind, id)", "VALUES (1, 'user', 'u')"
	for user, rights := range map[string]struct{ may, mayNot []string }{
		"assay_admin": {
			may: []string{
				"CREATE TABLE assay.of_the_test (a Int8) ENGINE = ReplacingMergeTree ORDER BY a",
				"ALTER TABLE assay.of_the_test ADD COLUMN b Int8", "DROP TABLE assay.of_the_test",
				"SELECT count() FROM assay.ledger",
			},
			mayNot: []string{
				"SELECT * FROM system.users", "CREATE DATABASE other", "CREATE USER u", "GRANT SELECT ON assay.* TO assay_reader",
				"SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')", "SELECT * FROM file('x.csv', 'CSV', 'a String')",
				"SYSTEM SHUTDOWN",
			},
		},
		"assay_writer": {
			may: []string{
				"INSERT INTO " + table + " " + values, "SELECT count() FROM assay.results",
				"SELECT count() FROM system.processes", "SELECT count() FROM system.parts",
				"SELECT dictGet('assay.chain_head', 'seq', toUInt64(1))", "SELECT dictGet('assay.watermark', 'seq', toUInt64(0))",
			},
			mayNot: []string{
				"ALTER TABLE assay.ledger DROP CONSTRAINT append", "ALTER TABLE assay.ledger DELETE WHERE 1", "DELETE FROM assay.events WHERE 1",
				"ALTER TABLE assay.events DROP PARTITION 197001", "TRUNCATE TABLE assay.events", "DROP TABLE assay.ledger", "DROP DATABASE assay",
				"OPTIMIZE TABLE assay.events", "CREATE TABLE assay.x (a Int8) ENGINE = Memory", "CREATE DATABASE other",
				"SELECT * FROM system.users", "SELECT * FROM system.named_collections", "SYSTEM SHUTDOWN",
				"SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')", "SELECT * FROM file('x.csv', 'CSV', 'a String')",
				"INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'CSV', 'a String') SELECT 'a'",
			},
		},
		"assay_backup": {
			may: []string{"BACKUP TABLE assay.unit_names TO File('rights')", "SELECT count() FROM assay.ledger", "SELECT count() FROM system.backups"},
			mayNot: []string{
				"INSERT INTO " + table + " " + values, "RESTORE TABLE assay.unit_names AS assay.x FROM File('rights')",
				"RESTORE TABLE assay.unit_names FROM File('rights') SETTINGS allow_non_empty_tables = 1",
				"TRUNCATE TABLE assay.backups", "DROP TABLE assay.ledger", "BACKUP TABLE system.users TO File('users')", "SELECT * FROM system.users",
			},
		},
		"assay_reader": {
			may: append(readersViews(), "SELECT 1 SETTINGS max_threads = 1"),
			mayNot: []string{
				"INSERT INTO " + table + " " + values, "ALTER TABLE assay.ledger DELETE WHERE 1", "CREATE TEMPORARY TABLE x (a Int8)",
				"SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')", "SELECT * FROM file('x.csv', 'CSV', 'a String')",
				"SELECT * FROM remote('127.0.0.1:1', assay.events)", "SELECT * FROM s3('http://127.0.0.1:1/x.csv')",
				"SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')", "SELECT * FROM postgresql(assay_dictionary, table = 'x')",
				"SELECT * FROM executable('x', 'CSV', 'a String')",
				"SELECT * FROM system.users", "SELECT * FROM system.processes",
				"SELECT * FROM system.named_collections", "SELECT * FROM information_schema.tables",
				"SELECT * FROM assay.ledger", "SELECT * FROM assay.events", "SELECT * FROM assay.decisions", "SELECT * FROM assay.looks",
				"SELECT * FROM assay.unit_names", "SELECT * FROM assay.unit_keys", "SELECT dictGet('assay.chain_head', 'seq', toUInt64(1))",
			},
		},
		"assay_dictionary": {
			may:    []string{"SELECT count() FROM assay.chain_heads"},
			mayNot: []string{"SELECT * FROM system.users", "INSERT INTO " + table + " " + values, "SELECT dictGet('assay.chain_head', 'seq', toUInt64(1))"},
		},
	} {
		conn := as(t, addr, user)
		for _, statement := range rights.may {
			if err := conn.Exec(t.Context(), statement); err != nil {
				t.Errorf("%s may not: %s: %v", user, statement, err)
			}
		}
		for _, statement := range rights.mayNot {
			var refused *driver.Exception
			if err := conn.Exec(t.Context(), statement); !errors.As(err, &refused) || refused.Code != accessDenied {
				t.Errorf("%s is not refused: %s: %v", user, statement, err)
			}
		}
	}
}

// TestGuideQueries runs every query of the guides as the account that people on
// call have.
func TestGuideQueries(t *testing.T) {
	conn := as(t, migrated(t), "assay_writer")
	n := 0
	for _, guide := range guides(t) {
		for _, q := range regexp.MustCompile("`(SELECT [^`]+)`").FindAllSubmatch(read(t, guide), -1) {
			n++
			if err := conn.Exec(t.Context(), string(q[1])); err != nil {
				t.Errorf("%s: %s: %v", filepath.Base(guide), q[1], err)
			}
		}
	}
	if n < 10 {
		t.Fatalf("found only %d queries", n)
	}
}

// TestReaderCannotUnlockItself: readonly is what keeps settings from being a way
// around a right, and it cannot be left; nor can the limits on time and memory.
func TestReaderCannotUnlockItself(t *testing.T) {
	heldBack(t, as(t, migrated(t), "assay_reader"))
}

func heldBack(t *testing.T, conn native.Conn) {
	t.Helper()
	for _, statement := range []string{
		"SET readonly = 0", "SELECT 1 SETTINGS readonly = 0", "SELECT 1 SETTINGS profile = 'default', readonly = 0",
		"SELECT 1 SETTINGS max_memory_usage = 0", "SELECT 1 SETTINGS max_execution_time = 0", "SELECT 1 SETTINGS max_execution_time = 601",
		"SELECT 1 SETTINGS log_queries = 0", "SELECT groupArray(number) FROM numbers(1000000000)",
		"SELECT sum(number) FROM numbers(1000000000000) SETTINGS max_execution_time = 1",
	} {
		if err := conn.Exec(t.Context(), statement); err == nil {
			t.Errorf("the reader may: %s", statement)
		}
	}
}

// TestWriterAppends writes one link to each kind of chain: the constraints read
// the dictionaries, and these log in as the account of config.xml.
func TestWriterAppends(t *testing.T) {
	addr := migrated(t)
	db, err := store.Open(t.Context(), store.Config{Addr: []string{addr}, User: "assay_writer", Password: password, Code: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	const shard = 4000 // no shard of TestProcesses
	part := ingest.Part{Shard: shard, Seq: 1, Config: 1, Offsets: []ingest.Counts{{From: 0, Next: 3, Accepted: 3}}}
	appended, err := db.AppendPart(ctx, []store.Topic{{Name: "assay.exposures"}}, part)
	if err != nil || appended != store.Committed {
		t.Fatalf("append a part: %v, %v", appended, err)
	}
	mark, err := db.LastMark(ctx, shard)
	if err != nil || mark.Seq != 1 {
		t.Errorf("the part's mark is %+v, %v", mark, err)
	}
	if _, err := db.AppendDecision(ctx, store.Decision{
		At: time.UnixMilli(1), Experiment: "x", Kind: "decided", Actor: "test", Code: "test", Evidence: json.RawMessage("{}"),
	}); err != nil {
		t.Fatalf("append a decision: %v", err)
	}
	if c, err := db.VerifyDecisions(ctx, ""); err != nil || c.Decisions == 0 {
		t.Errorf("the decision log holds %d lines: %v", c.Decisions, err)
	}
}

// TestProcesses runs the compose file's apply, ingest and guard against a broker
// and the engine: an exposure that a producer sends is counted, and a reader
// sees it. Then each process is ready, and stops when it is told to.
func TestProcesses(t *testing.T) {
	addr := migrated(t)
	k := embeddedtest.Kafka(t, []string{"assay.exposures", "assay.outcomes", "assay.deadletters"}, 2)
	brokers, all := []string{k.Addr()}, services(t)
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	if out, err := run(ctx, assay(t), environment(), atHome(t, all["apply"].arguments(t), addr, nil)...); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
	doors := map[string]string{}
	for _, name := range []string{"ingest", "guard", "serve"} {
		doors[name] = start(ctx, t, atHome(t, all[name].arguments(t), addr, brokers)...)
	}
	expose(ctx, t, brokers, "u-1")

	reader := as(t, addr, "assay_reader")
	eventually(ctx, t, "the exposure is counted", func() error {
		var units int64
		if err := reader.QueryRow(ctx, "SELECT sum(units) FROM assay.units WHERE experiment = 'button'").Scan(&units); err != nil {
			return err
		}
		if units != 1 {
			return fmt.Errorf("%d units", units)
		}
		return nil
	})
	for name, door := range doors {
		eventually(ctx, t, name+" is ready", func() error { return get(ctx, "http://"+door+"/readyz", "") })
	}
	for path, of := range map[string][]string{"/healthz": {"ingest", "guard", "serve"}, "/readyz?part=assignment": {"serve"}, "/readyz?part=guard": {"guard"}, "/readyz?part=consumer": {"ingest"}} {
		for _, name := range of {
			if err := get(ctx, "http://"+doors[name]+path, ""); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	eventually(ctx, t, "the guard looks", func() error {
		return get(ctx, "http://"+doors["guard"]+"/metrics", "assay_guard_look_seconds_count")
	})
	if err := get(ctx, "http://"+doors["ingest"]+"/metrics", `assay_ingest_shard_ok{shard="1"} 1`); err != nil {
		t.Error(err)
	}
}

// start runs a process until the test ends and returns the address of its door.
func start(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(assay(t), args...)
	cmd.Env = append(os.Environ(), environment()...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("assay %v: %v\n%s", args, err, read(t, log.Name()))
		}
	})
	var door string
	eventually(ctx, t, "the process serves", func() error {
		said := read(t, log.Name())
		m := regexp.MustCompile(`msg=serving address=(\S+)`).FindSubmatch(said)
		if m == nil {
			return fmt.Errorf("it says: %s", said)
		}
		door = string(m[1])
		return nil
	})
	return door
}

// expose sends one exposure as any producer would.
func expose(ctx context.Context, t *testing.T, brokers []string, unit string) {
	t.Helper()
	p, err := kafka.NewProducer(kafka.ProducerConfig{Brokers: brokers, Exposures: "assay.exposures", Outcomes: "assay.outcomes"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	event := fmt.Sprintf(`{"type":"exposure","id":"1","ts":%d,"unit":%q,"experiment":"button","variant":"treatment"}`, time.Now().UnixMilli(), unit)
	if err := p.Produce(ctx, ingest.Exposure, unit, []byte(event)); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

package deploy_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/assay-dev/assay/ingest"
	store "github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
	"github.com/assay-dev/assay/internal/results"
)

// TestClusterFiles gives two servers the files of deploy/clickhouse, those of several
// servers among them, with the hosts of the test: tables, rights, reading over both,
// backup and restore are as the guide says.
func TestClusterFiles(t *testing.T) {
	library, binary := embeddedtest.Library(t), assay(t)
	var ports, addrs []string
	for range 2 {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
	}
	const place = "</host>\n                    <port>9000"
	var stops []func()
	for _, port := range ports {
		addr, stop, err := startEngineOn(library, port, map[string]string{
			"clickhouse/cluster.xml": "config.d/cluster.xml", "clickhouse/cluster-user.xml": "users.d/cluster-user.xml",
		}, "clickhouse-a"+place, "127.0.0.1</host><port>"+ports[0], "clickhouse-b"+place, "127.0.0.1</host><port>"+ports[1])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		addrs, stops = append(addrs, addr), append(stops, stop)
		admin, err := dial(addr, "assay_admin", "default")
		if err != nil {
			t.Fatal(err)
		}
		if err := admin.Exec(t.Context(), "CREATE DATABASE assay_node"); err != nil { // as makeDatabase
			t.Fatal(err)
		}
		_ = admin.Close()
	}
	file := filepath.Join(t.TempDir(), "assay.yaml")
	config := fmt.Sprintf(`data: %s
listen: 127.0.0.1:0
clickhouse:
  addresses: [%q]
  user: assay_writer
  password: {env: ASSAY_CLICKHOUSE_PASSWORD}
  cluster: assay
  nodes:
    - {name: a, addresses: [%q]}
    - {name: b, addresses: [%q]}
`, t.TempDir(), addrs[0], addrs[0], addrs[1])
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) string {
		t.Helper()
		out, err := run(t.Context(), binary, append(environment(), "ASSAY_BACKUP_PASSWORD="+password), append([]string{"--config", file, "--json"}, args...)...)
		if err != nil {
			t.Fatalf("assay %v: %v\n%s", args, err, out)
		}
		return out
	}
	asAdmin := []string{"--user", "assay_admin", "--password-env", "ASSAY_ADMIN_PASSWORD"}
	command(append([]string{"migrate"}, asAdmin...)...)

	db, err := store.Open(t.Context(), store.Config{Addr: addrs[:1], User: "assay_writer", Password: password, Code: "test",
		Nodes: []store.Node{{Name: "a", Addr: addrs[:1]}, {Name: "b", Addr: addrs[1:]}}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	appendParts := func(seq uint64) {
		t.Helper()
		for shard := range uint16(2) {
			part := ingest.Part{Shard: shard, Seq: seq, Offsets: []ingest.Counts{{From: int64(3 * seq), Next: int64(3*seq + 3), Accepted: 3}}}
			if appended, err := db.AppendPart(t.Context(), []store.Topic{{Name: "assay.exposures"}}, part); err != nil || appended != store.Committed {
				t.Fatalf("append part %d of shard %d: %v, %v", seq, shard, appended, err)
			}
		}
	}
	appendParts(1)
	if err := db.WriteStatus(t.Context(), []results.ShardStatus{{Shard: 0, State: "ok"}, {Shard: 1, State: "ok"}}); err != nil {
		t.Errorf("status: %v", err)
	}
	if held, err := db.NodeShards(t.Context()); err != nil || len(held) != 2 || len(held[0].Shards) != 1 || len(held[1].Shards) != 1 {
		t.Errorf("shards of the nodes: %+v, %v", held, err)
	}

	reader := as(t, addrs[0], "assay_reader")
	for _, statement := range readersViews() {
		if err := reader.Exec(t.Context(), statement); err != nil {
			t.Errorf("the reader: %s: %v", statement, err)
		}
	}
	marks := func() (n uint64, err error) {
		err = reader.QueryRow(t.Context(), "SELECT count() FROM assay_sql.marks").Scan(&n)
		return n, err
	}
	if n, err := marks(); err != nil || n != 2 {
		t.Errorf("%d marks on both servers, %v", n, err)
	}
	cluster := as(t, addrs[0], "assay_cluster")
	if err := cluster.Exec(t.Context(), "SELECT * FROM assay_node.ledger"); err != nil {
		t.Errorf("a server of another: %v", err)
	}
	for _, statement := range []string{"SELECT * FROM system.users", "INSERT INTO assay_node.losses SELECT * FROM assay_node.losses", "DROP TABLE assay_node.ledger", "SELECT * FROM assay.decisions"} {
		var refused *driver.Exception
		if err := cluster.Exec(t.Context(), statement); !errors.As(err, &refused) || refused.Code != accessDenied {
			t.Errorf("a server of another is not refused: %s: %v", statement, err)
		}
	}

	command("backup", "--name", "of-both", "--user", "assay_backup", "--password-env", "ASSAY_BACKUP_PASSWORD")
	appendParts(2)
	for _, more := range [][]string{nil, {"--all"}} {
		out := command(append(append([]string{"restore", "of-both"}, asAdmin...), more...)...)
		ledgers := ""
		for _, r := range restored(t, out) {
			if r.Table == "ledger" {
				ledgers += r.Node + " " + r.How + ";"
			}
		}
		if ledgers != "a exchanged;b exchanged;" {
			t.Errorf("restore %v: %s", more, out)
		}
		if n, err := marks(); err != nil || n != 2 {
			t.Errorf("%d marks after restore %v, %v", n, more, err)
		}
	}
	appendParts(2)

	stops[1]()
	_, err = marks()
	if away, ok := errors.AsType[*driver.Exception](err); !ok || away.Code != 279 {
		t.Errorf("without one of them: %v", err)
	}
	if _, err := db.NodeShards(t.Context()); !errors.Is(err, store.ErrNodeAway) {
		t.Errorf("without one of them: %v", err)
	}
}

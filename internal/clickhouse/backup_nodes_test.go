package clickhouse_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// TestBackupHoldsEveryTableOfNodes: what lies on nodes is among what is backed up.
func TestBackupHoldsEveryTableOfNodes(t *testing.T) {
	for _, table := range clickhouse.OnNodes() {
		if !slices.Contains(clickhouse.BackedTables(), table) {
			t.Errorf("no backup holds table %s of the nodes", table)
		}
	}
}

// TestBackupNodes: what two nodes and home hold comes back to where it was, the ledgers
// alone or everything, also on nodes that lost all they had; each takes the next parts.
func TestBackupNodes(t *testing.T) {
	c := newNodes(t, 2)
	const shards = 3
	specs := populate(t, c.store, shards)
	backup := c.openAll(t, c.engine.Admin())
	made, err := backup.Backup(t.Context(), c.backupName("n"), here)
	if err != nil || made.State != clickhouse.BackupComplete || made.Bytes == 0 || len(made.Vector) != shards {
		t.Fatalf("%+v, %v", made, err)
	}
	if want := map[uint16]string{0: "a", 1: "b", 2: "a"}; !maps.Equal(made.Nodes, want) {
		t.Errorf("shards were on %v, want %v", made.Nodes, want)
	}
	if all, err := c.Backups(t.Context()); err != nil || len(all) != 1 || !maps.Equal(all[0].Nodes, made.Nodes) || all[0].Bytes != made.Bytes {
		t.Errorf("backups %+v, %v", all, err)
	}
	want, err := c.Moments(t.Context(), specs)
	if err != nil {
		t.Fatal(err)
	}
	row := cell("m", "c", 60_000, ingest.Delta{N: 1, Sum: ingest.Int64(5)})
	restore := func(all bool) {
		t.Helper()
		done, err := c.admin.Restore(t.Context(), clickhouse.RestoreSpec{Name: made.Name, From: here, All: all})
		if err != nil {
			t.Fatal(err)
		}
		ledgers := map[string]string{}
		for _, r := range done {
			if r.Table == "ledger" {
				ledgers[r.Node] = r.How
			}
			if home := r.Node == ""; home == slices.Contains(clickhouse.OnNodes(), r.Table) {
				t.Errorf("%s was restored on %q", r.Table, r.Node)
			}
		}
		if !maps.Equal(ledgers, map[string]string{"a": clickhouse.Exchanged, "b": clickhouse.Exchanged}) {
			t.Errorf("ledgers: %v", ledgers)
		}
		got, err := c.Moments(t.Context(), specs)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got.Vector, want.Vector) || len(got.Cells) != len(want.Cells) {
			t.Errorf("shards stand at %v with %d cells, want %v with %d", got.Vector, len(got.Cells), want.Vector, len(want.Cells))
		}
		if faults, err := c.CheckChain(t.Context()); err != nil || len(faults) > 0 {
			t.Errorf("%+v, %v", faults, err)
		}
		v, err := c.Verify(t.Context(), clickhouse.VerifySpec{Slice: 400})
		if err != nil {
			t.Fatal(err)
		}
		report(t, v)
	}
	for shard := range uint16(shards) {
		mustAppend(t, c.DB, part(shard, made.Vector[shard]+1, row))
	}
	restore(false)
	for shard := range uint16(shards) {
		mustAppend(t, c.DB, part(shard, made.Vector[shard]+1, row))
	}
	for _, e := range c.Engines { // as a server that lost its disk
		on := store{engine: e, database: clickhouse.NodeOf(c.database)}
		conn := on.raw(t, e.Admin())
		for _, table := range clickhouse.OnNodes() {
			mustExec(t, conn, "TRUNCATE TABLE "+table)
		}
	}
	restore(true)
}

// TestRestoreNodesRefuses: a backup of nodes does not go to one server, nor to where a
// shard has moved meanwhile, and one that is right on one node alone changes neither.
func TestRestoreNodesRefuses(t *testing.T) {
	c := newNodes(t, 2)
	mustVersion(t, c.DB)
	mustAppend(t, c.DB, part(0, 1), part(0, 2), part(0, 3), part(1, 1))
	refused := func(b clickhouse.Backup, want string) {
		t.Helper()
		if err := c.admin.NoteBackup(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		_, err := c.admin.Restore(t.Context(), clickhouse.RestoreSpec{Name: b.Name, From: here})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("restored: %v, want %q", err, want)
		}
		if m, err := c.LastMark(t.Context(), 1); err != nil || m.Seq != 1 {
			t.Errorf("shard 1 stands at %d, %v", m.Seq, err)
		}
	}
	made, err := c.admin.Backup(t.Context(), c.backupName("r"), here)
	if err != nil {
		t.Fatal(err)
	}
	moved := made
	moved.Nodes = map[uint16]string{0: "a", 1: "a"}
	refused(moved, "shard 1 was on node a in the backup and is on b")
	single := made
	single.Nodes = nil
	refused(single, "one server had all shards")
	longer := made
	longer.Vector = map[uint16]uint64{0: 3, 1: 9}
	refused(longer, "node b: the ledger that was restored is not right, the one in use is untouched: shard 1 ends with part 1")
	refused(longer, "node b: ")

	one := newStore(t)
	mustVersion(t, one.DB)
	many := made
	if err := one.asAdmin(t).NoteBackup(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if _, err := one.asAdmin(t).Restore(t.Context(), clickhouse.RestoreSpec{Name: many.Name, From: here}); err == nil || !strings.Contains(err.Error(), "here is one server") {
		t.Errorf("on one server: %v", err)
	}
}

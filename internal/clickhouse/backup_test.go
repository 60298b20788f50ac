package clickhouse_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

const here clickhouse.Destination = "File('{name}')"

// asAdmin is the store's database as who may change it.
func (s store) asAdmin(t *testing.T) *clickhouse.DB {
	return s.open(t, s.engine.Addr(), s.engine.Admin())
}

func (s store) backupName(n string) string { return strings.ReplaceAll(s.database, "_", "-") + "-" + n }

// TestBackupHoldsEveryTable: a table that is added later is backed up, or named here.
func TestBackupHoldsEveryTable(t *testing.T) {
	s := newStore(t)
	conn := s.raw(t, s.engine.Admin())
	rows, err := conn.Query(t.Context(), "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	held := slices.Concat(clickhouse.BackedTables(), []string{"shard_status", "guards", "goose_db_version"}) // what consumers and guards say each second, and what migrate knows
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(held, name) {
			t.Errorf("no backup holds table %s", name)
		}
	}
}

// TestRestoreLedger: the restored ledger is the one of the backup, takes the next part,
// and has its projections.
func TestRestoreLedger(t *testing.T) {
	s := newStore(t)
	admin := s.asAdmin(t)
	row := cell("m", "c", 60_000, ingest.Delta{N: 1, Sum: ingest.Int64(5)})
	mustVersion(t, s.DB)
	mustAppend(t, s.DB, part(0, 1, row), part(0, 2, row), part(1, 1, row))
	made, err := admin.Backup(t.Context(), s.backupName("a"), here)
	if err != nil || made.State != clickhouse.BackupComplete || made.Bytes == 0 || !maps.Equal(made.Vector, map[uint16]uint64{0: 2, 1: 1}) {
		t.Fatalf("%+v, %v", made, err)
	}
	all, err := s.Backups(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != made.Name || all[0].State != clickhouse.BackupComplete || all[0].Schema != made.Schema {
		t.Errorf("backups %+v, %v", all, err)
	}
	if _, err := admin.Backup(t.Context(), made.Name, here); err == nil {
		t.Error("a name is taken twice")
	}
	for range 2 {
		mustAppend(t, s.DB, part(0, 3, row), part(1, 2, row))
		done, err := admin.Restore(t.Context(), clickhouse.RestoreSpec{Name: made.Name, From: here})
		if err != nil || len(done) != 1 || done[0] != (clickhouse.Restored{Table: "ledger", Rows: 6, How: clickhouse.Exchanged}) {
			t.Fatalf("%+v, %v", done, err)
		}
		for shard, want := range map[uint16]uint64{0: 2, 1: 1} {
			if m, err := s.LastMark(t.Context(), shard); err != nil || m.Seq != want {
				t.Errorf("shard %d stands at %d, %v; want %d", shard, m.Seq, err, want)
			}
		}
	}
	mustAppend(t, s.DB, part(0, 3, row))
	if faults, err := s.CheckChain(t.Context()); err != nil || len(faults) > 0 {
		t.Errorf("%+v, %v", faults, err)
	}
	const sums = "SELECT sum(n) FROM ledger WHERE experiment = 'e1' GROUP BY experiment"
	conn := s.raw(t, s.engine.Writer())
	if with, without := scalar[int64](t, conn, sums), scalar[int64](t, conn, sums+" SETTINGS optimize_use_projections = 0"); with != 4 || without != 4 {
		t.Errorf("sums are %d, without projections %d; want 4", with, without)
	}
}

// TestRestoreRefuses: what is not right leaves the ledger in use untouched.
func TestRestoreRefuses(t *testing.T) {
	s := newStore(t)
	admin := s.asAdmin(t)
	mustVersion(t, s.DB)
	mustAppend(t, s.DB, part(0, 1), part(0, 2), part(0, 3))
	if _, err := s.UnitKey(t.Context(), "ours"); err != nil {
		t.Fatal(err)
	}
	conn := s.raw(t, s.engine.Admin())
	mustExec(t, conn, "ALTER TABLE ledger DELETE WHERE seq = 2 SETTINGS mutations_sync = 2")
	broken, err := admin.Backup(t.Context(), s.backupName("b"), here)
	if err != nil {
		t.Fatal(err)
	}
	restore := func(name string) string {
		t.Helper()
		_, err := admin.Restore(t.Context(), clickhouse.RestoreSpec{Name: name, From: here})
		if err == nil {
			t.Errorf("%s is restored", name)
			return ""
		}
		return err.Error()
	}
	if said := restore(broken.Name); !strings.Contains(said, "shard 0 is no chain") || !strings.Contains(said, "the one in use is untouched") {
		t.Errorf("a broken ledger: %s", said)
	}
	for name, change := range map[string]func(*clickhouse.Backup){
		"its tables are at schema 7": func(b *clickhouse.Backup) { b.Schema = 7 },
		"hashed under another key":   func(b *clickhouse.Backup) { b.UnitKey = "another" },
		"it is not complete: begun":  func(b *clickhouse.Backup) { b.State = clickhouse.BackupBegun },
	} {
		b := broken
		change(&b)
		if err := admin.NoteBackup(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if said := restore(b.Name); !strings.Contains(said, name) {
			t.Errorf("want %q, it says %s", name, said)
		}
	}
	restore("no-such-backup")
	if n := scalar[uint64](t, conn, "SELECT count() FROM ledger"); n != 2 {
		t.Errorf("the ledger in use has %d marks, want the 2 that were left", n)
	}
	if _, err := admin.Backup(t.Context(), "x", "Null; DROP TABLE ledger"); err == nil {
		t.Error("a destination may be any statement")
	}
}

// mustVersion appends the first version.
func mustVersion(t *testing.T, db *clickhouse.DB) {
	t.Helper()
	if err := db.AppendVersion(t.Context(), version(1, "tests")); err != nil {
		t.Fatal(err)
	}
}

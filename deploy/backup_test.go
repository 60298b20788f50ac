package deploy_test

import (
	"encoding/json"
	"testing"

	store "github.com/assay-dev/assay/internal/clickhouse"
)

// TestBackupAndRestore makes a backup and restores it with the accounts that the guide
// names, on the server's own files.
func TestBackupAndRestore(t *testing.T) {
	addr, all := migrated(t), services(t)
	env := append(environment(), "ASSAY_BACKUP_PASSWORD="+password)
	assayAs := func(args ...string) string {
		t.Helper()
		first := append([]string{"--config", "/etc/assay/assay.yaml", "--json"}, args...)
		out, err := run(t.Context(), assay(t), env, atHome(t, first, addr, nil)...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return out
	}
	if out, err := run(t.Context(), assay(t), env, atHome(t, all["apply"].arguments(t), addr, nil)...); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
	assayAs("backup", "--name", "of-the-deployment", "--user", "assay_backup", "--password-env", "ASSAY_BACKUP_PASSWORD")
	for _, more := range [][]string{nil, {"--all"}} {
		out := assayAs(append([]string{"restore", "of-the-deployment", "--user", "assay_admin", "--password-env", "ASSAY_ADMIN_PASSWORD"}, more...)...)
		done := restored(t, out)
		if last := done[len(done)-1]; last.Table != "ledger" || last.How != "exchanged" || (len(done) > 1) != (more != nil) {
			t.Errorf("restore %v: %s", more, out)
		}
	}
}

// restored are the tables that `assay restore --json` says.
func restored(t *testing.T, out string) []store.Restored {
	t.Helper()
	var said struct{ Tables []store.Restored }
	if err := json.Unmarshal([]byte(out), &said); err != nil || len(said.Tables) == 0 {
		t.Fatalf("%v in %s", err, out)
	}
	return said.Tables
}

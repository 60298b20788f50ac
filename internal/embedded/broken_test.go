package embedded_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// TestPartThatCannotBeRead: an insert that meets a full disk may leave a part whose file
// of marks is empty. The engine then answers nothing about its table (code 246), until it
// is started again: it sets the part aside and has all others.
func TestPartThatCannotBeRead(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir())
	conn := open(t, c, c.Admin())
	run(t, conn, "CREATE DATABASE assay_broken", "CREATE TABLE assay_broken.t (n UInt64) ENGINE = MergeTree ORDER BY n",
		"SYSTEM STOP MERGES assay_broken.t", "INSERT INTO assay_broken.t VALUES (1)", "INSERT INTO assay_broken.t VALUES (2)")
	// The engine keeps the marks of what it has written in memory, so a new one reads them.
	before := c.Restarts()
	kill(t, c)
	await(t, conn, 2)
	var dir string
	if err := conn.QueryRow(t.Context(), "SELECT path FROM system.parts WHERE database = 'assay_broken' AND name = 'all_2_2_0'").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	marks, err := filepath.Glob(filepath.Join(dir, "*.cmrk*"))
	if err != nil || len(marks) != 1 {
		t.Fatalf("files of marks %v, %v", marks, err)
	}
	if err := os.Truncate(marks[0], 0); err != nil {
		t.Fatal(err)
	}
	kill(t, c)
	await(t, conn, 1)
	if n := count(t, conn, "SELECT count() FROM system.detached_parts WHERE database = 'assay_broken' AND reason LIKE 'broken%'"); n != 1 {
		t.Errorf("%d parts were set aside", n)
	}
	if c.Restarts() < before+2 {
		t.Errorf("only %d restarts: this proved less than it should", c.Restarts())
	}
}

func kill(t *testing.T, c interface{ Pid() int }) {
	t.Helper()
	if err := syscall.Kill(c.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// await polls until the table has so many rows.
func await(t *testing.T, conn driver.Conn, want uint64) {
	t.Helper()
	var n uint64
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		if err = conn.QueryRow(t.Context(), "SELECT sum(n >= 0) FROM assay_broken.t").Scan(&n); err == nil && n == want {
			return
		}
	}
	t.Fatalf("%d rows (%v), want %d", n, err, want)
}

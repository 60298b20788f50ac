package embedded_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/embedded"
)

// smallDisk is a file system of its own, which needs root on Linux.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput()
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatalf("no small disk: %v: %s", err, out)
	case err != nil:
		t.Skipf("no small disk (as root there is one): %v: %s", err, strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v: %s", err, out)
		}
	})
	return dir
}

// fill takes all room at once, until the returned function is called.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size, end := int64(1<<40), int64(0); size >= 4096; {
		if err := syscall.Fallocate(int(f.Fd()), 0, end, size); err == nil {
			end += size
		} else if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EFBIG) {
			size /= 2
		} else {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// TestFullDisk: whatever the engine was writing when something else took the last room,
// it is stopped, is back when there is room, and has every row.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "1g")
	c := start(t, filepath.Join(disk, "clickhouse"))
	conn := open(t, c, c.Admin())
	run(t, conn, "CREATE DATABASE assay_full", "CREATE TABLE assay_full.t (n UInt64, name LowCardinality(String), text String) ENGINE = MergeTree ORDER BY n")

	const writers, batch = 4, 5000
	var acknowledged atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for r := rand.New(rand.NewPCG(1, uint64(w))); ; {
				select {
				case <-stop:
					return
				default:
				}
				if insert(t, conn, r, batch) == nil {
					acknowledged.Add(batch)
				} else {
					<-time.After(10 * time.Millisecond) // it is away, or has no room
				}
			}
		})
	}
	merges := func() bool {
		return count(t, conn, "SELECT count() FROM system.merges WHERE database = 'assay_full'") > 0
	}
	until(t, "a merge", func() bool { return acknowledged.Load() > 60*batch && merges() })
	empty := fill(t, disk)
	until(t, "the engine is stopped", func() bool { return c.Pid() == 0 })
	if _, err := embedded.StartClickHouse(t.Context(), embedded.ClickHouseConfig{Dir: filepath.Join(disk, "second")}); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("an engine that starts on a full disk says %v", err)
	}
	if c.Pid() != 0 {
		t.Error("the engine runs on a full disk")
	}
	empty()
	before := acknowledged.Load()
	until(t, "rows are accepted again", func() bool { return acknowledged.Load() > before+4*batch })
	close(stop)
	wg.Wait()

	var rows, sum uint64
	if err := conn.QueryRow(t.Context(), "SELECT count(), sum(cityHash64(n, name, text)) FROM assay_full.t").Scan(&rows, &sum); err != nil {
		t.Fatal(err)
	}
	// What was under way when it became full may be there or not, whatever its writer was told.
	if got, want := int64(rows), acknowledged.Load(); got < want-writers*batch || got > want+writers*batch {
		t.Errorf("%d rows, %d were acknowledged", got, want)
	}
	var whole uint8
	if err := conn.QueryRow(t.Context(), "CHECK TABLE assay_full.t SETTINGS check_query_single_value_result = 1").Scan(&whole); err != nil || whole != 1 {
		t.Errorf("CHECK TABLE says %d, %v", whole, err)
	}
	if c.Restarts() == 0 {
		t.Error("the engine was never started again: this proved nothing")
	}
}

func insert(t *testing.T, conn driver.Conn, r *rand.Rand, rows int) error {
	b, err := conn.PrepareBatch(t.Context(), "INSERT INTO assay_full.t")
	if err != nil {
		return err
	}
	for range rows {
		if err := b.Append(r.Uint64(), fmt.Sprint(r.IntN(50)), fmt.Sprintf("%x%x", r.Uint64(), r.Uint64())); err != nil {
			return errors.Join(err, b.Abort())
		}
	}
	return b.Send()
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("a minute later: not %s", what)
		}
	}
}

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2"
)

// TestChaosClickHouse attacks ClickHouse under two consumers that fight over all
// shards: it is killed, held up, cut off in the middle of inserts, its tokens are
// burnt, its disk is full.
func TestChaosClickHouse(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	for round := range rounds() {
		t.Run(fmt.Sprint("round ", round+1), func(t *testing.T) {
			disk := newDisk(t)
			c := newChaos(t, seed+uint64(round), setting{partitions: 4, own: true, engineDir: disk.dir})
			disk.chaos = c
			began := time.Now()
			c.attack([]attack{
				{"killed", c.engineKilled}, {"slow", c.engineSlow}, {"cut off", c.cutOff},
				{"tokens burnt", c.tokensBurnt}, {"disk full", disk.full},
			})
			c.report(began)
		})
	}
}

// killEngine kills the engine, when it has come back from the last time.
func (c *chaos) killEngine() {
	c.t.Helper()
	await(c.t, 30*time.Second, says("the engine is back"), func() bool { return c.engine.Pid() != 0 })
	if err := syscall.Kill(c.engine.Pid(), syscall.SIGKILL); err != nil {
		c.t.Error(err)
		return
	}
	c.add("engines killed", 1)
}

// beside runs lanes of random kills until the attack has been done.
func (c *chaos) beside(part uint64, kills int, attack func()) {
	c.t.Helper()
	c.away.Store(true) // maybe: either end can be what is attacked
	defer c.away.Store(false)
	stop := c.traffic(part)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.lanes(2, make([]step, kills))
	}()
	attack()
	<-done
	stop()
}

func (c *chaos) engineKilled() {
	r := c.rand(3)
	c.beside(4, c.often(6, 20), func() {
		for range c.often(3, 10) {
			<-time.After(time.Duration(300+r.IntN(900)) * time.Millisecond)
			c.killEngine()
		}
	})
}

// engineSlow stops the engine as it stands, again and again, beside a consumer to
// whom everything takes a while.
func (c *chaos) engineSlow() {
	d, err := openDoor(c.engine.Addr(), aim{})
	if err != nil {
		c.t.Fatal(err)
	}
	defer d.close()
	d.slow(50 * time.Millisecond)
	defer c.start("--config", "victim.yaml", "--clickhouse", d.addr(), "ingest").kill()
	c.beside(5, c.often(3, 10), func() {
		for range 2 {
			<-time.After(500 * time.Millisecond)
			pid := c.engine.Pid()
			for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
				if err := syscall.Kill(pid, s); err != nil {
					c.t.Error(err)
				}
				<-time.After(700 * time.Millisecond)
			}
			c.add("times the engine stood still", 1)
		}
	})
}

// cutOff cuts the connections of consumers in the middle of inserts and answers,
// and lets them live.
func (c *chaos) cutOff() {
	stop := c.traffic(6)
	var all []*process
	for _, a := range []aim{
		{statement: "ledger", instant: torn, nth: 3, again: true}, {statement: "ledger", instant: answered, nth: 4, again: true},
		{statement: "events", instant: torn, nth: 5, again: true}, {statement: "near", instant: answered, nth: 4, again: true},
	} {
		d, err := openDoor(c.engine.Addr(), a)
		if err != nil {
			c.t.Fatal(err)
		}
		defer d.close()
		d.guard(func() { c.add("connections cut", 1) })
		all = append(all, c.start("--config", "victim.yaml", "--clickhouse", d.addr(), "ingest"))
	}
	cuts := c.count("connections cut") + c.often(8, 100)
	await(c.t, time.Minute, says("enough cuts"), func() bool { return c.count("connections cut") >= cuts })
	stop()
	for _, p := range all {
		p.kill()
	}
}

// tokensBurnt leaves the engine as a crash between the token and its part does:
// it knows the token of each shard's next part, and the next form of some, and
// has no such part. A retry is then answered with OK and stores nothing.
func (c *chaos) tokensBurnt() {
	last := ask[map[uint16]uint64](c.world, "SELECT maxMap(map(shard, seq)) FROM DB.ledger WHERE mark = 1")
	for shard, seq := range last {
		c.burn(shard, seq+1, "")
		if shard%2 == 0 {
			c.burn(shard, seq+1, ":r1")
		}
	}
	c.killEngine()
	restarts := c.engine.Restarts()
	await(c.t, 30*time.Second, says("the engine is back"), func() bool { return c.engine.Restarts() > restarts || c.engine.Pid() != 0 })
	stop := c.traffic(7)
	defer stop()
	for range 2 {
		p := c.start("--config", "victim.yaml", "ingest")
		defer p.kill()
	}
	await(c.t, time.Minute, says("every shard passes its burnt tokens"), func() bool {
		after := ask[map[uint16]uint64](c.world, "SELECT maxMap(map(shard, seq)) FROM DB.ledger WHERE mark = 1")
		for shard, seq := range last {
			if after[shard] <= seq+1 {
				return false
			}
		}
		return true
	})
}

// burn puts a token into the file from which the engine learns its tokens at a
// start. Another table, in which the token is used, gives the line.
func (c *chaos) burn(shard uint16, seq uint64, form string) {
	c.t.Helper()
	donor := fmt.Sprintf("assay_donor_%d_%d%s", shard, seq, strings.ReplaceAll(form, ":", "_"))
	token := fmt.Sprintf("g:%d:%d%s", shard, seq, form)
	ctx := c.t.Context()
	run := func(ctx context.Context, query string) {
		c.t.Helper()
		if err := c.db.Exec(ctx, query); err != nil {
			c.t.Fatalf("%s: %v", query, err)
		}
	}
	run(ctx, "CREATE DATABASE IF NOT EXISTS "+donor)
	run(ctx, "CREATE TABLE "+donor+".t (shard UInt16) ENGINE = MergeTree PARTITION BY shard ORDER BY shard SETTINGS non_replicated_deduplication_window = 100")
	batch, err := c.db.PrepareBatch(native.Context(ctx, native.WithSettings(native.Settings{
		"async_insert": 0, "insert_deduplicate": 1, "insert_deduplication_token": token,
	})), "INSERT INTO "+donor+".t")
	if err != nil {
		c.t.Fatal(err)
	}
	if err := errors.Join(batch.Append(shard), batch.Send()); err != nil {
		c.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(readFile(c.t, c.tokens(donor, "t")))), "\n")
	f, err := os.OpenFile(c.tokens(c.database, "ledger"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(lines[len(lines)-1] + "\n"); err != nil {
		c.t.Fatal(err)
	}
	run(ctx, "DROP DATABASE "+donor)
	c.add("tokens burnt", 1)
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tokens is the newest file in which the engine keeps a table's tokens.
func (c *chaos) tokens(database, table string) string {
	c.t.Helper()
	var dir string
	if err := c.db.QueryRow(c.t.Context(), "SELECT arrayJoin(data_paths) FROM system.tables WHERE database = ? AND name = ?", database, table).Scan(&dir); err != nil {
		c.t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "deduplication_logs", "*.txt"))
	if err != nil || len(files) == 0 {
		c.t.Fatalf("token files %v, %v", files, err)
	}
	newest := files[0]
	for _, file := range files { // deduplication_log_N.txt
		if len(file) > len(newest) || len(file) == len(newest) && file > newest {
			newest = file
		}
	}
	return newest
}

// disk is a small one of the engine's own where the system allows that, which
// needs root on Linux.
type disk struct {
	*chaos
	dir   string
	small bool
}

// diskSize holds the engine's files of a test a few times over.
const diskSize = "256m"

func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{dir: t.TempDir()}
	out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size="+diskSize, "tmpfs", d.dir).CombinedOutput()
	if err != nil {
		t.Logf("no small disk (%v: %s): the engine will be told to keep more free than there is", err, strings.TrimSpace(string(out)))
		return d
	}
	d.small = true
	t.Cleanup(func() { _ = exec.Command("umount", "-l", d.dir).Run() })
	return d
}

// full lets the disk be full for a while. Consumers are killed meanwhile, too.
func (d *disk) full() {
	d.beside(8, d.often(3, 10), func() {
		empty := d.fill()
		if d.small { // and the engine writes nothing more
			await(d.t, 30*time.Second, says("the engine is stopped"), func() bool { return d.engine.Pid() == 0 })
			<-time.After(2 * time.Second)
			if d.engine.Pid() != 0 {
				d.t.Error("the engine runs on a full disk")
			}
			empty()
			d.add("times the disk was full", 1)
			return
		}
		<-time.After(time.Second)
		before := ask[uint64](d.world, "SELECT count() FROM DB.ledger WHERE mark = 1")
		<-time.After(2 * time.Second)
		if after := ask[uint64](d.world, "SELECT count() FROM DB.ledger WHERE mark = 1"); after != before {
			d.t.Errorf("%d parts were written to a full disk", after-before)
		}
		empty()
		d.add("times the disk was full", 1)
	})
}

// fill leaves no room, until the returned function is called.
func (d *disk) fill() (empty func()) {
	d.t.Helper()
	if !d.small {
		d.reserve("1000000000000000")
		return func() { d.reserve("0") }
	}
	name := filepath.Join(d.dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			d.t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			d.t.Error(err)
		}
	}
}

// reserve tells the engine how much of the disk it must leave free.
func (d *disk) reserve(bytes string) {
	d.t.Helper()
	for _, table := range []string{"ledger", "events", "dead_letters"} {
		query := fmt.Sprintf("ALTER TABLE %s.%s MODIFY SETTING min_free_disk_bytes_to_perform_insert = %s", d.database, table, bytes)
		if err := d.db.Exec(d.t.Context(), query); err != nil {
			d.t.Fatal(err)
		}
	}
}

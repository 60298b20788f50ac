package clickhouse_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
)

// burn makes the server remember tokens that have no part, as a crash between
// the two leaves them. The engine writes its memory of tokens to a file and
// reads it at start: a store of its own, in which the tokens are used, gives the
// lines; they are put into the other store's file; then the engine is killed.
func burn(t *testing.T, s store, shard uint16, seq uint64, tokens ...string) {
	t.Helper()
	for _, token := range tokens {
		donor := migrated(t, s.engine)
		conn := donor.raw(t, s.engine.Writer())
		for before := uint64(1); before < seq; before++ {
			b := block{shard: shard, seq: before, token: "g:" + itoa(uint64(shard)) + ":" + itoa(before), rows: 1}
			if err := b.send(t.Context(), conn); err != nil {
				t.Fatal(err)
			}
		}
		if err := (block{shard: shard, seq: seq, token: token, rows: 1}).send(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(strings.TrimSpace(string(readFile(t, donor.tokenFile(t)))), "\n")
		appendFile(t, s.tokenFile(t), lines[len(lines)-1]+"\n")
	}
	kill(t, s.engine)
	for s.engine.Restarts() == 0 {
		if _, err := s.LastMark(t.Context(), shard); err != nil {
			t.Fatal(err)
		}
	}
}

// tokenFile is where the engine keeps the ledger's tokens.
func (s store) tokenFile(t *testing.T) string {
	t.Helper()
	admin := s.raw(t, s.engine.Admin())
	dir := scalar[string](t, admin, "SELECT arrayJoin(data_paths) FROM system.tables WHERE database = currentDatabase() AND name = 'ledger'")
	files, err := filepath.Glob(filepath.Join(dir, "deduplication_logs", "*.txt"))
	if err != nil || len(files) != 1 {
		t.Fatalf("token files %v, %v", files, err)
	}
	return files[0]
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func appendFile(t *testing.T, name, line string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(line); err != nil {
		t.Fatal(err)
	}
}

// A burnt token answers every retry with OK and stores nothing. Two writers that
// meet one find the next form, and still only one of them gets the place.
func TestAppendPartPassesBurntTokens(t *testing.T) {
	s := migrated(t, ownEngine(t))
	mustAppend(t, s.DB, part(0, 1))
	burn(t, s, 0, 2, "g:0:2", "g:0:2:r1")

	b := block{shard: 0, seq: 2, token: "g:0:2", rows: 1}
	if err := b.send(t.Context(), s.raw(t, s.engine.Writer())); err != nil {
		t.Fatalf("a burnt token must look like success: %v", err)
	}
	if m, err := s.LastMark(t.Context(), 0); err != nil || m.Seq != 1 {
		t.Fatalf("the token is not burnt: %+v, %v", m, err)
	}
	committed := fight(t.Context(), t, []*clickhouse.DB{s.DB, s.open(t, s.engine.Addr(), s.engine.Writer())}, 1, 3, 10, func() {})
	for seq := uint64(2); seq <= 3; seq++ {
		if n := committed[[2]uint64{0, seq}]; n != 1 {
			t.Errorf("part %d was committed %d times", seq, n)
		}
	}
	if faults, err := s.CheckChain(t.Context()); err != nil || len(faults) > 0 {
		t.Errorf("chain: %+v, %v", faults, err)
	}
	if n := scalar[uint64](t, s.raw(t, s.engine.Writer()), "SELECT count() FROM ledger"); n != 1+2*11 {
		t.Errorf("%d rows; want a mark and two parts of 11", n)
	}
}

// As long as an insert with the token is running, the token isn't known to be
// burnt: with a second form both could be stored.
func TestAppendPartWaitsForInsertsInFlight(t *testing.T) {
	s := migrated(t, ownEngine(t))
	mustAppend(t, s.DB, part(3, 1))
	burn(t, s, 3, 2, "g:3:2")

	conn := s.raw(t, s.engine.Writer())
	running, err := conn.PrepareBatch(withToken(t.Context(), "g:3:2"), "INSERT INTO ledger (shard, seq, mark, rows, attempt)")
	if err != nil {
		t.Fatal(err)
	}
	waits := &counted{message: "clickhouse: appending again", reached: make(chan struct{})}
	db, err := clickhouse.Open(t.Context(), clickhouse.Config{
		Addr: []string{s.engine.Addr()}, Database: s.database,
		User: s.engine.Writer().Name, Password: s.engine.Writer().Password, Logger: slog.New(waits),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	type answer struct {
		outcome clickhouse.Appended
		err     error
	}
	done := make(chan answer, 1)
	go func() {
		outcome, err := db.AppendPart(t.Context(), topics(), part(3, 2))
		done <- answer{outcome, err}
	}()
	<-waits.reached
	select {
	case a := <-done:
		t.Fatalf("it did not wait: %+v", a)
	default:
	}
	if err := running.Abort(); err != nil {
		t.Fatal(err)
	}
	if a := <-done; a.err != nil || a.outcome != clickhouse.Committed {
		t.Errorf("after the other insert had ended: %+v", a)
	}
}

// counted is a log handler that waits for the third appearance of a message.
type counted struct {
	message string
	reached chan struct{}
	mu      sync.Mutex
	seen    int
}

func (c *counted) Enabled(context.Context, slog.Level) bool { return true }
func (c *counted) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *counted) WithGroup(string) slog.Handler            { return c }

func (c *counted) Handle(_ context.Context, r slog.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Message == c.message {
		if c.seen++; c.seen == 3 {
			close(c.reached)
		}
	}
	return nil
}

// TestServerRun: whenever it is asked for, it is one run until the server is started
// again.
func TestServerRun(t *testing.T) {
	began := time.Now()
	s := migrated(t, ownEngine(t))
	read := func() clickhouse.ServerRun {
		r, err := s.ServerRun(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := read()
	if age := first.Began.Sub(began); first.Server == "" || age < -time.Second || age > time.Since(began)+time.Second {
		t.Errorf("%+v, started at %v", first, began)
	}
	for again := time.Now(); time.Since(again) < 1200*time.Millisecond; {
		if r := read(); r != first {
			t.Fatalf("%+v and then %+v", first, r)
		}
	}
	killed := time.Now()
	kill(t, s.engine)
	for s.engine.Restarts() == 0 {
		read()
	}
	if r := read(); r.Server != first.Server || r.Began.Before(killed.Add(-time.Second)) {
		t.Errorf("%+v after a start at %v", r, killed)
	}
}

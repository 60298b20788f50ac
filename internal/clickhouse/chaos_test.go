package clickhouse_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// ownEngine is one that a test may kill.
func ownEngine(t testing.TB) *embedded.ClickHouse {
	t.Helper()
	engine, err := embedded.StartClickHouse(t.Context(), embedded.ClickHouseConfig{
		Dir: t.TempDir(), Library: embeddedtest.Library(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

// kill ends the engine's process as a crash does; the parent replaces it.
func kill(t testing.TB, engine *embedded.ClickHouse) {
	t.Helper()
	if pid := engine.Pid(); pid != 0 {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
}

// cutter is a relay that cuts each connection after a random number of bytes,
// in either direction: before, within or after an insert.
type cutter struct {
	ln   net.Listener
	to   string
	mu   sync.Mutex
	rng  *rand.Rand
	most int64
	cuts atomic.Int64
	all  sync.WaitGroup
}

func newCutter(t testing.TB, to string, seed uint64, most int64) *cutter {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{ln: ln, to: to, rng: rand.New(rand.NewPCG(seed, 0)), most: most}
	c.all.Go(c.serve)
	t.Cleanup(func() {
		ln.Close()
		c.all.Wait()
	})
	return c
}

func (c *cutter) serve() {
	for {
		client, err := c.ln.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		there, back := c.rng.Int64N(c.most), c.rng.Int64N(c.most)
		c.mu.Unlock()
		c.all.Go(func() { c.join(client, there, back) })
	}
}

func (c *cutter) join(client net.Conn, there, back int64) {
	defer client.Close()
	server, err := net.Dial("tcp4", c.to)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	pipe := func(to, from net.Conn, budget int64) {
		if n, _ := io.CopyN(to, from, budget); n == budget {
			c.cuts.Add(1)
		}
		to.Close()
		from.Close()
	}
	both.Go(func() { pipe(server, client, there) })
	both.Go(func() { pipe(client, server, back) })
	both.Wait()
}

// deltas are the rows of a part as a function of its number alone (whatever the
// shard), so that the
// sums that must come out are known without the program under test.
func deltas(_ uint16, seq uint64, rows int) []ingest.Row {
	all := make([]ingest.Row, rows)
	for i := range all {
		y := ingest.Int64(int64(seq)*1000 + int64(i))
		all[i] = cell([]string{"m1", "m2", "m3"}[i%3], []string{"c", "t"}[i%2], 60_000*int64(i%7),
			ingest.Delta{N: 1, Sum: y, SumSquares: y.Add(y)})
	}
	return all
}

// fight lets writers append to the same shards until each has `parts` parts. It
// calls onCommit after each part and returns how often each was committed.
func fight(ctx context.Context, t testing.TB, writers []*clickhouse.DB, shards uint16, parts uint64, rows int, onCommit func()) map[[2]uint64]int {
	t.Helper()
	committed := map[[2]uint64]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, db := range writers {
		for shard := range shards {
			all.Go(func() {
				for {
					mark, err := db.LastMark(ctx, shard)
					if err != nil {
						t.Error(err)
						return
					}
					seq := mark.Seq + 1
					if seq > parts {
						return
					}
					got, err := db.AppendPart(ctx, topics(), part(shard, seq, deltas(shard, seq, rows)...))
					if err != nil {
						t.Error(err)
						return
					}
					if got == clickhouse.Committed {
						mu.Lock()
						committed[[2]uint64{uint64(shard), seq}]++
						mu.Unlock()
						onCommit()
					}
				}
			})
		}
	}
	all.Wait()
	return committed
}

// checkFight holds the ledger against what the numbers of the parts imply.
func checkFight(t *testing.T, s store, committed map[[2]uint64]int, shards uint16, parts uint64, rows int) {
	t.Helper()
	ctx := t.Context()
	for shard := range uint64(shards) {
		for seq := uint64(1); seq <= parts; seq++ {
			if n := committed[[2]uint64{shard, seq}]; n != 1 {
				t.Errorf("part %d of shard %d was committed by %d writers", seq, shard, n)
			}
		}
	}
	if faults, err := s.CheckChain(ctx); err != nil || len(faults) > 0 {
		t.Errorf("chain: %+v, %v", faults, err)
	}
	sums, err := s.Reconcile(ctx)
	if err != nil || len(sums) != 2*int(shards) {
		t.Fatalf("%d reconciliations, %v", len(sums), err)
	}
	for _, r := range sums {
		if r.Difference != 0 || r.Breaks != 0 || r.From != 0 || r.Next != int64(parts)*10 || r.Accepted != parts*10 {
			t.Errorf("reconciliation: %+v", r)
		}
	}
	m, err := s.Moments(ctx, []clickhouse.MomentsSpec{{Experiment: "e1", Iteration: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var n, sum int64
	for _, c := range m.Cells {
		n += c.Open.N
		sum += c.Open.Sum.Int64()
	}
	p, r := int64(parts), int64(rows)
	wantN := int64(shards) * p * r
	wantSum := int64(shards) * (1000*r*p*(p+1)/2 + p*r*(r-1)/2)
	if n != wantN || sum != wantSum {
		t.Errorf("n %d, sum %d; want %d, %d", n, sum, wantN, wantSum)
	}
}

func TestAppendPartSurvivesCutConnections(t *testing.T) {
	s := newStore(t)
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	const shards, parts, rows = 2, 8, 300
	var writers []*clickhouse.DB
	var cuts []*cutter
	for i := range uint64(2) {
		// A part of this size is some tens of kB on the wire, uncompressed on loopback.
		c := newCutter(t, s.engine.Addr(), seed+i, 150_000)
		cuts = append(cuts, c)
		writers = append(writers, s.open(t, c.ln.Addr().String(), s.engine.Writer()))
	}
	committed := fight(t.Context(), t, writers, shards, parts, rows, func() {})
	checkFight(t, s, committed, shards, parts, rows)
	if n := cuts[0].cuts.Load() + cuts[1].cuts.Load(); n < 5 {
		t.Errorf("only %d connections were cut: this proved nothing", n)
	}
}

func TestAppendPartSurvivesKilledEngines(t *testing.T) {
	s := migrated(t, ownEngine(t))
	const shards, parts, rows, every = 2, 15, 500, 8
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	other := s.open(t, s.engine.Addr(), s.engine.Writer())
	// The writers never pause, so every kill falls into somebody's insert.
	var commits atomic.Int64
	committed := fight(ctx, t, []*clickhouse.DB{s.DB, other}, shards, parts, rows, func() {
		if commits.Add(1)%every == 0 {
			kill(t, s.engine)
		}
	})
	checkFight(t, s, committed, shards, parts, rows)
	if s.engine.Restarts() < 2 {
		t.Errorf("the engine was killed %d times: this proved nothing", s.engine.Restarts())
	}
}

package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
)

// spoken is a connection that writes down what it was told and answers nothing.
type spoken struct {
	native.Conn
	name string
	said *said
}

type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) add(name, statement string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(statement) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			s.lines = append(s.lines, name+line)
			return
		}
	}
}

var errSilent = errors.New("it answers nothing")

func (s spoken) Exec(_ context.Context, q string, _ ...any) error {
	s.said.add(s.name, q)
	return nil
}

func (s spoken) Query(_ context.Context, q string, _ ...any) (native.Rows, error) {
	s.said.add(s.name, q)
	return nil, errSilent
}

func (s spoken) PrepareBatch(_ context.Context, q string, _ ...native.PrepareBatchOption) (native.Batch, error) {
	s.said.add(s.name, q)
	return nil, errSilent
}

func (spoken) Ping(context.Context) error { return nil }

// TestReplicaIsWaitedFor: no replica can be run here, so what is sent to one is held as
// text: before each statement that reads how far a chain is, and before an append, the
// replica catches up.
func TestReplicaIsWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		table string
		do    func(context.Context, *DB) error
	}{
		"last mark": {"ledger", func(ctx context.Context, db *DB) error { _, err := db.LastMark(ctx, 1); return err }},
		"append": {"ledger", func(ctx context.Context, db *DB) error {
			_, err := db.AppendPart(ctx, nil, ingest.Part{Shard: 1, Seq: 2})
			return err
		}},
		"moments":     {"ledger", func(ctx context.Context, db *DB) error { _, err := db.Moments(ctx, nil); return err }},
		"tally":       {"ledger", func(ctx context.Context, db *DB) error { _, err := db.NewTally().Moments(ctx, nil); return err }},
		"heads":       {"ledger", func(ctx context.Context, db *DB) error { _, err := db.Heads(ctx); return err }},
		"positions":   {"ledger", func(ctx context.Context, db *DB) error { _, err := db.Positions(ctx); return err }},
		"chain":       {"ledger", func(ctx context.Context, db *DB) error { _, err := db.CheckChain(ctx); return err }},
		"offsets":     {"ledger", func(ctx context.Context, db *DB) error { _, err := db.Reconcile(ctx); return err }},
		"version":     {"configurations", func(ctx context.Context, db *DB) error { _, err := db.VersionNumber(ctx); return err }},
		"configuring": {"configurations", func(ctx context.Context, db *DB) error { _, err := db.Version(ctx); return err }},
		"decisions":   {"decisions", func(ctx context.Context, db *DB) error { _, _, err := db.LastDecision(ctx); return err }},
		"decodings":   {"decodings", func(ctx context.Context, db *DB) error { _, err := db.Decodings(ctx, 0); return err }},
		"placements":  {"placements", func(ctx context.Context, db *DB) error { _, _, err := db.Placements(ctx); return err }},
	} {
		heard := &said{}
		db := &DB{cfg: Config{Replicated: true}.complete(), conn: spoken{said: heard}, lives: map[series]lifetimes{}}
		db.log = db.cfg.Logger
		if err := c.do(t.Context(), db); !errors.Is(err, errSilent) {
			t.Errorf("%s: %v", name, err)
		}
		want := fmt.Sprintf("SYSTEM SYNC REPLICA %s LIGHTWEIGHT", c.table)
		if len(heard.lines) < 2 || heard.lines[0] != want {
			t.Errorf("%s: it said %q first, want %q before what follows", name, heard.lines, want)
		}
		heard.lines = nil
		db.cfg.Replicated = false
		_ = c.do(t.Context(), db)
		if slices.Contains(heard.lines, want) {
			t.Errorf("%s: one server waits for a replica", name)
		}
	}
}

// TestReplicasOfNodes: what is asked of all nodes at home waits at each of them.
func TestReplicasOfNodes(t *testing.T) {
	heard := &said{}
	cfg := Config{Replicated: true, Nodes: []Node{{Name: "a"}, {Name: "b"}}}.complete()
	db := &DB{cfg: cfg, conn: spoken{said: heard, name: "home: "}, log: cfg.Logger}
	for _, n := range cfg.Nodes {
		db.nodes = append(db.nodes, &DB{cfg: cfg.node(n), conn: spoken{said: heard, name: n.Name + ": "}, log: cfg.Logger, name: n.Name})
	}
	if _, err := db.Heads(t.Context()); !errors.Is(err, errSilent) {
		t.Error(err)
	}
	if len(heard.lines) != 3 || heard.lines[0] != "a: SYSTEM SYNC REPLICA ledger LIGHTWEIGHT" ||
		heard.lines[1] != "b: SYSTEM SYNC REPLICA ledger LIGHTWEIGHT" || !strings.HasPrefix(heard.lines[2], "home: SELECT") {
		t.Errorf("said %q", heard.lines)
	}
	if engine := (&db.nodes[0].cfg).engine("MergeTree"); engine != "ReplicatedMergeTree()" {
		t.Errorf("engine of a node's table: %s", engine)
	}
}

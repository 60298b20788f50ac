package clickhouse

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// ErrNodeAway says that a node does not answer. What is asked of all nodes is not
// answered without it: half of the data without a word would be worse.
var ErrNodeAway error = unavailable("a node does not answer")

// unavailable is why something cannot be read for now, in words for anybody.
type unavailable string

func (a unavailable) Error() string { return string(a) }

// Unavailable is the same for who asks from outside.
func (a unavailable) Unavailable() string {
	return "ClickHouse cannot answer in full now: " + string(a)
}

// patience is how long a node may take to answer before it counts as away.
const patience = 3 * time.Second

// Node is one of several servers that hold the shards.
type Node struct {
	Name string   // in the table of placements; never another one for the same data
	Addr []string // host:port of the native protocol
}

// DefaultCluster is how the server's configuration calls the nodes when no name is given.
const DefaultCluster = "assay"

// nodeTables lie on the nodes, each with the rows of the node's shards, and at home as
// Distributed tables over all of them. What is not among them is at home alone.
var nodeTables = []string{"events", "dead_letters", "ledger", "losses", "proven", "erased", "adjustments"}

// NodeOf is the name of the database in which a node keeps its shards' tables, beside
// or without the database itself.
func NodeOf(database string) string { return database + "_node" }

// node is the configuration with which a node is spoken to.
func (cfg Config) node(n Node) Config {
	cfg.Addr, cfg.Database, cfg.Nodes, cfg.layout = n.Addr, NodeOf(cfg.Database), nil, onNode
	return cfg
}

// openNodes opens a pool for each node.
func (db *DB) openNodes(ctx context.Context) error {
	for _, n := range db.cfg.Nodes {
		opened, err := Open(ctx, db.cfg.node(n))
		if err != nil {
			return fmt.Errorf("node %s: %w", n.Name, err)
		}
		opened.name = n.Name
		db.nodes = append(db.nodes, opened)
	}
	return nil
}

// spread tells whether the shards are on nodes of their own.
func (db *DB) spread() bool { return len(db.nodes) > 0 }

// reach asks a node whether it answers.
func (db *DB) reach(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := db.conn.Ping(asking); err != nil {
		return fmt.Errorf("node %s: %w: %w", db.name, ErrNodeAway, err)
	}
	return nil
}

// AwayNodes are those that do not answer, each with the reason.
func (db *DB) AwayNodes(ctx context.Context) map[string]error {
	away := map[string]error{}
	for _, n := range db.nodes {
		if err := n.reach(ctx); err != nil {
			away[n.name] = err
		}
	}
	return away
}

// onEach asks all nodes at once, in the order of the answer's elements. A node that is
// away is an error and never a shorter answer.
func onEach[T any](ctx context.Context, nodes []*DB, ask func(context.Context, *DB) (T, error)) ([]T, error) {
	out := make([]T, len(nodes))
	group, ctx := errgroup.WithContext(ctx)
	for i, n := range nodes {
		group.Go(func() (err error) {
			if err := n.reach(ctx); err != nil {
				return err
			}
			if out[i], err = ask(ctx, n); err != nil {
				err = fmt.Errorf("node %s: %w", n.name, err)
			}
			return err
		})
	}
	return out, group.Wait()
}

// settled asks all nodes as onEach does, and anew when a shard has moved meanwhile: it
// could be in the answer of both, or of neither.
func settled[T any](ctx context.Context, db *DB, ask func(context.Context, *DB) (T, error)) ([]T, error) {
	for {
		was, err := db.still(ctx)
		if err != nil {
			return nil, err
		}
		out, err := onEach(ctx, db.nodes, ask)
		if err != nil {
			return nil, err
		}
		switch is, err := db.still(ctx); {
		case err != nil:
			return nil, err
		case is == was:
			return out, nil
		}
	}
}

// still is the number of the last placement, when no shard is on its way.
func (db *DB) still(ctx context.Context) (uint64, error) {
	all, last, err := db.Placements(ctx)
	for _, p := range all {
		if p.From != "" {
			return 0, fmt.Errorf("shard %d, from %s to %s: %w", p.Shard, p.From, p.Node, ErrMoving)
		}
	}
	return last, err
}

// everywhere asks the one server, or all nodes one after another.
func (db *DB) everywhere(ctx context.Context, do func(context.Context, *DB) error) error {
	if !db.spread() {
		return do(ctx, db)
	}
	for _, n := range db.nodes {
		if err := n.reach(ctx); err != nil {
			return err
		}
		if err := do(ctx, n); err != nil {
			return fmt.Errorf("node %s: %w", n.name, err)
		}
	}
	return nil
}

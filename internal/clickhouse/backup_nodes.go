package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Where the shards are on nodes, each of them copies its own tables to a place of its own
// within the backup, and home the others; the row in the table of backups, which home
// has, is of all of them together. Two shards need not be of one moment: nothing relates
// their ledgers but versions, which every ledger's copy is older than.

// holders are who has ledgers: the nodes, or the one server.
func (db *DB) holders() []*DB {
	if db.spread() {
		return db.nodes
	}
	return []*DB{db}
}

// place is the name under which this server's half of a backup lies.
func (db *DB) place(backup string) string {
	if db.cfg.layout == onNode {
		return backup + "/node-" + db.name
	}
	return backup
}

// onNode says where an error is of.
func (db *DB) onNode(err error) error {
	if err == nil || db.cfg.layout != onNode {
		return err
	}
	return fmt.Errorf("node %s: %w", db.name, err)
}

// has tells whether a table lies on this server, and not behind it.
func (db *DB) has(table string) bool {
	switch db.cfg.layout {
	case onNode:
		return slices.Contains(nodeTables, table)
	case atHome:
		return !slices.Contains(nodeTables, table)
	}
	return true
}

func (db *DB) backedRows() []string {
	return slices.DeleteFunc(slices.Clone(backedRows), func(t string) bool { return !db.has(t) })
}

func (db *DB) backedChains() []string {
	return slices.DeleteFunc(slices.Clone(backedChains), func(t string) bool { return !db.has(t) })
}

// nodesOfShards says which node has each shard; empty where one server has all.
func (db *DB) nodesOfShards(ctx context.Context) (map[uint16]string, error) {
	out := map[uint16]string{}
	if !db.spread() {
		return out, nil
	}
	all, _, err := db.Placements(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.From != "" {
			return nil, fmt.Errorf("shard %d, from %s to %s: %w", p.Shard, p.From, p.Node, ErrMoving)
		}
		out[p.Shard] = p.Node
	}
	return out, nil
}

// unmoved wants every shard where it was. One that is new is nowhere else.
func (db *DB) unmoved(ctx context.Context, was map[uint16]string) error {
	is, err := db.nodesOfShards(ctx)
	if err != nil {
		return err
	}
	for shard, node := range was {
		if is[shard] != node {
			return fmt.Errorf("shard %d was on node %s in the backup and is on %s: move it back first, or its parts would be on both", shard, node, is[shard])
		}
	}
	return nil
}

// sameLayout wants a backup of several servers where there are several, and of one where
// there is one.
func (db *DB) sameLayout(b Backup) error {
	if len(b.Vector) == 0 || db.spread() == (len(b.Nodes) > 0) {
		return nil
	}
	if db.spread() {
		return errors.New("it was made while one server had all shards: restore it there, then `assay migrate --adopt`")
	}
	return errors.New("its shards were on several nodes (clickhouse.nodes), and here is one server")
}

package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// before is what the tables of a server that was alone are called once their parts
// belong to a node. Nothing reads them any more.
const before = "_before"

// Adopt makes a server that was alone the home of several, one of which is on the same
// server and takes over its shards, part by part as links to the same files. Consumers
// must be stopped: those that write on are refused. Doing it again goes on where it
// stopped.
func (db *DB) Adopt(ctx context.Context, name string) error {
	node, err := db.named(name)
	if err != nil {
		return err
	}
	if err := db.sameServer(ctx, node); err != nil {
		return err
	}
	if done, err := db.migrated(ctx); err != nil || !done {
		return errors.Join(err, errors.New("the server's own tables are older than this program: run `assay migrate` without clickhouse.nodes first"))
	}
	for _, n := range db.nodes {
		if err := n.migrateOne(ctx); err != nil {
			return fmt.Errorf("node %s: %w", n.name, err)
		}
	}
	if err := db.setAside(ctx); err != nil {
		return err
	}
	for _, table := range nodeTables {
		if err := db.handOver(ctx, node, table); err != nil {
			return fmt.Errorf("hand %s to node %s: %w", table, name, err)
		}
	}
	if err := db.placeAll(ctx, node); err != nil {
		return err
	}
	return db.migrateAll(ctx)
}

// sameServer refuses a node whose files are somewhere else: a table has one id on each
// server.
func (db *DB) sameServer(ctx context.Context, node *DB) error {
	here, err := db.idOfTable(ctx)
	if err != nil {
		return fmt.Errorf("ask which server this is: %w", err)
	}
	cfg := db.cfg
	cfg.Addr, cfg.Database, cfg.Nodes = node.cfg.Addr, "default", nil // the node's own may not be there yet
	beside, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = beside.Close() }()
	beside.cfg.Database = db.cfg.Database
	there, err := beside.idOfTable(ctx)
	if err != nil {
		return fmt.Errorf("ask which server node %s is: %w", node.name, err)
	}
	if here == "" || here != there {
		return fmt.Errorf("node %s is on another server than home: only one beside the tables can take them over", node.name)
	}
	return nil
}

// idOfTable is the id of a table that is at home alone; "" where it is not.
func (db *DB) idOfTable(ctx context.Context) (string, error) {
	id, _, err := one(ctx, db, "table_id", args{"database": db.cfg.Database}, func(rows native.Rows, id *string) error { return rows.Scan(id) })
	return id, err
}

// setAside renames the tables, all at once: from then on nobody writes to them.
func (db *DB) setAside(ctx context.Context) error {
	engines, err := db.engines(ctx)
	if err != nil {
		return err
	}
	var renames []string
	for _, table := range nodeTables {
		if engine := engines[table]; engine != "" && engine != "Distributed" {
			renames = append(renames, fmt.Sprintf("%s TO %s%s", table, table, before))
		}
	}
	if len(renames) == 0 {
		return nil
	}
	return db.exec(ctx, "RENAME TABLE "+strings.Join(renames, ", "))
}

// handOver attaches every partition that the node does not have.
func (db *DB) handOver(ctx context.Context, node *DB, table string) error {
	theirs, err := db.partitionsOf(ctx, table+before)
	if err != nil {
		return err
	}
	own, err := node.partitionsOf(ctx, table)
	if err != nil {
		return err
	}
	for _, id := range theirs {
		if slices.Contains(own, id) {
			continue
		}
		if err := node.exec(ctx, fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION ID '%s' FROM %s.%s%s", table, id, db.cfg.Database, table, before)); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) partitionsOf(ctx context.Context, table string) ([]string, error) {
	return collect(ctx, db, "partition_ids", args{"table": table}, func(rows native.Rows, id *string) error { return rows.Scan(id) })
}

// placeAll writes down that a node has the shards that it has.
func (db *DB) placeAll(ctx context.Context, node *DB) error {
	shards, err := node.shards(ctx)
	if err != nil {
		return err
	}
	all, last, err := db.Placements(ctx)
	if err != nil {
		return err
	}
	for _, shard := range shards {
		if slices.ContainsFunc(all, func(p Placement) bool { return p.Shard == shard }) {
			continue
		}
		last++
		if err := db.AppendPlacement(ctx, Placement{Number: last, Shard: shard, Node: node.name, Actor: "migrate"}); err != nil {
			return err
		}
	}
	return nil
}

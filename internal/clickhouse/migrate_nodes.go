package clickhouse

import (
	"context"
	"fmt"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// migrateAll brings every node's tables to the newest version, then what lies over them
// at home, then home's own: views read through the Distributed tables, which must have
// the columns by then.
func (db *DB) migrateAll(ctx context.Context) error {
	for _, n := range db.nodes {
		if err := n.migrateOne(ctx); err != nil {
			return fmt.Errorf("node %s: %w", n.name, err)
		}
	}
	done, err := db.migrated(ctx)
	if err != nil {
		return err
	}
	if !done {
		if err := db.createDatabases(ctx); err != nil {
			return err
		}
	}
	engines, err := db.engines(ctx)
	if err != nil || done && allDistributed(engines) {
		return err
	}
	for _, table := range nodeTables {
		if err := db.distribute(ctx, table, engines[table]); err != nil {
			return fmt.Errorf("lay table %s over the nodes: %w", table, err)
		}
	}
	return db.migrateOne(ctx)
}

// engines are those of the tables that home has by the names of the nodes' tables.
func (db *DB) engines(ctx context.Context) (map[string]string, error) {
	return db.enginesOf(ctx, nodeTables)
}

func (db *DB) enginesOf(ctx context.Context, tables []string) (map[string]string, error) {
	found := map[string]string{}
	err := db.query(ctx, "engines", args{"database": db.cfg.Database, "tables": tables}, func() { clear(found) }, func(rows native.Rows) error {
		var name, engine string
		err := rows.Scan(&name, &engine)
		found[name] = engine
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look at home's tables: %w", err)
	}
	return found, nil
}

func allDistributed(engines map[string]string) bool {
	for _, table := range nodeTables {
		if engines[table] != "Distributed" {
			return false
		}
	}
	return true
}

// distribute makes a table over the nodes', or makes it anew with their columns of
// today. It holds nothing, and without a sharding key it takes nothing either.
func (db *DB) distribute(ctx context.Context, table, engine string) error {
	if engine != "" && engine != "Distributed" {
		return fmt.Errorf("home has data of its own in %s.%s, of engine %s: `assay migrate --adopt NODE` hands them to the node on the same server",
			db.cfg.Database, table, engine)
	}
	return db.exec(ctx, fmt.Sprintf("CREATE OR REPLACE TABLE %s.%s ENGINE = Distributed('%s', '%s', '%s')",
		db.cfg.Database, table, db.cfg.Cluster, NodeOf(db.cfg.Database), table))
}

// exec runs a statement that may be run twice.
func (db *DB) exec(ctx context.Context, statement string) error {
	return db.retry(ctx, "run a statement", func(ctx context.Context) error { return db.conn.Exec(ctx, statement) })
}

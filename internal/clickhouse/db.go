package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const (
	defaultConns = 16
	dialTimeout  = 30 * time.Second
	readTimeout  = 2 * time.Minute
	// receiveTimeout bounds how long the server waits for the rest of an insert
	// whose client is gone, and with it how long such an insert is in flight.
	receiveTimeout = 10 * time.Second
)

// DB is a pool of connections as one user. Its methods may be called by several
// goroutines at once.
type DB struct {
	cfg  Config
	conn native.Conn
	log  *slog.Logger

	mu    sync.Mutex
	lives map[series]lifetimes // see looks.go
	run   ServerRun            // that was seen last

	name   string // of a node
	nodes  []*DB  // that hold the shards; none: this server does
	places places
}

// Open prepares a pool. Connections are made when they are needed: see [DB.Ping].
func Open(ctx context.Context, cfg Config) (*DB, error) {
	cfg = cfg.complete()
	conn, err := driver.Open(cfg.options(cfg.Database))
	if err != nil {
		return nil, fmt.Errorf("open clickhouse: %w", err)
	}
	db := &DB{cfg: cfg, conn: conn, log: cfg.Logger, lives: map[series]lifetimes{}}
	if err := db.openNodes(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (cfg Config) complete() Config {
	if cfg.Database == "" {
		cfg.Database = DefaultDatabase
	}
	if cfg.Dictionary == "" {
		cfg.Dictionary = "NAME assay_dictionary"
	}
	if cfg.Cluster == "" {
		cfg.Cluster = DefaultCluster
	}
	if len(cfg.Nodes) > 0 {
		cfg.layout = atHome
	}
	if cfg.Conns == 0 {
		cfg.Conns = defaultConns
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

func (cfg Config) options(database string) *driver.Options {
	o := &driver.Options{
		Addr:         cfg.Addr,
		Auth:         driver.Auth{Database: database, Username: cfg.User, Password: cfg.Password},
		TLS:          cfg.TLS,
		DialTimeout:  dialTimeout,
		DialContext:  dialer(cfg.TLS),
		ReadTimeout:  readTimeout,
		MaxOpenConns: cfg.Conns,
		MaxIdleConns: cfg.Conns,
		Compression:  cfg.compression(),
		Settings: driver.Settings{
			// An insert is answered when its part is there, not when it is queued.
			"async_insert":    0,
			"receive_timeout": int(receiveTimeout.Seconds()),
			// A batch with old event times may touch any number of months.
			"max_partitions_per_insert_block": 0,
			// Half of the data without a word is worse than an error.
			"skip_unavailable_shards": 0,
		},
	}
	if cfg.layout == atHome {
		// The inner of two readings of all nodes is done once, here, and not by each node
		// for itself.
		o.Settings["distributed_product_mode"] = "global"
	}
	return o
}

// compression is worth its processor time on a network, and not to a server on
// the same machine.
func (cfg Config) compression() *driver.Compression {
	for _, addr := range cfg.Addr {
		host, _, err := net.SplitHostPort(addr)
		if err != nil || !net.ParseIP(host).IsLoopback() {
			return &driver.Compression{Method: driver.CompressionLZ4}
		}
	}
	return &driver.Compression{Method: driver.CompressionNone}
}

// Close ends all connections.
func (db *DB) Close() error {
	errs := []error{db.conn.Close()}
	for _, n := range db.nodes {
		errs = append(errs, n.Close())
	}
	return errors.Join(errs...)
}

// Ping asks whether the server answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.conn.Ping(ctx); err != nil {
		return fmt.Errorf("ping clickhouse: %w", err)
	}
	return nil
}

// insert sends one block.
func (db *DB) insert(ctx context.Context, table string, fields []field, rows int) error {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = "`" + f.name + "`"
	}
	batch, err := db.conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+")")
	if err != nil {
		return err
	}
	if err := load(batch, fields, rows); err != nil {
		_ = batch.Abort() // a batch that is neither sent nor aborted keeps its connection
		return err
	}
	return batch.Send()
}

// idempotent marks the inserts of a context as ones that are merely repeated
// when their fate is unknown.
func idempotent(ctx context.Context) context.Context {
	return driver.Context(ctx, driver.WithSettings(driver.Settings{
		// Rows that were lost meanwhile, and come again, are not duplicates.
		"insert_deduplicate": 0,
		// Equal keys within a block are left to the merges and to the readers,
		// who must drop them anyway; looking for them costs the server four
		// times as much as storing the rows.
		"optimize_on_insert": 0,
	}))
}

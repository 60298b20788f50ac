package clickhouse

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"text/template"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/pressly/goose/v3"

	"github.com/assay-dev/assay/sql"
)

// Migrate makes the database and brings its tables to the newest version. When
// that is to be done it needs a user with all rights on the database, and two
// must not run at once; else any user who may read will do. Of several servers it does
// all, the nodes first.
func (db *DB) Migrate(ctx context.Context) error {
	if db.spread() {
		return db.migrateAll(ctx)
	}
	return db.migrateOne(ctx)
}

func (db *DB) migrateOne(ctx context.Context) error {
	if err := db.CheckSchema(ctx); err != nil {
		return err
	}
	if done, err := db.migrated(ctx); done || err != nil {
		return err
	}
	if err := db.createDatabases(ctx); err != nil {
		return err
	}
	migrations, closeAll, err := db.migrations()
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { _ = closeAll() }()
	if _, err := migrations.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// migrated tells whether the tables are there and as new as this program. A
// server that does not answer is an error; all others mean that they are not.
func (db *DB) migrated(ctx context.Context) (bool, error) {
	newest, err := knownSchema()
	if err != nil {
		return false, err
	}
	version, err := db.schemaVersion(ctx)
	if err != nil && transient(err) {
		return false, fmt.Errorf("read the schema's version: %w", err)
	}
	return err == nil && version >= newest, nil
}

// SchemaVersion is the number of the last migration that ran; 0 without any.
func (db *DB) SchemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := db.retry(ctx, "read the schema's version", func(ctx context.Context) (err error) {
		version, err = db.schemaVersion(ctx)
		return err
	})
	return version, err
}

func (db *DB) schemaVersion(ctx context.Context) (version int64, err error) {
	err = db.conn.QueryRow(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&version)
	return version, err
}

func (db *DB) createDatabases(ctx context.Context) error {
	names := []string{db.cfg.Database, ViewsOf(db.cfg.Database)}
	if db.cfg.layout == onNode {
		names = names[:1] // people ask at home
	}
	for _, name := range names {
		if err := db.createDatabase(ctx, name); err != nil {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return nil
}

// createDatabase connects without naming the database, which would have to
// exist.
func (db *DB) createDatabase(ctx context.Context, name string) error {
	conn, err := driver.Open(db.cfg.options(""))
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+name)
}

func (db *DB) migrations() (*goose.Provider, func() error, error) {
	files, err := fs.Sub(sql.Migrations, "migrations")
	if err != nil {
		return nil, nil, err
	}
	std := driver.OpenDB(db.cfg.migrationOptions())
	provider, err := goose.NewProvider(goose.DialectClickHouse, std, rendered{files, db.cfg})
	if err != nil {
		_ = std.Close()
		return nil, nil, err
	}
	return provider, std.Close, nil
}

// migrationOptions leaves the size of the pool to database/sql.
func (cfg Config) migrationOptions() *driver.Options {
	o := cfg.options(cfg.Database)
	o.MaxOpenConns, o.MaxIdleConns = 0, 0
	return o
}

// rendered is the folder of migrations with their placeholders filled in.
type rendered struct {
	fs.FS
	cfg Config
}

// Open renders a file and leaves folders alone.
func (r rendered) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b, err := fs.ReadFile(r.FS, name)
	if err != nil {
		return nil, err
	}
	b, err = r.cfg.render(name, b)
	return renderedFile{bytes.NewReader(b), info}, err
}

type renderedFile struct {
	*bytes.Reader
	info fs.FileInfo
}

func (f renderedFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f renderedFile) Close() error               { return nil }

// render fills in {{.Database}}, {{.Views}} (the database of what people query),
// {{.Source}} (how the server logs in to itself for a dictionary), {{engine "MergeTree"}} and {{window}} (the setting that
// bounds the memory of tokens). {{if .Node}} and {{if .Home}} part what lies on the nodes
// from what lies at home; on one server both hold.
func (cfg Config) render(name string, b []byte) ([]byte, error) {
	t, err := template.New(name).Funcs(template.FuncMap{
		"engine": cfg.engine,
		"window": cfg.window,
	}).Parse(string(b))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		Database, Views, Source string
		Node, Home              bool
	}{cfg.Database, ViewsOf(cfg.Database), cfg.Dictionary, cfg.layout != atHome, cfg.layout != onNode})
	return out.Bytes(), err
}

// Users are the statements that make the accounts which work with a database, for
// servers that keep accounts by SQL. Where a password belongs stands PASSWORD OF and
// the account's name.
func Users(database string) (string, error) {
	b, err := Config{Database: database}.complete().render("users.sql", []byte(sql.Users))
	return string(b), err
}

// engine is a table engine with its arguments. Path and name of a replica are
// the server's defaults.
func (cfg Config) engine(name string, arguments ...string) string {
	if cfg.Replicated {
		name = "Replicated" + name
	}
	return name + "(" + strings.Join(arguments, ", ") + ")"
}

func (cfg Config) window() string {
	if cfg.Replicated {
		return "replicated_deduplication_window"
	}
	return "non_replicated_deduplication_window"
}

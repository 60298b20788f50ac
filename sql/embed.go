// Package sql holds the text of every statement that assay sends: the
// migrations that make its tables, and the queries that read them.
//
// A migration is a template. It names the database, the engine family
// (replicated or not) and the source of the two dictionaries by placeholder, see
// clickhouse.DB.Migrate. A query takes bound parameters only ({name:Type}), is
// named by its file, and reads the tables of the connection's database.
package sql

import "embed"

// Analysis is a template of a statement, for as many totals of a unit as an analysis
// has; see clickhouse.DB.AnalysisCells. All its values are bound.
//
//go:embed analysis/cells.sql
var Analysis string

// Slow is a template of a statement that reads the events of an experiment's units, or
// all of them where these are very many; see clickhouse.DB.Slow. All its values are
// bound.
//
//go:embed analysis/slow.sql
var Slow string

// Users makes the accounts of a server that keeps them by SQL: a template like the
// migrations, for people to read and run.
//
//go:embed users.sql
var Users string

// Migrations are goose files below migrations/.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Queries are single statements below queries/.
//
//go:embed queries/*.sql
var Queries embed.FS

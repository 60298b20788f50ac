package clickhouse

import (
	"context"
	"slices"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Statement and MomentsParams let tests send the package's own statements with
// other settings.
func Statement(name string) (string, error) { return statement(name) }

// MomentsParams binds the moments query.
func MomentsParams(specs []MomentsSpec) (bound []any) {
	for name, value := range momentsParams(specs) {
		bound = append(bound, driver.Named(name, value))
	}
	return bound
}

// SlowOfMany is Slow as if the experiment had very many units.
func (db *DB) SlowOfMany(ctx context.Context, e *experiment.Experiment, it *experiment.Iteration, metrics []results.SlowMetric, at []Position) ([]results.SlowRow, error) {
	return db.slowRows(ctx, slowRunOf(e, it, metrics), at, false)
}

// Render fills in a migration's placeholders.
func (cfg Config) Render(name string, b []byte) ([]byte, error) {
	return cfg.complete().render(name, b)
}

// Seal gives a decision the hashes that it has after another: what a forger can do
// who knows the program.
func (d *Decision) Seal(previous string) {
	d.PrevHash = previous
	d.Hash = d.digest()
}

// MigrateTo brings the tables to an older version than the newest.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	for _, name := range []string{db.cfg.Database, ViewsOf(db.cfg.Database)} {
		if err := db.createDatabase(ctx, name); err != nil {
			return err
		}
	}
	migrations, closeAll, err := db.migrations()
	if err != nil {
		return err
	}
	defer func() { _ = closeAll() }()
	_, err = migrations.UpTo(ctx, version)
	return err
}

// KnownSchema is the newest version.
func KnownSchema() (int64, error) { return knownSchema() }

// OnNodes are the tables that lie on nodes.
func OnNodes() []string { return nodeTables }

// BackedTables are those that a backup holds.
func BackedTables() []string { return slices.Concat([]string{"ledger"}, backedRows, backedChains) }

// ReadApart lets a tally read shards apart that differ by more parts.
func (t *Tally) ReadApart(parts uint64) { t.far = parts }

// SetRanges makes ranges of other sizes until the test ends, which must not run beside
// others.
func SetRanges(t interface{ Cleanup(func()) }, rows uint64, most int) {
	wereRows, wereMost := rangeRows, rangeMost
	t.Cleanup(func() { rangeRows, rangeMost = wereRows, wereMost })
	rangeRows, rangeMost = rows, most
}

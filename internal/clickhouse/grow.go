package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// The number of shards is a property of a ledger. Another number is another ledger, in
// a database of its own beside the old one, which is filled from the same events and
// then compared with it. What is not counted is carried over as it is.

// carried are the tables that belong to the deployment and not to a number of shards.
// Events, dead letters and what is proven of them name shards; decodings name topics.
var (
	carriedChains = []string{"unit_keys", "configurations", "decisions", "deliveries"}
	carriedRows   = []string{"unit_names", "looks"}
)

// fenced are the tables of the old database that nobody may add to any more, and the
// constraint that says so: the guard stands in the table, for every client.
var fenced = []string{"ledger", "decisions", "configurations"}

const fence = "grown"

var databaseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Growth is two databases on one server: what a deployment has, and one with another
// number of shards. Its methods need a user that may alter both.
type Growth struct{ from, to *DB }

// NewGrowth refuses databases between which nothing can be carried.
func NewGrowth(ctx context.Context, from, to *DB) (*Growth, error) {
	switch {
	case !databaseName.MatchString(from.cfg.Database) || from.cfg.Database == to.cfg.Database:
		return nil, fmt.Errorf("%q is no other database than %q", from.cfg.Database, to.cfg.Database)
	case from.spread() || to.spread() || to.cfg.Replicated:
		return nil, errors.New("growing needs tables on one server that are not replicated: with others it was never tried")
	}
	var versions [2]int64
	for i, db := range []*DB{from, to} {
		var err error
		if versions[i], err = db.SchemaVersion(ctx); err != nil {
			return nil, err
		}
	}
	if versions[0] != versions[1] {
		return nil, fmt.Errorf("the tables of %s are at schema %d, those of %s at %d: migrate both", from.cfg.Database, versions[0], to.cfg.Database, versions[1])
	}
	g := &Growth{from, to}
	closed, err := g.Closed(ctx)
	if err == nil && closed {
		err = fmt.Errorf("%s was grown before, and takes no part any more: what came since is in the database that it was grown into", from.cfg.Database)
	}
	return g, err
}

// Closed tells whether the old database takes nothing any more.
func (g *Growth) Closed(ctx context.Context) (bool, error) {
	var text string
	err := g.from.conn.QueryRow(ctx, "SELECT create_table_query FROM system.tables WHERE database = ? AND name = 'ledger'", g.from.cfg.Database).Scan(&text)
	if err != nil {
		return false, fmt.Errorf("look at the old ledger: %w", err)
	}
	return strings.Contains(text, "CONSTRAINT "+fence+" "), nil
}

// Close lets the old database take nothing any more: consumers and guards that still
// run on it are refused.
func (g *Growth) Close(ctx context.Context) error {
	for _, table := range slices.Backward(fenced) { // the ledger's says that all are
		if err := g.from.exec(ctx, "ALTER TABLE "+table+" ADD CONSTRAINT IF NOT EXISTS "+fence+" CHECK 0"); err != nil {
			return fmt.Errorf("close %s: %w", table, err)
		}
	}
	return nil
}

// Carry makes the tables beside the counting equal to the old ones.
func (g *Growth) Carry(ctx context.Context) error {
	for _, table := range slices.Concat(carriedRows, carriedChains) {
		ids, err := g.from.partitionsOf(ctx, table)
		if err != nil {
			return err
		}
		here, err := g.to.partitionsOf(ctx, table)
		if err != nil {
			return err
		}
		for _, id := range here {
			if !slices.Contains(ids, id) {
				if err := g.to.conn.Exec(ctx, fmt.Sprintf("ALTER TABLE %s DROP PARTITION ID '%s'", table, id)); err != nil {
					return fmt.Errorf("carry %s: %w", table, err)
				}
			}
		}
		for _, id := range ids {
			statement := fmt.Sprintf("ALTER TABLE %s REPLACE PARTITION ID '%s' FROM %s.%[1]s", table, id, g.from.cfg.Database)
			if err := g.to.conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("carry %s: %w", table, err)
			}
		}
	}
	for _, table := range carriedChains {
		if err := g.same(ctx, table); err != nil {
			return err
		}
	}
	return nil
}

// same compares what both have of a chain, which may grow meanwhile: the new one must
// not have anything that the old one has not.
func (g *Growth) same(ctx context.Context, table string) error {
	var strange uint64
	err := g.to.conn.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM (SELECT cityHash64(*) AS h FROM %s) WHERE h NOT IN (SELECT cityHash64(*) FROM %s.%[1]s)",
		table, g.from.cfg.Database)).Scan(&strange)
	if err == nil && strange > 0 {
		err = fmt.Errorf("%d rows are not in %s", strange, g.from.cfg.Database)
	}
	if err != nil {
		return fmt.Errorf("compare %s: %w", table, err)
	}
	return nil
}

// CarryLosses writes down in the new database what the old one knows to lack.
func (g *Growth) CarryLosses(ctx context.Context) (records uint64, err error) {
	gaps, err := g.from.Gaps(ctx)
	if err != nil {
		return 0, err
	}
	var all []Loss
	for i, x := range gaps {
		records += x.Records
		all = append(all, Loss{Kind: x.Kind, Shard: x.Shard, Topic: x.Topic, From: int64(i), Next: int64(i) + int64(x.Records), Records: x.Records, Until: x.Until})
	}
	return records, g.to.NoteLosses(ctx, all)
}

// GrowthDifference is a sum that the two ledgers do not have in common.
type GrowthDifference struct {
	Cell     string `json:"cell"`
	Old, New string
}

// Compare holds the new ledger, all of it, against the old one up to its vector: every
// sum of every cell. Iterations that closed tells of are left out. It returns how many
// cells there are, and those that differ.
func (g *Growth) Compare(ctx context.Context, vector map[uint16]uint64, closed func(experiment string, iteration uint32) bool) (cells uint64, different []GrowthDifference, err error) {
	text, err := statement("grow_compare")
	if err != nil {
		return 0, nil, fmt.Errorf("query grow_compare: %w", err)
	}
	text = strings.ReplaceAll(text, "FROM ledger AS before", "FROM "+g.from.cfg.Database+".ledger AS before")
	shards, seqs := bounds(vector)
	ctx = driver.Context(ctx, driver.WithSettings(driver.Settings{"max_execution_time": 0}))
	err = g.to.queryText(ctx, "grow_compare", text, args{"shards": shards, "seqs": seqs}, func() { cells, different = 0, nil }, func(rows native.Rows) error {
		var experiment string
		var iteration uint32
		var n uint64
		var found []string
		if err := rows.Scan(&experiment, &iteration, &n, &found); err != nil {
			return err
		}
		if closed(experiment, iteration) {
			return nil
		}
		cells += n
		for i := 0; i+2 < len(found); i += 3 {
			different = append(different, GrowthDifference{found[i], found[i+1], found[i+2]})
		}
		return nil
	})
	return cells, different, err
}

package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const (
	closed = "_closed"     // home's tables while a shard is moved
	away   = "ledger_away" // of a node: parts that left, or have not arrived yet
)

// copied are the tables whose rows may be written again.
var copied = []string{"events", "dead_letters", "losses", "proven", "erased", "adjustments"}

// Move takes a shard from its node to another one. Consumers may go on: those of the
// shard are refused and wait. Nobody reads meanwhile: results are blind rather than
// without the shard, or with it twice. Where it stops, it is done again and goes on
// there. Two at once must not be. It needs a user that may alter.
func (db *DB) Move(ctx context.Context, shard uint16, to, actor string, tell func(step string)) error {
	m, err := db.movement(ctx, shard, to, actor)
	if err != nil {
		return err
	}
	if m.source == m.target {
		return m.reopen(ctx, tell)
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"write down that it moves", m.announce},
		{"close home's tables", m.close},
		{"take the parts of its ledger out of " + m.source.name, m.fence},
		{"copy its rows to " + m.target.name, m.copy},
		{"copy its ledger to " + m.target.name, m.copyLedger},
		{"remove what is left at " + m.source.name, m.clear},
		{"write down where it is", m.arrive},
		{"open home's tables", m.open},
	} {
		tell(step.name)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("move shard %d to %s: %s: %w", shard, to, step.name, err)
		}
	}
	return nil
}

// movement is one shard on its way.
type movement struct {
	db             *DB
	shard          uint16
	source, target *DB
	placed         Placement // the last one
	last           uint64    // number of the newest of all
	actor          string
}

func (db *DB) movement(ctx context.Context, shard uint16, to, actor string) (*movement, error) {
	if !db.spread() {
		return nil, fmt.Errorf("move shard %d: clickhouse.nodes names no nodes", shard)
	}
	all, last, err := db.Placements(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.From != "" && (p.Shard != shard || p.Node != to) {
			return nil, fmt.Errorf("shard %d is being moved from %s to %s: finish that first", p.Shard, p.From, p.Node)
		}
	}
	i := slices.IndexFunc(all, func(p Placement) bool { return p.Shard == shard })
	if i < 0 {
		return nil, fmt.Errorf("shard %d was never begun: it has nothing to move", shard)
	}
	m := &movement{db: db, shard: shard, placed: all[i], last: last, actor: actor}
	from := m.placed.Node
	if m.placed.From != "" {
		from = m.placed.From
	}
	if m.source, err = db.named(from); err != nil {
		return nil, err
	}
	if m.target, err = db.named(to); err != nil {
		return nil, err
	}
	if m.source == m.target {
		return m, nil
	}
	if mark, err := m.source.LastMark(ctx, shard); err != nil || mark.Seq == 0 && m.placed.From == "" {
		if err == nil {
			err = fmt.Errorf("shard %d has no part yet: move it when it has", shard)
		}
		return nil, err
	}
	return m, db.everywhere(ctx, func(ctx context.Context, n *DB) error { return n.makeAway(ctx) })
}

// makeAway makes the table of parts on their way: as the ledger is today, without its
// constraints, which let nothing in but the next part of a consumer.
func (db *DB) makeAway(ctx context.Context) error {
	var rows uint64
	err := db.conn.QueryRow(ctx, "SELECT count() FROM "+away).Scan(&rows)
	if err == nil && rows > 0 {
		return nil // of a move that stopped
	}
	for _, statement := range []string{
		"DROP TABLE IF EXISTS " + away + " SYNC",
		"CREATE TABLE " + away + " AS ledger",
		"ALTER TABLE " + away + " DROP CONSTRAINT token, DROP CONSTRAINT one_block, DROP CONSTRAINT append",
	} {
		if err := db.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (m *movement) announce(ctx context.Context) error {
	if m.placed.From != "" {
		return nil
	}
	m.last++
	return m.db.AppendPlacement(ctx, Placement{Number: m.last, Shard: m.shard, Node: m.target.name, From: m.source.name, Actor: m.actor})
}

func (m *movement) arrive(ctx context.Context) error {
	m.last++
	return m.db.AppendPlacement(ctx, Placement{Number: m.last, Shard: m.shard, Node: m.target.name, Actor: m.actor})
}

func (m *movement) close(ctx context.Context) error { return m.db.rename(ctx, "", closed) }
func (m *movement) open(ctx context.Context) error  { return m.db.rename(ctx, closed, "") }

// reopen ends a move that stopped before its last step.
func (m *movement) reopen(ctx context.Context, tell func(string)) error {
	found, err := m.db.enginesOf(ctx, suffixed(closed))
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("shard %d is on node %s already", m.shard, m.target.name)
	}
	tell("open home's tables")
	return m.open(ctx)
}

func suffixed(suffix string) []string {
	names := make([]string, len(nodeTables))
	for i, table := range nodeTables {
		names[i] = table + suffix
	}
	return names
}

// rename renames home's tables over the nodes, all of them at once, as far as they do
// not have the name yet.
func (db *DB) rename(ctx context.Context, from, to string) error {
	found, err := db.enginesOf(ctx, suffixed(from))
	if err != nil {
		return err
	}
	var renames []string
	for _, table := range nodeTables {
		if found[table+from] == "Distributed" {
			renames = append(renames, fmt.Sprintf("%s%s TO %s%s", table, from, table, to))
		}
	}
	if len(renames) == 0 {
		return nil
	}
	return db.exec(ctx, "RENAME TABLE "+strings.Join(renames, ", "))
}

// fence takes the ledger out of its node. From then on the node has no part before the
// next one, and refuses it; but an insert that was let in a moment before may still put
// its part there. It is the next one, and goes along; while it was there, it may have let
// in the one after it. So it is over only when no insert runs, and then nothing is found
// that was put there since the ledger was last taken out.
func (m *movement) fence(ctx context.Context) error {
	for {
		if _, err := m.takeOut(ctx); err != nil {
			return err
		}
		running, _, err := one(ctx, m.source, "inserting", args{"prefix": fmt.Sprintf("g:%d:", m.shard)},
			func(rows native.Rows, n *uint64) error { return rows.Scan(n) })
		if err != nil {
			return err
		}
		if running == 0 {
			if taken, err := m.takeOut(ctx); err != nil || !taken {
				return err
			}
		}
		if !sleep(ctx, firstPause) {
			return ctx.Err()
		}
	}
}

// takeOut takes out what is there, and tells whether anything was.
func (m *movement) takeOut(ctx context.Context) (bool, error) {
	n, err := m.source.partsOf(ctx, m.shard)
	if err != nil || n == 0 {
		return false, err
	}
	return true, m.source.exec(ctx, fmt.Sprintf("ALTER TABLE ledger MOVE PARTITION %d TO TABLE %s", m.shard, away))
}

func (m *movement) copy(ctx context.Context) error {
	if n, err := m.target.partsOf(ctx, m.shard); err != nil || n > 0 {
		return err // it was copied and compared, and may have been removed here since
	}
	for _, table := range copied {
		if err := m.copyTable(ctx, table); err != nil {
			return err
		}
	}
	return nil
}

// copies is how often a table is copied while consumers still write to it: their rows of a
// part that the ledger then refuses, of one batch each.
const copies = 10

func (m *movement) copyTable(ctx context.Context, table string) error {
	for again := copies; ; {
		if err := m.pull(ctx, table); err != nil {
			return err
		}
		err := m.same(ctx, table+" FINAL") // merges may have come further at one of them
		if again--; err == nil || again == 0 {
			return err
		}
		if !sleep(ctx, firstPause) {
			return ctx.Err()
		}
	}
}

func (m *movement) copyLedger(ctx context.Context) error {
	n, err := m.target.partsOf(ctx, m.shard)
	if err != nil || n > 0 {
		return err
	}
	drop := fmt.Sprintf("ALTER TABLE %s DROP PARTITION %d", away, m.shard)
	if err := m.target.exec(ctx, drop); err != nil {
		return err
	}
	if err := m.pull(ctx, away); err != nil {
		return err
	}
	if err := m.same(ctx, away); err != nil {
		return err
	}
	return m.target.exec(ctx, fmt.Sprintf("ALTER TABLE ledger ATTACH PARTITION %d FROM %s", m.shard, away))
}

// pull lets the target read the shard's rows of a table from all nodes.
func (m *movement) pull(ctx context.Context, table string) error {
	statement := fmt.Sprintf("INSERT INTO %s SELECT * FROM cluster('%s', '%s', '%s') WHERE shard = %d",
		table, m.db.cfg.Cluster, m.target.cfg.Database, table, m.shard)
	ctx = driver.Context(ctx, driver.WithSettings(driver.Settings{"insert_deduplicate": 0, "max_execution_time": 0}))
	return m.target.conn.Exec(ctx, statement) // not repeated: it may have been done
}

// same compares what the two nodes have, each row once.
func (m *movement) same(ctx context.Context, table string) error {
	var sums [2]string
	for i, n := range []*DB{m.source, m.target} {
		err := n.conn.QueryRow(ctx, fmt.Sprintf("SELECT toString((count(), sum(h))) FROM (SELECT DISTINCT cityHash64(*) AS h FROM %s WHERE shard = %d)",
			table, m.shard)).Scan(&sums[i])
		if err != nil {
			return fmt.Errorf("compare %s at node %s: %w", table, n.name, err)
		}
	}
	if sums[0] != sums[1] {
		return fmt.Errorf("%s has %s at node %s and %s at node %s: nothing was removed, run the move again",
			table, sums[0], m.source.name, sums[1], m.target.name)
	}
	return nil
}

// clear removes the shard from the node that it left, when the other one has it.
func (m *movement) clear(ctx context.Context) error {
	if n, err := m.target.partsOf(ctx, m.shard); err != nil || n == 0 {
		return fmt.Errorf("node %s has %d rows of its ledger: %w", m.target.name, n, err)
	}
	for _, n := range []*DB{m.source, m.target} {
		if err := n.exec(ctx, fmt.Sprintf("ALTER TABLE %s DROP PARTITION %d", away, m.shard)); err != nil {
			return err
		}
	}
	for _, table := range copied {
		if err := m.source.exec(ctx, fmt.Sprintf("ALTER TABLE %s DELETE WHERE shard = %d SETTINGS mutations_sync = 2", table, m.shard)); err != nil {
			return err
		}
	}
	return nil
}

// partsOf counts the rows that the ledger has of a shard.
func (db *DB) partsOf(ctx context.Context, shard uint16) (n uint64, err error) {
	err = db.retry(ctx, "count rows", func(ctx context.Context) error {
		return db.conn.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM ledger WHERE shard = %d", shard)).Scan(&n)
	})
	return n, err
}

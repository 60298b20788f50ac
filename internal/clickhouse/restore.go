package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// RestoreSpec says what is restored.
type RestoreSpec struct {
	Name string
	From Destination
	All  bool              // every table, and not the ledger alone
	Tell func(what string) // of each step; may be nil
}

// Restored is what became of one table.
type Restored struct {
	Node  string `json:"node,omitempty"` // where; empty: home, or the one server
	Table string `json:"table"`
	Rows  uint64 `json:"rows"` // in the backup
	How   string `json:"how"`  // exchanged, added, kept
}

// What becomes of a table: it took the place of the one that was there, its rows were
// added to those that were there, or it was left aside because the one that was there
// goes further.
const (
	Exchanged = "exchanged"
	Added     = "added"
	Kept      = "kept"
)

// A restored table stands beside the one in use until it was checked; the one that it
// replaced stays until the next restore.
const (
	restoredSuffix = "_restored"
	replacedSuffix = "_replaced"
)

// Restore brings tables back from a backup while writers live. Each is restored beside
// the one in use and checked; then the ledger and the chains are exchanged with it in
// one step, and rows that cannot contradict one another are added. A writer whose
// ledger was exchanged loses its next part and goes on from the last mark, reading
// Kafka again from there.
func (db *DB) Restore(ctx context.Context, spec RestoreSpec) ([]Restored, error) {
	if err := db.unreplicated(); err != nil {
		return nil, err
	}
	if err := spec.From.Check(); err != nil {
		return nil, err
	}
	if !backupName.MatchString(spec.Name) {
		return nil, fmt.Errorf("no backup is called %q", spec.Name)
	}
	r := restoring{db: db, home: db, spec: spec}
	if err := r.find(ctx); err != nil {
		return nil, fmt.Errorf("restore %s: %w", spec.Name, err)
	}
	done, err := r.run(ctx)
	if err != nil {
		return done, fmt.Errorf("restore %s: %w", spec.Name, err)
	}
	return done, nil
}

// restoring is what comes back on one server.
type restoring struct {
	db   *DB // where; home, or one of the nodes
	home *DB
	spec RestoreSpec
	made Backup
	done []Restored
}

func (r *restoring) tell(format string, args ...any) {
	if r.spec.Tell != nil {
		r.spec.Tell(fmt.Sprintf(format, args...))
	}
}

// find reads what the backup is, from the table of backups or, where that was lost,
// from the backup itself, and refuses one that does not belong here.
func (r *restoring) find(ctx context.Context) error {
	made, err := r.db.Backups(ctx)
	if err != nil {
		return err
	}
	if !r.among(made) {
		if err := r.bring(ctx, "backups", otherHalf); err != nil {
			return err
		}
		if made, err = r.db.backupsIn(ctx, "backups"+restoredSuffix); err != nil {
			return err
		}
		if !r.among(made) {
			return errors.New("the backup does not know itself: it is another one under this name")
		}
	} else if r.made.State != BackupComplete {
		return fmt.Errorf("it is not complete: %s", r.made.State)
	}
	if err := r.db.sameLayout(r.made); err != nil {
		return err
	}
	schema, err := r.db.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	if schema != r.made.Schema {
		return fmt.Errorf("its tables are at schema %d, those in use at %d: restore it with assay %s into a database of its own, then migrate that", r.made.Schema, schema, r.made.Code)
	}
	key, err := r.db.unitKey(ctx)
	if err == nil && key != "" && r.made.UnitKey != "" && key != r.made.UnitKey {
		err = errors.New("its units are hashed under another key than those in use: it is a backup of another deployment")
	}
	return err
}

func (r *restoring) among(made []Backup) bool {
	i := slices.IndexFunc(made, func(b Backup) bool { return b.Name == r.spec.Name })
	if i >= 0 {
		r.made = made[i]
	}
	return i >= 0
}

// run does one table after the other, the ledgers last: what their marks name is there
// by then. No ledger is exchanged before all of them are right.
func (r *restoring) run(ctx context.Context) (done []Restored, err error) {
	places := []*restoring{r}
	if r.db.spread() {
		for _, n := range r.db.nodes {
			places = append(places, &restoring{db: n, home: r.db, spec: r.spec, made: r.made})
		}
	}
	defer func() {
		for _, p := range places {
			done = append(done, p.done...)
		}
	}()
	if r.spec.All {
		for _, p := range places {
			if err := p.beside(ctx); err != nil {
				return nil, p.db.onNode(err)
			}
		}
	}
	if r.db.spread() {
		if err := r.db.unmoved(ctx, r.made.Nodes); err != nil {
			return nil, err
		}
	}
	for _, do := range []func(*restoring, context.Context) error{(*restoring).bringLedger, (*restoring).exchangeLedger} {
		for _, p := range places {
			if !p.db.has("ledger") {
				continue
			}
			if err := do(p, ctx); err != nil {
				return nil, p.db.onNode(err)
			}
		}
	}
	return nil, nil
}

// beside restores what lies beside the ledger on this server.
func (r *restoring) beside(ctx context.Context) error {
	for _, table := range r.db.backedRows() {
		if err := r.add(ctx, table); err != nil {
			return err
		}
	}
	for _, table := range r.db.backedChains() {
		if err := r.lengthen(ctx, table); err != nil {
			return err
		}
	}
	return nil
}

// bringLedger restores the ledger beside the one in use and checks it.
func (r *restoring) bringLedger(ctx context.Context) error {
	if err := r.bring(ctx, "ledger", ledgerHalf); err != nil {
		return err
	}
	r.tell("check the restored ledger")
	if err := r.checkLedger(ctx); err != nil {
		return fmt.Errorf("the ledger that was restored is not right, the one in use is untouched: %w", err)
	}
	return nil
}

func (r *restoring) exchangeLedger(ctx context.Context) error { return r.exchange(ctx, "ledger") }

// checkLedger holds the restored ledger to everything that the one in use must be.
func (r *restoring) checkLedger(ctx context.Context) error {
	const table = "ledger" + restoredSuffix
	faults, err := r.db.chainFaults(ctx, table)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("shard %d is no chain: last part %d, %d marks, %d rows of %d", faults[0].Shard, faults[0].Seq, faults[0].Marks, faults[0].Rows, faults[0].Declared)
	}
	heads, err := r.db.headsOf(ctx, table)
	if err != nil {
		return err
	}
	at := map[uint16]Head{}
	for _, h := range heads {
		at[h.Shard] = h
	}
	for _, shard := range slices.Sorted(maps.Keys(r.made.Vector)) {
		if node := r.made.Nodes[shard]; node != "" && node != r.db.name {
			continue
		}
		if seq := r.made.Vector[shard]; at[shard].Seq < seq {
			return fmt.Errorf("shard %d ends with part %d, the backup had part %d", shard, at[shard].Seq, seq)
		}
	}
	known, err := r.home.VersionNumber(ctx)
	if err != nil {
		return err
	}
	for _, h := range heads {
		if h.Config > known {
			return fmt.Errorf("shard %d counts under version %d, and %d is the last one that is here: restore with --all", h.Shard, h.Config, known)
		}
	}
	return nil
}

// lengthen exchanges a chain with the restored one where that goes further. A longer
// one in use knows of what was applied and decided since, and stays.
func (r *restoring) lengthen(ctx context.Context, table string) error {
	if err := r.bring(ctx, table, otherHalf); err != nil {
		return err
	}
	there, err := r.rows(ctx, table)
	if err != nil {
		return err
	}
	back, err := r.rows(ctx, table+restoredSuffix)
	if err != nil {
		return err
	}
	if back > there {
		return r.exchange(ctx, table)
	}
	return r.drop(ctx, table, Kept, back)
}

// add puts the restored rows beside those that are there.
func (r *restoring) add(ctx context.Context, table string) error {
	if err := r.bring(ctx, table, otherHalf); err != nil {
		return err
	}
	back, err := r.rows(ctx, table+restoredSuffix)
	if err != nil {
		return err
	}
	if back > 0 {
		if err := r.exec(ctx, "ALTER TABLE "+table+" ATTACH PARTITION ALL FROM "+table+restoredSuffix); err != nil {
			return err
		}
	}
	return r.drop(ctx, table, Added, back)
}

// bring restores one table beside the one in use and has the server check its parts.
func (r *restoring) bring(ctx context.Context, table, half string) error {
	r.tell("restore %s", table)
	name := r.db.cfg.Database + "." + table
	if err := r.exec(ctx, "DROP TABLE IF EXISTS "+table+restoredSuffix+" SYNC"); err != nil { // of a try that was broken off
		return err
	}
	if _, err := r.db.byServer(ctx, "RESTORE TABLE "+name+" AS "+name+restoredSuffix+" FROM "+r.spec.From.of(r.db.place(r.spec.Name), half)); err != nil {
		return fmt.Errorf("table %s: %w", table, err)
	}
	var whole uint8
	if err := r.db.conn.QueryRow(ctx, "CHECK TABLE "+table+restoredSuffix+" SETTINGS check_query_single_value_result = 1").Scan(&whole); err != nil {
		return fmt.Errorf("check table %s: %w", table, err)
	}
	if whole != 1 {
		return fmt.Errorf("table %s: parts of it are damaged in the backup; the table in use is untouched", table)
	}
	return nil
}

// exchange puts the restored table in the place of the one in use, in one step. What
// was being inserted lands in the one that is put away.
func (r *restoring) exchange(ctx context.Context, table string) error {
	rows, err := r.rows(ctx, table+restoredSuffix)
	if err != nil {
		return err
	}
	r.tell("exchange %s", table)
	for _, statement := range []string{
		"EXCHANGE TABLES " + table + " AND " + table + restoredSuffix,
		"DROP TABLE IF EXISTS " + table + replacedSuffix + " SYNC",
		"RENAME TABLE " + table + restoredSuffix + " TO " + table + replacedSuffix,
	} {
		if err := r.exec(ctx, statement); err != nil {
			return err
		}
	}
	r.done = append(r.done, Restored{Node: r.db.name, Table: table, Rows: rows, How: Exchanged})
	return nil
}

func (r *restoring) drop(ctx context.Context, table, how string, rows uint64) error {
	r.done = append(r.done, Restored{Node: r.db.name, Table: table, Rows: rows, How: how})
	return r.exec(ctx, "DROP TABLE "+table+restoredSuffix+" SYNC")
}

func (r *restoring) rows(ctx context.Context, table string) (n uint64, err error) {
	err = r.db.conn.QueryRow(ctx, "SELECT count() FROM "+table).Scan(&n)
	return n, err
}

func (r *restoring) exec(ctx context.Context, statement string) error {
	if err := r.db.conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// chainFaults is [DB.CheckChain] of any table that is a ledger.
func (db *DB) chainFaults(ctx context.Context, table string) ([]ChainFault, error) {
	return collectFrom(ctx, db, "chain_faults", table, func(rows native.Rows, f *ChainFault) error {
		return rows.Scan(&f.Shard, &f.Seq, &f.Marks, &f.Distinct, &f.Attempts, &f.Rows, &f.Declared)
	})
}

// headsOf is [DB.Heads] of any table that is a ledger.
func (db *DB) headsOf(ctx context.Context, table string) ([]Head, error) {
	return collectFrom(ctx, db, "heads", table, func(rows native.Rows, h *Head) error {
		return rows.Scan(&h.Shard, &h.Seq, &h.Config)
	})
}

// collectFrom is collect of another table than the ledger in use.
func collectFrom[T any](ctx context.Context, db *DB, name, table string, scan func(native.Rows, *T) error) ([]T, error) {
	text, err := statement(name)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", name, err)
	}
	return collectText(ctx, db, name, strings.Replace(text, "FROM ledger\n", "FROM "+table+"\n", 1), nil, scan)
}

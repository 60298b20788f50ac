package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// BackupState is how a backup stands.
type BackupState string

// The states. What was begun and is not complete is worth nothing.
const (
	BackupBegun    BackupState = "begun"
	BackupComplete BackupState = "complete"
	BackupRemoved  BackupState = "removed"
	BackupFailed   BackupState = "failed"
)

// Backup is a copy of all tables, as the table of backups has it.
type Backup struct {
	Name    string            `json:"name"`
	Begun   time.Time         `json:"begun"`
	State   BackupState       `json:"state"`
	Schema  int64             `json:"schema"`           // last migration of the tables in it
	Code    string            `json:"code"`             // version of the program
	UnitKey string            `json:"unit_key"`         // the key's fingerprint; empty: no unit was read yet
	Vector  map[uint16]uint64 `json:"vector,omitempty"` // shard → a part up to which its ledger goes at least
	Bytes   uint64            `json:"bytes"`
	Nodes   map[uint16]string `json:"nodes,omitempty"` // shard → the node that had it; empty where one server has all
}

// Destination is where the server keeps backups: an expression of its BACKUP statement
// with {name} in it, such as File('{name}') or S3(collection, '{name}').
type Destination string

var (
	destination = regexp.MustCompile(`^(File|Disk|S3|AzureBlobStorage)\([^;]*\{name\}[^;]*\)$`)
	backupName  = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,99}$`)
)

// Check refuses what no server understands.
func (d Destination) Check() error {
	if !destination.MatchString(string(d)) {
		return fmt.Errorf("%q is no place for backups: one is File('{name}'), Disk('disk', '{name}') or S3(collection, '{name}')", string(d))
	}
	return nil
}

// of is the place of one half of a backup.
func (d Destination) of(name, half string) string {
	return strings.ReplaceAll(string(d), "{name}", name+"/"+half)
}

// A backup has two halves. The ledger's is made first: what its marks rest on, rows of
// events, versions and decodings, was written before them and is then in the other.
const (
	ledgerHalf = "ledger"
	otherHalf  = "tables"
)

// Backed are the tables that a backup holds beside the ledger. Of a chain the longer
// one is right; of the others rows are told apart by their keys, and those of two
// copies can lie in one table.
var (
	backedChains = []string{"configurations", "decodings", "decisions", "deliveries", "unit_keys", "placements"}
	backedRows   = []string{"events", "dead_letters", "unit_names", "looks", "losses", "proven", "suppressed", "erased", "adjustments", "backups", "signals"}
)

// Backups are those that were made, the newest first.
func (db *DB) Backups(ctx context.Context) ([]Backup, error) {
	return db.backupsIn(ctx, "backups")
}

func (db *DB) backupsIn(ctx context.Context, table string) ([]Backup, error) {
	text, err := statement("backups")
	if err != nil {
		return nil, fmt.Errorf("query backups: %w", err)
	}
	var all []Backup
	err = db.queryText(ctx, "backups", strings.Replace(text, "FROM backups", "FROM "+table, 1), nil, func() { all = nil }, func(rows native.Rows) error {
		var b Backup
		var state string
		if err := rows.Scan(&b.Name, &b.Begun, &state, &b.Schema, &b.Code, &b.UnitKey, &b.Vector, &b.Bytes, &b.Nodes); err != nil {
			return err
		}
		b.State = BackupState(state)
		all = append(all, b)
		return nil
	})
	return all, err
}

// Backup copies all tables to a place that the server knows. Writers go on meanwhile.
func (db *DB) Backup(ctx context.Context, name string, to Destination) (Backup, error) {
	b, err := db.describeBackup(ctx, name, to)
	if err != nil {
		return b, err
	}
	made, err := db.makeBackup(ctx, b, to)
	if err != nil {
		b.State = BackupFailed
		noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
		defer cancel()
		return b, errors.Join(err, db.NoteBackup(noting, b))
	}
	return made, nil
}

// noteTimeout is how long it is tried to write down that a backup failed.
const noteTimeout = 10 * time.Second

func (db *DB) makeBackup(ctx context.Context, b Backup, to Destination) (Backup, error) {
	holders := db.holders()
	for _, h := range holders {
		n, err := h.copyOut(ctx, []string{"ledger"}, to.of(h.place(b.Name), ledgerHalf))
		if err != nil {
			return b, h.onNode(fmt.Errorf("back up the ledger: %w", err))
		}
		b.Bytes += n
	}
	if err := db.NoteBackup(ctx, b); err != nil {
		return b, err
	}
	if db.spread() {
		holders = append(holders, db)
	}
	for _, h := range holders {
		n, err := h.copyOut(ctx, append(h.backedRows(), h.backedChains()...), to.of(h.place(b.Name), otherHalf))
		if err != nil {
			return b, h.onNode(fmt.Errorf("back up the tables beside the ledger: %w", err))
		}
		b.Bytes += n
	}
	if err := db.unmoved(ctx, b.Nodes); err != nil {
		return b, err
	}
	b.State = BackupComplete
	return b, db.NoteBackup(ctx, b)
}

// describeBackup is what is known of a backup before it is begun.
func (db *DB) describeBackup(ctx context.Context, name string, to Destination) (Backup, error) {
	b := Backup{Name: name, Begun: time.Now().UTC().Truncate(time.Millisecond), State: BackupBegun, Code: db.cfg.Code, Vector: map[uint16]uint64{}}
	if err := to.Check(); err != nil {
		return b, err
	}
	if err := db.unreplicated(); err != nil {
		return b, err
	}
	if !backupName.MatchString(name) {
		return b, fmt.Errorf("a backup cannot be called %q: small letters, digits, - and _ are for names", name)
	}
	made, err := db.Backups(ctx)
	if err != nil {
		return b, err
	}
	if slices.ContainsFunc(made, func(o Backup) bool { return o.Name == name }) {
		return b, fmt.Errorf("there was a backup %s already", name)
	}
	if b.Nodes, err = db.nodesOfShards(ctx); err != nil {
		return b, err
	}
	for _, h := range db.holders() {
		heads, err := h.Heads(ctx)
		if err != nil {
			return b, h.onNode(err)
		}
		for _, head := range heads {
			b.Vector[head.Shard] = head.Seq
		}
	}
	if b.UnitKey, err = db.unitKey(ctx); err != nil {
		return b, err
	}
	b.Schema, err = db.SchemaVersion(ctx)
	return b, err
}

// unreplicated refuses replicas: no set of them could be run.
func (db *DB) unreplicated() error {
	if db.cfg.Replicated {
		return errors.New("replicated tables are not backed up and restored by this command: that was never tried")
	}
	return nil
}

// NoteBackup writes down how a backup stands.
func (db *DB) NoteBackup(ctx context.Context, b Backup) error {
	err := db.retry(idempotent(ctx), "insert a backup", func(ctx context.Context) error {
		batch, err := db.conn.PrepareBatch(ctx, "INSERT INTO backups (name, begun, at, state, schema, code, unit_key, vector, bytes, nodes)")
		if err != nil {
			return err
		}
		if err := batch.Append(b.Name, b.Begun, time.Now(), string(b.State), b.Schema, b.Code, b.UnitKey, b.Vector, b.Bytes, b.Nodes); err != nil {
			_ = batch.Abort() // a batch that is neither sent nor aborted keeps its connection
			return err
		}
		return batch.Send()
	})
	if err != nil {
		return fmt.Errorf("note backup %s: %w", b.Name, err)
	}
	return nil
}

func (db *DB) copyOut(ctx context.Context, tables []string, to string) (bytes uint64, err error) {
	named := make([]string, len(tables))
	for i, t := range tables {
		named[i] = "TABLE " + db.cfg.Database + "." + t
	}
	return db.byServer(ctx, "BACKUP "+strings.Join(named, ", ")+" TO "+to)
}

// byServer has the server do a BACKUP or RESTORE by itself and waits for it, for as
// long as the context lets it: an answer would come later than a connection lives.
func (db *DB) byServer(ctx context.Context, statement string) (bytes uint64, err error) {
	var id, state string
	if err := db.conn.QueryRow(ctx, statement+" ASYNC").Scan(&id, &state); err != nil {
		return 0, err
	}
	type progress struct {
		state, failed string
		bytes         uint64
	}
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		p, known, err := one(ctx, db, "backup_progress", args{"id": id}, func(rows native.Rows, p *progress) error {
			return rows.Scan(&p.state, &p.failed, &p.bytes)
		})
		switch {
		case err != nil:
			return 0, err
		case !known:
			return 0, errors.New("the server no longer knows of it: it was started anew meanwhile")
		case p.state == "BACKUP_CREATED" || p.state == "RESTORED":
			return p.bytes, nil
		case p.state != "CREATING_BACKUP" && p.state != "RESTORING":
			return 0, fmt.Errorf("%s: %s", strings.ToLower(p.state), p.failed)
		}
		if !sleep(ctx, pause) {
			return 0, ctx.Err()
		}
	}
}

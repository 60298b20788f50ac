package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
)

// AppendPart writes one part into the ledger, exactly once, or says that it is
// Lost. Counts.Topic is an index into topics. Only Committed means durable; an
// error leaves the fate open.
func (db *DB) AppendPart(ctx context.Context, topics []Topic, part ingest.Part) (Appended, error) {
	if err := checkPart(topics, part); err != nil {
		return Unknown, fmt.Errorf("append part: %w", err)
	}
	db, err := db.appender(ctx, part)
	if err != nil {
		return Unknown, fmt.Errorf("append part: %w", err)
	}
	if err := db.wait(ctx, "ledger"); err != nil {
		return Unknown, err
	}
	attempt := newAttempt()
	return db.append(ctx, &link{
		chain:   fmt.Sprintf("ledger of shard %d", part.Shard),
		table:   "ledger",
		token:   fmt.Sprintf("g:%d:%d", part.Shard, part.Seq),
		seq:     part.Seq,
		attempt: attempt,
		fields:  partFields(topics, part, attempt, db.cfg.Code, time.Now()),
		rows:    len(part.Rows) + 1,
		near:    db.nearby("ledger", "near_mark", args{"shard": part.Shard, "seq": part.Seq}),
	})
}

// LastMark is where a shard stands; its Seq is 0 when it never had a part.
func (db *DB) LastMark(ctx context.Context, shard uint16) (Mark, error) {
	if db.spread() {
		return db.lastMark(ctx, shard)
	}
	if err := db.wait(ctx, "ledger"); err != nil {
		return Mark{}, err
	}
	partitions, err := db.partitions(ctx)
	if err != nil {
		return Mark{}, err
	}
	m, found, err := one(ctx, db, "last_mark", args{"shard": shard}, func(rows native.Rows, m *Mark) error {
		return rows.Scan(&m.Seq, &m.Attempt, &m.Config, &m.Code, &m.WrittenAt)
	})
	if err != nil || !found {
		return Mark{Shard: shard, Partitions: partitions}, err
	}
	m.Shard, m.Partitions = shard, partitions
	// Bounded by the mark just read: what is appended meanwhile changes nothing.
	m.Topics, err = collect(ctx, db, "mark_topics", args{"shard": shard, "seq": m.Seq}, scanTopic)
	return m, err
}

// partitions is under how many of them the ledger was begun; 0: by nobody.
func (db *DB) partitions(ctx context.Context) (uint32, error) {
	n, _, err := one(ctx, db, "partitions", nil, func(rows native.Rows, n *uint32) error { return rows.Scan(n) })
	return n, err
}

func scanTopic(rows native.Rows, t *TopicMark) (err error) {
	var id string
	if err := rows.Scan(&t.Name, &id, &t.Next, &t.Epoch); err != nil {
		return err
	}
	t.ID, err = parseTopicID(id)
	return err
}

// CheckChain returns the shards whose ledger is not a chain: numbers from 1
// without gaps, one attempt each, and as many rows as the marks declare.
func (db *DB) CheckChain(ctx context.Context) ([]ChainFault, error) {
	if err := db.wait(ctx, "ledger"); err != nil { // parts reach a replica in any order
		return nil, err
	}
	return collect(ctx, db, "chain_faults", nil, func(rows native.Rows, f *ChainFault) error {
		return rows.Scan(&f.Shard, &f.Seq, &f.Marks, &f.Distinct, &f.Attempts, &f.Rows, &f.Declared)
	})
}

// Reconcile adds up, by shard and topic, what the marks say.
func (db *DB) Reconcile(ctx context.Context) ([]Reconciliation, error) {
	return db.reconcile(ctx, -1, math.MaxInt64)
}

// ReconcileAt is [DB.Reconcile] as the ledger stood when the shards had come to these parts.
func (db *DB) ReconcileAt(ctx context.Context, vector map[uint16]uint64) ([]Reconciliation, error) {
	var all []Reconciliation
	for _, shard := range slices.Sorted(maps.Keys(vector)) {
		rows, err := db.reconcile(ctx, int32(shard), vector[shard])
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// reconcile does so for one shard (-1: all), up to a mark.
func (db *DB) reconcile(ctx context.Context, shard int32, seq uint64) ([]Reconciliation, error) {
	if err := db.wait(ctx, "ledger"); err != nil {
		return nil, err
	}
	return collect(ctx, db, "reconcile", args{"shard": shard, "seq": seq}, func(rows native.Rows, r *Reconciliation) error {
		return rows.Scan(&r.Shard, &r.Topic, &r.Parts, &r.From, &r.Next,
			&r.Accepted, &r.Duplicate, &r.Dead, &r.Misplaced, &r.Suppressed, &r.Shed, &r.NoRecord, &r.Gap,
			&r.Difference, &r.Breaks)
	})
}

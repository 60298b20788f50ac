package clickhouse

import (
	"context"
	"fmt"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// LossKind is how records were lost.
type LossKind string

// The kinds. What was lost before it was read stands in the marks and is Unread;
// the others stand in a table of their own.
const (
	Unread   LossKind = "unread"   // deleted before it was read, accepted by a person
	Before   LossKind = "before"   // deleted before the topic was first read
	Unstored LossKind = "unstored" // counted, then lost from events and from Kafka; accepted by a person
	Replaced LossKind = "replaced" // another log at places that were counted; accepted by a person
)

// Loss is a stretch of records that are in no number, or can no longer be found.
type Loss struct {
	Kind       LossKind
	Shard      uint16
	Topic      string
	From, Next int64
	Seq        uint64    // the part of the ledger that it belongs to
	Records    uint64    // how many at most
	Until      time.Time // none of them is of a later time
}

// NoteLosses writes losses of one shard down. Writing them again changes nothing.
func (db *DB) NoteLosses(ctx context.Context, losses []Loss) error {
	if len(losses) == 0 {
		return nil
	}
	var shard, seq, from, next, records, until, noted fixed
	var topic, kind words
	now := time.Now()
	for _, l := range losses {
		shard.uint16(l.Shard)
		topic.add(l.Topic)
		kind.add(string(l.Kind))
		seq.uint64(l.Seq)
		from.int64(l.From)
		next.int64(l.Next)
		records.uint64(l.Records)
		until.int64(l.Until.UnixMilli())
		noted.int64(now.UnixMilli())
	}
	fields := []field{
		{"shard", &shard}, {"topic", &topic}, {"kind", &kind}, {"seq", &seq}, {"from_offset", &from},
		{"next_offset", &next}, {"records", &records}, {"until", &until}, {"noted_at", &noted},
	}
	db, err := db.holder(ctx, losses[0].Shard)
	if err != nil {
		return fmt.Errorf("insert losses: %w", err)
	}
	return db.retry(idempotent(ctx), "insert losses", func(ctx context.Context) error {
		return db.insert(ctx, "losses", fields, len(losses))
	})
}

// Missing compares what the marks of a shard counted with what is stored: the
// marks that were never compared, and at least the last ones (marks ≤ 0 means all
// that can be). It reads every event of the shard once.
func (db *DB) Missing(ctx context.Context, shard uint16, marks int) ([]Lacking, error) {
	m, err := db.LastMark(ctx, shard)
	if err != nil || m.Seq == 0 {
		return nil, err
	}
	compared, retired, err := db.provenUpTo(ctx, shard)
	if err != nil {
		return nil, err
	}
	gone, err := db.goneFrom(ctx, shard)
	if err != nil {
		return nil, err
	}
	params := args{"shard": shard, "after": max(retired, comparedBefore(m.Seq, compared, marks)), "seq": m.Seq, "hidden": gone}
	return collect(ctx, db, "missing", params, func(rows native.Rows, l *Lacking) (err error) {
		var id string
		if err := rows.Scan(&l.Topic, &l.Seq, &l.From, &l.Next, &l.Decode, &l.Events, &l.Dead, &id, &l.Config); err != nil {
			return err
		}
		l.ID, err = parseTopicID(id)
		return err
	})
}

// comparedBefore is the last mark that need not be compared again. What was
// written last is compared once more, because a power cut can take rows that had
// been seen; and what was proven beyond the last mark is of a ledger that is gone.
func comparedBefore(last, compared uint64, marks int) uint64 {
	if marks <= 0 || compared > last || uint64(marks) >= last {
		return 0
	}
	return min(compared, last-uint64(marks))
}

func (db *DB) provenUpTo(ctx context.Context, shard uint16) (compared, retired uint64, err error) {
	type pair struct{ compared, retired uint64 }
	p, _, err := one(ctx, db, "proven", args{"shard": shard}, func(rows native.Rows, p *pair) error {
		return rows.Scan(&p.compared, &p.retired)
	})
	return p.compared, p.retired, err
}

// Proved notes that everything that the shard counted up to a part is stored.
func (db *DB) Proved(ctx context.Context, shard uint16, seq uint64) error {
	return db.prove(ctx, shard, seq, false)
}

// prove writes a row of table proven. Retired rows are those that retention took.
func (db *DB) prove(ctx context.Context, shard uint16, seq uint64, retired bool) error {
	var shards, seqs, closed, at fixed
	shards.uint16(shard)
	seqs.uint64(seq)
	closed.bool(retired)
	at.int64(time.Now().UnixMilli())
	fields := []field{{"shard", &shards}, {"closed", &closed}, {"seq", &seqs}, {"at", &at}}
	db, err := db.holder(ctx, shard)
	if err != nil {
		return fmt.Errorf("insert proof: %w", err)
	}
	return db.retry(idempotent(ctx), "insert proof", func(ctx context.Context) error {
		return db.insert(ctx, "proven", fields, 1)
	})
}

// UnitKey returns the fingerprint of the key under which this ledger hashes units,
// and makes it the given one when there is none. Of two that come at once one wins
// and both are told which.
func (db *DB) UnitKey(ctx context.Context, fingerprint string) (string, error) {
	found, err := db.unitKey(ctx)
	if err != nil || found != "" {
		return found, err
	}
	var text text
	var at fixed
	text.add(fingerprint)
	at.int64(time.Now().UnixMilli())
	err = db.retry(idempotent(ctx), "insert the unit key's fingerprint", func(ctx context.Context) error {
		return db.insert(ctx, "unit_keys", []field{{"fingerprint", &text}, {"at", &at}}, 1)
	})
	if err != nil {
		return "", err
	}
	return db.unitKey(ctx)
}

func (db *DB) unitKey(ctx context.Context) (string, error) {
	if err := db.wait(ctx, "unit_keys"); err != nil {
		return "", err
	}
	found, _, err := one(ctx, db, "unit_key", nil, func(rows native.Rows, s *string) error { return rows.Scan(s) })
	if err != nil {
		return "", fmt.Errorf("read the unit key's fingerprint: %w", err)
	}
	return found, nil
}

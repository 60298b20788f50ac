package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const (
	attemptTimeout = time.Minute // of one insert; the next one asks what became of it
	maxRefusals    = 5
	maxBurnt       = 9 // the token constraints know :r1 to :r9
)

// link is a row that wants to be the next of its chain: a part of a shard, a
// configuration version, a decision.
type link struct {
	chain   string // for messages
	table   string
	token   string // without the form for a second try
	seq     uint64
	attempt uint64 // tells our row from anybody else's with the same number
	fields  []field
	rows    int
	// near asks which of the rows seq-1 and seq are there, as newAttempt values
	// by number; see position.
	near func(context.Context) (map[uint64][]uint64, error)
}

// newAttempt names one attempt owner. It is never 0.
func newAttempt() uint64 { return rand.Uint64() | 1 }

// position is where a chain stands as seen from a link.
type position uint8

const (
	next  position = iota // the link's number is free and is the next
	mine                  // the link is in the chain
	other                 // the number is taken, or the chain ends before it
)

func (l *link) position(ctx context.Context) (position, error) {
	attempts, err := l.near(ctx)
	if err != nil {
		return other, err
	}
	at := attempts[l.seq]
	switch {
	case len(at) > 1:
		return other, fmt.Errorf("%s is broken: number %d is there %d times", l.chain, l.seq, len(at))
	case len(at) == 1 && at[0] == l.attempt && l.seq > 1 && len(attempts[l.seq-1]) == 0:
		// It was accepted as the next one: what it followed was taken away meanwhile.
		return other, fmt.Errorf("%s was cut: number %d is there and %d is gone, somebody truncated or restored the table", l.chain, l.seq, l.seq-1)
	case len(at) == 1 && at[0] == l.attempt:
		return mine, nil
	case len(at) == 1:
		return other, nil
	case l.seq > 1 && len(attempts[l.seq-1]) == 0:
		return other, nil
	}
	return next, nil
}

// append writes a link exactly once, or says that the place was lost.
//
// An answer alone proves nothing: OK may mean "the server has seen this token",
// a refusal may mean that our own first try got through, and a lost connection
// means either. So the chain is read after every answer, and only a row with our
// attempt's number is a success. As long as the number is free the same token is
// sent again; two inserts with the same token are stored once however they
// overlap.
func (db *DB) append(ctx context.Context, l *link) (Appended, error) {
	var t tries
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		answer := db.offer(ctx, l, t.burnt)
		where, err := l.position(ctx)
		switch {
		case err != nil:
			return Unknown, fmt.Errorf("append %d to %s: %w", l.seq, l.chain, errors.Join(err, answer))
		case where == mine:
			return Committed, nil
		case where == other:
			return Lost, nil
		}
		if err := db.judge(ctx, l, &t, answer); err != nil {
			return Unknown, fmt.Errorf("append %d to %s: %w", l.seq, l.chain, err)
		}
		if !sleep(ctx, pause) {
			return Unknown, fmt.Errorf("append %d to %s: %w", l.seq, l.chain, errors.Join(ctx.Err(), answer))
		}
	}
}

// tries is what an append has learned so far.
type tries struct {
	burnt    int // tokens that are known to be phantoms
	refusals int
}

// judge decides what an answer means while the link's number is still free: nil
// to try again, an error when that is no use.
func (db *DB) judge(ctx context.Context, l *link, t *tries, answer error) error {
	switch {
	case answer == nil:
		is, err := db.phantom(ctx, l)
		if err != nil {
			return err
		}
		if is && t.burnt < maxBurnt {
			t.burnt++
			db.log.WarnContext(ctx, "clickhouse: token without part", "chain", l.chain, "seq", l.seq, "burnt", t.burnt)
			return nil
		}
	case refused(answer):
		// The one before us may have been committed between the check and our
		// reading; more often than that it is the block that is wrong.
		if t.refusals++; t.refusals == maxRefusals {
			return answer
		}
	case !transient(answer):
		return answer
	}
	db.log.WarnContext(ctx, "clickhouse: appending again", "chain", l.chain, "seq", l.seq, "answer", answer)
	return nil
}

// offer sends the link once.
func (db *DB) offer(ctx context.Context, l *link, burnt int) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	token := l.token
	if burnt > 0 {
		token += ":r" + strconv.Itoa(burnt)
	}
	return db.insert(driver.Context(ctx, driver.WithSettings(driver.Settings{
		"insert_deduplicate":         1,
		"insert_deduplication_token": token,
	})), l.table, l.fields, l.rows)
}

// phantom tells whether the token just answered with OK belongs to no row and
// never will. The server writes a token before it renames the part; a crash
// between the two leaves a token that turns every retry into an OK without
// effect. But the same can be seen while another insert of this token is between
// the two. So it is a phantom only when no insert of this link is running any
// more and the number is still free after that: from then on the token is in the
// server's memory and no row can come of it, so another token is safe.
//
// A replicated table writes token and part in one step of its keeper and has no
// phantoms.
func (db *DB) phantom(ctx context.Context, l *link) (bool, error) {
	if db.cfg.Replicated {
		return false, nil
	}
	running, _, err := one(ctx, db, "in_flight", args{"token": l.token}, func(rows native.Rows, n *uint64) error {
		return rows.Scan(n)
	})
	if err != nil || running > 0 {
		return false, err
	}
	where, err := l.position(ctx)
	return where == next, err
}

// wait makes a replica catch up. A watermark read without it may be an old one,
// and everything that follows from it is wrong without any error.
func (db *DB) wait(ctx context.Context, table string) error {
	if !db.cfg.Replicated {
		return nil
	}
	if db.spread() && slices.Contains(nodeTables, table) {
		return db.everywhere(ctx, func(ctx context.Context, n *DB) error { return n.wait(ctx, table) })
	}
	return db.retry(ctx, "wait for the replica of "+table, func(ctx context.Context) error {
		return db.conn.Exec(ctx, "SYSTEM SYNC REPLICA "+table+" LIGHTWEIGHT")
	})
}

// nearby builds link.near from a query that returns (number, attempt).
func (db *DB) nearby(table, query string, params args) func(context.Context) (map[uint64][]uint64, error) {
	type row struct{ seq, attempt uint64 }
	return func(ctx context.Context) (map[uint64][]uint64, error) {
		if err := db.wait(ctx, table); err != nil {
			return nil, err
		}
		all, err := collect(ctx, db, query, params, func(rows native.Rows, r *row) error {
			return rows.Scan(&r.seq, &r.attempt)
		})
		found := map[uint64][]uint64{}
		for _, r := range all {
			found[r.seq] = append(found[r.seq], r.attempt)
		}
		return found, err
	}
}

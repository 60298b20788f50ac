package clickhouse

import (
	"context"
	"fmt"
	"math"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// lastDecision is the end of the decision log.
type lastDecision struct {
	seq  uint64
	hash string
}

// AppendDecision stores d as number d.Seq, or after the last one when it is 0,
// and returns it with Seq, PrevHash and Hash. A number that was taken is a
// [ConflictError]: somebody else decided meanwhile, look again before you act.
//
// Whoever knows the hash of the decision before gives it as PrevHash; the end of the
// log is then read only if the server refuses.
func (db *DB) AppendDecision(ctx context.Context, d Decision) (Decision, error) {
	if d.Seq > 1 && d.PrevHash != "" {
		sealed, outcome, err := db.appendAfter(ctx, d, lastDecision{d.Seq - 1, d.PrevHash})
		if outcome == Committed || err != nil && !refused(err) {
			return sealed, err
		}
	}
	anywhere := d.Seq == 0
	for {
		last, err := db.endOfDecisions(ctx)
		if err != nil {
			return d, err
		}
		if anywhere {
			d.Seq = last.seq + 1
		}
		if d.Seq == last.seq+1 {
			sealed, outcome, err := db.appendAfter(ctx, d, last)
			if err != nil || outcome == Committed {
				return sealed, err
			}
		}
		if !anywhere {
			return d, db.decisionConflict(ctx, d.Seq)
		}
	}
}

// appendAfter offers d as the successor of last.
func (db *DB) appendAfter(ctx context.Context, d Decision, last lastDecision) (Decision, Appended, error) {
	d.At = d.At.UTC().Truncate(time.Millisecond)
	d.PrevHash = last.hash
	d.Hash = d.digest()
	outcome, err := db.append(ctx, db.decisionLink(d))
	return d, outcome, err
}

// decisionConflict says who wrote decision seq.
func (db *DB) decisionConflict(ctx context.Context, seq uint64) error {
	var first Decision
	err := db.decisions(ctx, DecisionFilter{After: seq - 1}, func() {}, func(d *Decision) {
		if d.Seq == seq {
			first = *d
		}
	})
	switch {
	case err != nil:
		return err
	case first.Seq == 0:
		return fmt.Errorf("append decision %d: it is not the next one: %w", seq, ErrNotFound)
	}
	return &ConflictError{Chain: "decision", Number: seq, Author: first.Actor}
}

func (db *DB) endOfDecisions(ctx context.Context) (lastDecision, error) {
	if err := db.wait(ctx, "decisions"); err != nil {
		return lastDecision{}, err
	}
	last, found, err := one(ctx, db, "decision_last", nil, func(rows native.Rows, l *lastDecision) error {
		return rows.Scan(&l.seq, &l.hash)
	})
	if !found {
		last.hash = genesis
	}
	return last, err
}

// LastDecision is the number and the hash of the last decision; 0 and "" without one.
func (db *DB) LastDecision(ctx context.Context) (seq uint64, hash string, err error) {
	last, err := db.endOfDecisions(ctx)
	if last.seq == 0 {
		return 0, "", err
	}
	return last.seq, last.hash, err
}

func (db *DB) decisionLink(d Decision) *link {
	attempt := newAttempt()
	var seq, attempts, at, iteration, config fixed
	seq.uint64(d.Seq)
	attempts.uint64(attempt)
	at.int64(d.At.UnixMilli())
	iteration.uint32(d.Iteration)
	config.uint32(d.Config)
	previous, hash := fixed(d.PrevHash), fixed(d.Hash)
	fields := []field{
		{"seq", &seq}, {"attempt", &attempts}, {"at", &at}, {"iteration", &iteration},
		{"config", &config}, {"prev_hash", &previous}, {"hash", &hash},
	}
	for _, c := range []struct{ name, value string }{
		{"experiment", d.Experiment}, {"guardrail", d.Guardrail}, {"arm", d.Arm},
		{"kind", d.Kind}, {"verdict", d.Verdict}, {"code", d.Code},
	} {
		column := &words{}
		column.add(c.value)
		fields = append(fields, field{c.name, column})
	}
	for _, c := range []struct{ name, value string }{
		{"reason", d.Reason}, {"actor", d.Actor}, {"look", d.Look}, {"evidence", string(d.Evidence)},
	} {
		column := &text{}
		column.add(c.value)
		fields = append(fields, field{c.name, column})
	}
	return &link{
		chain: "the decision log", table: "decisions",
		token: fmt.Sprintf("d:%d", d.Seq), seq: d.Seq, attempt: attempt, rows: 1, fields: fields,
		near: db.nearby("decisions", "near_decision", args{"seq": d.Seq}),
	}
}

// Decisions lists the log, oldest first.
func (db *DB) Decisions(ctx context.Context, f DecisionFilter) ([]Decision, error) {
	if f.After > 0 { // somebody follows the log, and mostly there is nothing new: that is cheaper to know
		last, _, err := one(ctx, db, "decision_number", nil, func(rows native.Rows, last *uint64) error { return rows.Scan(last) })
		if err != nil || last <= f.After {
			return nil, err
		}
	}
	var all []Decision
	err := db.decisions(ctx, f, func() { all = nil }, func(d *Decision) { all = append(all, *d) })
	return all, err
}

// decisions hands one after the other to fn. It begins anew, and says so, after
// a lost connection.
func (db *DB) decisions(ctx context.Context, f DecisionFilter, begin func(), fn func(*Decision)) error {
	limit := uint64(math.MaxInt64)
	if f.Limit > 0 {
		limit = uint64(f.Limit)
	}
	params := args{"experiment": f.Experiment, "iteration": f.Iteration, "after": f.After, "before": f.Before, "limit": limit}
	return db.query(ctx, "decisions", params, begin, func(rows native.Rows) error {
		var d Decision
		err := scanDecision(rows, &d)
		fn(&d)
		return err
	})
}

func scanDecision(rows native.Rows, d *Decision) error {
	var evidence []byte
	err := rows.Scan(&d.Seq, &d.At, &d.Experiment, &d.Iteration, &d.Guardrail, &d.Arm, &d.Kind, &d.Verdict,
		&d.Reason, &d.Actor, &d.Look, &d.Config, &d.Code, &evidence, &d.PrevHash, &d.Hash)
	if len(evidence) > 0 {
		d.Evidence = evidence
	}
	return err
}

package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// genesis is what the first decision carries for a hash before it.
const genesis = "0000000000000000000000000000000000000000000000000000000000000000"

// lastDecision is the end of the decision log.
type lastDecision struct {
	seq  uint64
	hash string
}

// AppendDecision stores d as number d.Seq, or after the last one when it is 0,
// and returns it with Seq, PrevHash and Hash. A number that was taken is a
// [ConflictError]: somebody else decided meanwhile, look again before you act.
func (db *DB) AppendDecision(ctx context.Context, d Decision) (Decision, error) {
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
			d.At = d.At.UTC().Truncate(time.Millisecond)
			d.PrevHash = last.hash
			d.Hash = d.digest()
			outcome, err := db.append(ctx, db.decisionLink(d))
			if err != nil || outcome == Committed {
				return d, err
			}
		}
		if !anywhere {
			return d, db.decisionConflict(ctx, d.Seq)
		}
	}
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

// LastDecision is the number of the last decision; 0 without one.
func (db *DB) LastDecision(ctx context.Context) (uint64, error) {
	last, err := db.endOfDecisions(ctx)
	return last.seq, err
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

// digest is the hexadecimal SHA-256 over every field but Hash, each with its
// length before it so that no two decisions have the same encoding.
func (d *Decision) digest() string {
	b := []byte("assay decision 1")
	for _, n := range []uint64{d.Seq, uint64(d.At.UnixMilli()), uint64(d.Iteration), uint64(d.Config)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	for _, s := range []string{
		d.Experiment, d.Guardrail, d.Arm, d.Kind, d.Verdict, d.Reason, d.Actor,
		d.Look, d.Code, string(d.Evidence), d.PrevHash,
	} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Decisions lists the log, oldest first.
func (db *DB) Decisions(ctx context.Context, f DecisionFilter) ([]Decision, error) {
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
	params := args{"experiment": f.Experiment, "iteration": f.Iteration, "after": f.After, "limit": limit}
	return db.query(ctx, "decisions", params, begin, func(rows native.Rows) error {
		var d Decision
		var evidence []byte
		err := rows.Scan(&d.Seq, &d.At, &d.Experiment, &d.Iteration, &d.Guardrail, &d.Arm, &d.Kind, &d.Verdict,
			&d.Reason, &d.Actor, &d.Look, &d.Config, &d.Code, &evidence, &d.PrevHash, &d.Hash)
		if len(evidence) > 0 {
			d.Evidence = evidence
		}
		fn(&d)
		return err
	})
}

// VerifyDecisions recomputes every hash and returns the number of decisions. The
// error names the first that does not fit.
func (db *DB) VerifyDecisions(ctx context.Context) (uint64, error) {
	var last lastDecision
	var fault error
	begin := func() { last, fault = lastDecision{hash: genesis}, nil }
	err := db.decisions(ctx, DecisionFilter{}, begin, func(d *Decision) {
		if fault == nil {
			fault = d.follows(last)
		}
		last = lastDecision{d.Seq, d.Hash}
	})
	if err == nil {
		err = fault
	}
	return last.seq, err
}

// follows tells whether a decision is the untouched successor of last.
func (d *Decision) follows(last lastDecision) error {
	switch {
	case d.Seq != last.seq+1:
		return fmt.Errorf("decision %d follows decision %d", d.Seq, last.seq)
	case d.PrevHash != last.hash:
		return fmt.Errorf("decision %d does not carry the hash of decision %d", d.Seq, last.seq)
	case d.Hash != d.digest():
		return fmt.Errorf("decision %d was changed after it was written", d.Seq)
	}
	return nil
}

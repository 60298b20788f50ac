package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/experiment"
)

// Version is the last configuration version; its Number is 0 without one.
func (db *DB) Version(ctx context.Context) (experiment.Version, error) {
	if err := db.wait(ctx, "configurations"); err != nil {
		return experiment.Version{}, err
	}
	v, _, err := one(ctx, db, "version_last", nil, scanVersion)
	return v, err
}

// VersionNumber is the number of the last version, cheaper than Version.
func (db *DB) VersionNumber(ctx context.Context) (uint32, error) {
	if err := db.wait(ctx, "configurations"); err != nil {
		return 0, err
	}
	n, _, err := one(ctx, db, "version_number", nil, func(rows native.Rows, n *uint32) error { return rows.Scan(n) })
	return n, err
}

// VersionAt is the version of that number, or ErrNotFound.
func (db *DB) VersionAt(ctx context.Context, number uint32) (experiment.Version, error) {
	v, found, err := one(ctx, db, "version_at", args{"number": number}, scanVersion)
	if err == nil && !found {
		err = fmt.Errorf("configuration version %d: %w", number, ErrNotFound)
	}
	return v, err
}

func scanVersion(rows native.Rows, v *experiment.Version) error {
	var body []byte
	if err := rows.Scan(&body); err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}

// Versions lists all versions, oldest first.
func (db *DB) Versions(ctx context.Context) ([]VersionHead, error) {
	return collect(ctx, db, "versions", nil, func(rows native.Rows, h *VersionHead) error {
		return rows.Scan(&h.Number, &h.AppliedAt, &h.Author, &h.Reason, &h.Hash)
	})
}

// AppendVersion stores v as the successor of v.Number-1. When that number is
// taken it returns a [ConflictError] that says by whom.
func (db *DB) AppendVersion(ctx context.Context, v experiment.Version) error {
	if v.Number == 0 {
		return errors.New("append configuration version: it has no number")
	}
	l, err := db.versionLink(v)
	if err != nil {
		return fmt.Errorf("append configuration version %d: %w", v.Number, err)
	}
	switch outcome, err := db.append(ctx, l); {
	case err != nil:
		return err
	case outcome == Committed:
		return nil
	}
	first, err := db.VersionAt(ctx, v.Number)
	if err != nil {
		return fmt.Errorf("append configuration version %d: it is not the next one: %w", v.Number, err)
	}
	return &ConflictError{Chain: "configuration version", Number: uint64(v.Number), Author: first.Author}
}

func (db *DB) versionLink(v experiment.Version) (*link, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	hash, err := ContentHash(v.Experiments)
	if err != nil {
		return nil, err
	}
	attempt := newAttempt()
	var number, attempts, appliedAt fixed
	var author, reason, text text
	number.uint32(v.Number)
	attempts.uint64(attempt)
	appliedAt.int64(v.AppliedAt.UnixMilli())
	author.add(v.Author)
	reason.add(v.Reason)
	text.add(string(body))
	digest := fixed(hash)
	return &link{
		chain: "the configuration versions", table: "configurations",
		token: fmt.Sprintf("v:%d", v.Number), seq: uint64(v.Number), attempt: attempt, rows: 1,
		fields: []field{
			{"number", &number}, {"attempt", &attempts}, {"applied_at", &appliedAt},
			{"author", &author}, {"reason", &reason}, {"hash", &digest}, {"body", &text},
		},
		near: db.nearby("configurations", "near_version", args{"seq": uint64(v.Number)}),
	}, nil
}

// ContentHash is the hexadecimal SHA-256 by which a version's experiments are
// known: equal hashes, nothing to apply.
func ContentHash(experiments []experiment.Experiment) (string, error) {
	b, err := json.Marshal(experiments)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

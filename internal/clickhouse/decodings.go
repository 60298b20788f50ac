package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Decodings lists those with a greater number, of all topics, oldest first.
func (db *DB) Decodings(ctx context.Context, after uint32) ([]Decoding, error) {
	if err := db.wait(ctx, "decodings"); err != nil {
		return nil, err
	}
	return collect(ctx, db, "decodings", args{"after": after}, func(rows native.Rows, d *Decoding) error {
		return rows.Scan(&d.Number, &d.Topic, &d.Mapping, &d.Attributes)
	})
}

// AppendDecoding stores d as the successor of d.Number-1. When that number is
// taken the error is an [ErrConflict]: read again before you decide anew.
func (db *DB) AppendDecoding(ctx context.Context, d Decoding) error {
	if d.Number == 0 {
		return errors.New("append decoding: it has no number")
	}
	l, err := db.decodingLink(d)
	if err != nil {
		return fmt.Errorf("append decoding %d: %w", d.Number, err)
	}
	switch outcome, err := db.append(ctx, l); {
	case err != nil:
		return err
	case outcome == Committed:
		return nil
	}
	return fmt.Errorf("append decoding %d: %w", d.Number, ErrConflict)
}

func (db *DB) decodingLink(d Decoding) (*link, error) {
	content, err := json.Marshal([]any{d.Mapping, d.Attributes})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	attempt := newAttempt()
	var number, attempts, ends, written fixed
	var topic words
	var mapping, attributes text
	number.uint32(d.Number)
	attempts.uint64(attempt)
	topic.add(d.Topic)
	mapping.add(d.Mapping)
	ends.uint64(uint64(len(d.Attributes)))
	for _, a := range d.Attributes {
		attributes.add(a)
	}
	written.int64(time.Now().UnixMilli())
	list := slices.Concat(ends, fixed(attributes)) // an Array column of one row
	digest := fixed(hex.EncodeToString(sum[:]))
	return &link{
		chain: "the decodings", table: "decodings",
		token: fmt.Sprintf("m:%d", d.Number), seq: uint64(d.Number), attempt: attempt, rows: 1,
		fields: []field{
			{"number", &number}, {"attempt", &attempts}, {"topic", &topic}, {"mapping", &mapping},
			{"attributes", &list}, {"hash", &digest}, {"written_at", &written},
		},
		near: db.nearby("decodings", "near_decoding", args{"seq": uint64(d.Number)}),
	}, nil
}

// Decoded are the ranges that the parts of a shard have of a topic's offsets
// [from, next), each with the decoding and the version under which it was read.
func (db *DB) Decoded(ctx context.Context, shard uint16, topic string, from, next int64) ([]DecodedRange, error) {
	params := args{"shard": shard, "topic": topic, "from": from, "next": next}
	return collect(ctx, db, "decoded", params, func(rows native.Rows, r *DecodedRange) error {
		return rows.Scan(&r.From, &r.Next, &r.Decode, &r.Config)
	})
}

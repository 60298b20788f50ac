package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/daily"
)

// Deliveries is the log of sent reports after a number, oldest first.
func (db *DB) Deliveries(ctx context.Context, after uint64) ([]daily.Entry, error) {
	if err := db.wait(ctx, "deliveries"); err != nil {
		return nil, err
	}
	return collect(ctx, db, "deliveries", args{"after": after}, func(rows native.Rows, e *daily.Entry) error {
		var day time.Time
		var state string
		err := rows.Scan(&e.Seq, &e.At, &day, &e.Channel, &state, &e.Actor, &e.Detail)
		e.Day, e.State = daily.DateOf(day, time.UTC), daily.State(state)
		return err
	})
}

// AppendDelivery stores e as number e.Seq. When that number is taken the error is an
// [ErrConflict]: somebody else has written meanwhile, read again before you send.
func (db *DB) AppendDelivery(ctx context.Context, e daily.Entry) error {
	if e.Seq == 0 {
		return errors.New("append delivery: it has no number")
	}
	switch outcome, err := db.append(ctx, db.deliveryLink(e)); {
	case err != nil:
		return err
	case outcome == Committed:
		return nil
	}
	return fmt.Errorf("append delivery %d: %w", e.Seq, ErrConflict)
}

func (db *DB) deliveryLink(e daily.Entry) *link {
	attempt := newAttempt()
	var number, attempts, at, day fixed
	var channel, state, actor words
	var detail text
	number.uint64(e.Seq)
	attempts.uint64(attempt)
	at.int64(e.At.UnixMilli())
	day.uint16(uint16(e.Day.Start(time.UTC).Unix() / (24 * 60 * 60)))
	channel.add(e.Channel)
	state.add(string(e.State))
	actor.add(e.Actor)
	detail.add(e.Detail)
	return &link{
		chain: "the log of sent reports", table: "deliveries",
		token: fmt.Sprintf("r:%d", e.Seq), seq: e.Seq, attempt: attempt, rows: 1,
		fields: []field{
			{"number", &number}, {"attempt", &attempts}, {"at", &at}, {"day", &day},
			{"channel", &channel}, {"state", &state}, {"actor", &actor}, {"detail", &detail},
		},
		near: db.nearby("deliveries", "near_delivery", args{"seq": e.Seq}),
	}
}

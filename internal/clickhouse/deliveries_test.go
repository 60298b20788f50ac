package clickhouse_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/daily"
)

// TestDeliveries: the log gives back what was written, and of two that want the same
// number one is told so.
func TestDeliveries(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	at := time.Date(2026, 3, 2, 7, 0, 0, 123e6, time.UTC)
	day := daily.Date{Year: 2026, Month: time.March, Day: 1}
	want := []daily.Entry{
		{Seq: 1, At: at, Day: day, Channel: "email", State: daily.Claimed, Actor: "guard@a"},
		{Seq: 2, At: at.Add(time.Second), Day: day, Channel: "email", State: daily.Failed, Actor: "guard@a", Detail: "it's closed"},
		{Seq: 3, At: at.Add(time.Minute), Day: day.Add(-60), Channel: "slack", State: daily.Sent, Actor: "guard@b"},
	}
	for _, e := range want {
		if err := s.AppendDelivery(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	for _, seq := range []uint64{1, 3, 5} {
		if err := s.AppendDelivery(ctx, daily.Entry{Seq: seq, At: at, Day: day, Channel: "late", State: daily.Sent}); !errors.Is(err, clickhouse.ErrConflict) {
			t.Errorf("number %d: %v, want a conflict", seq, err)
		}
	}
	if err := s.AppendDelivery(ctx, daily.Entry{Day: day}); err == nil {
		t.Error("an entry without a number was accepted")
	}
	for after := range uint64(4) {
		got, err := s.Deliveries(ctx, after)
		if diff := cmp.Diff(append([]daily.Entry(nil), want[after:]...), got); err != nil || diff != "" {
			t.Errorf("after %d (-want +got), %v:\n%s", after, err, diff)
		}
	}
}

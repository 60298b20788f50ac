package app

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// Moving the floor closes the iterations that began before it; the months below
// it go when every shard knows the floor, and nothing is missing after that.
//
// semantics: floor-drop
func TestFloorAndDrop(t *testing.T) {
	w := newLookWorld(t)
	ctx := t.Context()
	old, young := time.Date(2025, 1, 31, 23, 59, 0, 0, time.UTC), time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)
	events := []ingest.Event{
		{Type: ingest.Outcome, T: old.UnixMilli(), KafkaT: old.UnixMilli(), Place: ingest.Place{Offset: 1}},
		{Type: ingest.Outcome, T: young.UnixMilli(), KafkaT: young.UnixMilli(), Place: ingest.Place{Offset: 2}},
	}
	if err := w.DB.AppendEvents(ctx, 0, []string{"exposures"}, events, nil); err != nil {
		t.Fatal(err)
	}
	floor := young.Add(time.Hour)
	for range 2 { // the second time it is there already
		if m, err := MoveFloor(ctx, w.DB, floor, "space", "ops", func() time.Time { return w.now }); err != nil || m.Number != 2 || !m.Floor.Equal(floor) {
			t.Fatalf("%+v, %v", m, err)
		}
	}
	if _, err := MoveFloor(ctx, w.DB, w.now, "space", "ops", func() time.Time { return w.now }); !errors.Is(err, experiment.ErrFloorTooHigh) {
		t.Errorf("a floor of now: %v", err)
	}
	if _, err := w.DropBelowFloor(ctx); err == nil || !strings.Contains(err.Error(), "does not know the floor") {
		t.Fatalf("before the shard has adopted it: %v", err)
	}
	w.seq++
	if a, err := w.DB.AppendPart(ctx, nil, ingest.Part{Shard: 0, Seq: w.seq, Config: 2}); err != nil || a != clickhouse.Committed {
		t.Fatal(a, err)
	}
	done, err := w.DropBelowFloor(ctx)
	if err != nil || !slices.Equal(done.Dropped, []string{"202501"}) || done.Rows != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if left, err := w.DB.EventsBefore(ctx, time.Now()); err != nil || len(left) != 1 || left[0].Partition != "202502" {
		t.Errorf("left: %+v, %v", left, err)
	}
	if missing, err := w.DB.Missing(ctx, 0, 0); err != nil || len(missing) != 0 {
		t.Errorf("what retention dropped is said to be missing: %+v, %v", missing, err)
	}
	if again, err := w.DropBelowFloor(ctx); err != nil || len(again.Dropped) != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
}

package app

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
		if m, err := MoveFloor(ctx, w.DB, floor, "", "space", "ops", func() time.Time { return w.now }); err != nil || m.Number != 2 || !m.Floor.Equal(floor) {
			t.Fatalf("%+v, %v", m, err)
		}
	}
	if _, err := MoveFloor(ctx, w.DB, w.now, "", "space", "ops", func() time.Time { return w.now }); !errors.Is(err, experiment.ErrFloorTooHigh) {
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

// Devices are kept for a shorter time than users: their events go from a month that has
// others, and a month with nothing else goes whole. Results stay, verify finds nothing,
// and says which iterations it could not recompute.
//
// semantics: floor-kind
func TestFloorOfAUnitKindAndDrop(t *testing.T) {
	w := newLookWorld(t)
	ctx := t.Context()
	now := func() time.Time { return w.now }
	var events []ingest.Event
	for i, kind := range []string{"device", "device", "user", "device"} {
		at := time.Date(2025, time.Month(1+(i+1)/2), 20, 0, 0, 0, 0, time.UTC) // January, February twice, March
		events = append(events, ingest.Event{Type: ingest.Outcome, UnitKind: kind, Unit: ingest.Unit{Hi: uint64(i + 1)}, Name: "buy",
			T: at.UnixMilli(), KafkaT: at.UnixMilli(), Place: ingest.Place{Offset: int64(i + 1)}})
	}
	if err := w.DB.AppendEvents(ctx, 0, []string{"exposures"}, events, nil); err != nil {
		t.Fatal(err)
	}
	march := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	for range 2 {
		if m, err := MoveFloor(ctx, w.DB, march.Add(time.Hour), "device", "space", "ops", now); err != nil || m.Number != 2 || !m.Floors["device"].Equal(march.Add(time.Hour)) || !m.Floor.IsZero() {
			t.Fatalf("%+v, %v", m, err)
		}
	}
	if _, err := w.DropBelowFloor(ctx); err == nil || !strings.Contains(err.Error(), "does not know the floor") {
		t.Fatalf("before the shard has adopted it: %v", err)
	}
	w.seq++
	if a, err := w.DB.AppendPart(ctx, nil, ingest.Part{Shard: 0, Seq: w.seq, Config: 2}); err != nil || a != clickhouse.Committed {
		t.Fatal(a, err)
	}
	before, err := w.DB.Moments(ctx, []clickhouse.MomentsSpec{{Experiment: "cta", Iteration: 1}})
	if err != nil {
		t.Fatal(err)
	}
	done, err := w.DropBelowFloor(ctx)
	if err != nil || !slices.Equal(done.Dropped, []string{"202501"}) || done.Rows != 2 || len(done.Deleted) != 1 ||
		done.Deleted[0].Month != "202502" || !slices.Equal(done.Deleted[0].Kinds, []string{"device"}) {
		t.Fatalf("%+v, %v", done, err)
	}
	left, err := w.DB.EventsOfKinds(ctx, w.now)
	want := []clickhouse.KindCount{{Partition: "202502", Kind: "user", Rows: 1}, {Partition: "202503", Kind: "device", Rows: 1}}
	if err != nil || !slices.Equal(left, want) {
		t.Errorf("left: %+v, %v", left, err)
	}
	after, err := w.DB.Moments(ctx, []clickhouse.MomentsSpec{{Experiment: "cta", Iteration: 1}})
	if diff := cmp.Diff(before, after); err != nil || diff != "" {
		t.Errorf("results (-before +after): %s, %v", diff, err)
	}
	if missing, err := w.DB.Missing(ctx, 0, 0); err != nil || len(missing) != 0 {
		t.Errorf("what retention deleted is said to be missing: %+v, %v", missing, err)
	}
	if again, err := w.DropBelowFloor(ctx); err != nil || len(again.Dropped)+len(again.Deleted) != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// Retention is carried out as it is configured, as far as an iteration that runs lets it.
//
// semantics: floor-kind floor-limit
func TestRetain(t *testing.T) {
	w := newLookWorld(t)
	ctx := t.Context()
	now := func() time.Time { return w.now }
	const day = 24 * time.Hour
	if _, err := w.Retain(ctx, "ops", 0, now); !errors.Is(err, errNoRetention) {
		t.Errorf("without a configuration: %v", err)
	}
	w.Config.Privacy.Retention = map[string]experiment.Duration{"all": experiment.Duration(400 * day), "device": experiment.Duration(90 * day)}
	var events []ingest.Event
	for i, e := range []struct {
		kind string
		ago  time.Duration
	}{{"user", 440 * day}, {"user", 150 * day}, {"device", 150 * day}, {"device", day}} {
		at := w.now.Add(-e.ago).UnixMilli()
		events = append(events, ingest.Event{Type: ingest.Outcome, UnitKind: e.kind, Unit: ingest.Unit{Hi: uint64(i + 1)}, Name: "buy",
			T: at, KafkaT: at, Place: ingest.Place{Offset: int64(i + 1)}})
	}
	if err := w.DB.AppendEvents(ctx, 0, []string{"exposures"}, events, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Retain(ctx, "ops", 0, now); !errors.Is(err, errNotAdopted) {
		t.Fatalf("before the shard has adopted it: %v", err)
	}
	v, err := w.DB.Version(ctx)
	if err != nil || v.Number != 3 || !v.Floor.Equal(w.now.Add(-400*day).Truncate(day)) || !v.FloorOf("device").Equal(w.now.Add(-90*day).Truncate(day)) {
		t.Fatalf("version %d, floors %v %v, %v", v.Number, v.Floor, v.Floors, err)
	}
	adopt := func(config uint32) {
		t.Helper()
		w.seq++
		if a, err := w.DB.AppendPart(ctx, nil, ingest.Part{Shard: 0, Seq: w.seq, Config: config}); err != nil || a != clickhouse.Committed {
			t.Fatal(a, err)
		}
	}
	adopt(3)
	done, err := w.Retain(ctx, "ops", 0, now)
	if err != nil || len(done.Held) != 0 || done.Number != 3 || len(done.Dropped) != 1 || len(done.Deleted) != 1 || done.Rows != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	// Of users an iteration runs.
	w.now = w.now.Add(3 * day)
	w.Config.Privacy.Retention = map[string]experiment.Duration{"user": experiment.Duration(30 * day)}
	held, err := raiseFloors(ctx, w.DB, w.Config.Privacy.Retention, "ops", now)
	if err != nil || len(held) != 1 || held[0].Kind != "user" || !held[0].Wanted.After(held[0].Limit) {
		t.Fatalf("%+v, %v", held, err)
	}
	if v, err = w.DB.Version(ctx); err != nil || !v.FloorOf("user").Equal(held[0].Limit) {
		t.Errorf("%v, %v", v.Floors, err)
	}
}

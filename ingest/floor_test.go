package ingest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// TestFloor: moving the floor takes nothing back; iterations that began before it
// stay as they are; all others are counted as ever; and it makes no difference
// whether the rows below it are still there.
//
// semantics: floor closed floor-kind
func TestFloor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topics := []string{"one", "two"}
		v := drawVersion(t, 1)
		log := slices.Concat(drawLog(t, 2, v)...)
		half := rapid.IntRange(0, len(log)).Draw(t, "read_before")
		draw := func(name string) int64 {
			return rapid.SampledFrom(borders(v)).Draw(t, name) + rapid.SampledFrom([]int64{-1, 0, 1}).Draw(t, name+" beside")
		}
		risen := *v
		risen.Number, risen.Floor = 2, ms(draw("floor"))
		if kind := rapid.SampledFrom([]string{"", "user", "device"}).Draw(t, "kept for a shorter time"); kind != "" {
			risen.Floors = map[string]time.Time{kind: ms(draw("its floor"))}
		}
		floors := ingest.FloorsOf(&risen)
		below := func(e ingest.Event) bool { return e.T < risen.FloorOf(e.UnitKind).UnixMilli() }

		kept := ingest.NewJoiner(topics, v)
		kept.AddAll(log[:half], nil)
		sums := ledger{}
		sums.add(kept.Take())
		kept.Adopt(&risen)
		if rows := kept.Take(); len(rows) > 0 {
			t.Fatalf("moving the floor changes sums: %+v", rows)
		}
		left := slices.DeleteFunc(slices.Clone(log), below)
		first := slices.DeleteFunc(slices.Clone(log[:half]), below)
		dropped := restart(t, topics, &risen, first)

		for i := range log[half:] {
			e := &log[half+i]
			if ingest.BelowFloor(e, &floors, 1) != nil {
				continue
			}
			kept.Add(e)
			dropped.Add(e)
		}
		rows := kept.Take()
		if diff := gocmp.Diff(rows, dropped.Take()); diff != "" {
			t.Fatalf("dropping the rows below the floor changes deltas (-kept +dropped):\n%s", diff)
		}
		sums.add(rows)
		open, want := ledger{}, brute(left, v)
		for cell, s := range sums {
			if isOpen(v, cell, &floors) {
				open[cell] = s
			}
		}
		for cell := range want {
			if !isOpen(v, cell, &floors) {
				delete(want, cell)
			}
		}
		same(t, open, want)
		another := drawVersion(t, 3)
		another.Floor, another.Floors = risen.Floor, risen.Floors
		kept.Adopt(another)
		dropped.Adopt(another)
		if diff := gocmp.Diff(kept.Take(), dropped.Take()); diff != "" {
			t.Fatalf("dropping the rows below the floor changes what a version brings (-kept +dropped):\n%s", diff)
		}
		for _, r := range rows {
			if closed(v, r.Cell, &floors) && !aside(r.Metric) {
				t.Errorf("a closed iteration is counted on: %+v", r)
			}
		}
	})
}

// aside tells of a counter that counts exposures one by one.
func aside(metric string) bool {
	return slices.Contains([]string{ingest.Outside, ingest.AfterEnd, ingest.UnknownVariant, ingest.OtherUnitKind, ingest.Consent}, metric)
}

func closed(v *experiment.Version, c ingest.Cell, floors *ingest.Floors) bool {
	e := v.Find(c.Experiment)
	for i := range e.Iterations {
		if it := &e.Iterations[i]; it.Number == c.Iteration {
			return it.Start.UnixMilli() < floors.Of(e.AsOf(it).UnitKind)
		}
	}
	return false
}

// isOpen picks the cells that brute force can still compute from what is left.
func isOpen(v *experiment.Version, c ingest.Cell, floors *ingest.Floors) bool {
	return c.Iteration > 0 && !closed(v, c, floors) && !aside(c.Metric)
}

// TestBelowFloor: the event's own time decides, to the millisecond.
//
// semantics: too_old
func TestBelowFloor(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	floors := ingest.FloorsOf(&experiment.Version{Floor: at.Add(-time.Hour), Floors: map[string]time.Time{"device": at, "session": at.Add(-2 * time.Hour)}})
	for kind, floor := range map[string]time.Time{"device": at, "user": at.Add(-time.Hour), "session": at.Add(-time.Hour)} {
		for offset, dead := range map[int64]bool{-1: true, 0: false, 1: false} {
			e := ingest.Event{T: floor.UnixMilli() + offset, UnitKind: kind, KafkaT: at.UnixMilli() + 9e9, Place: ingest.Place{Topic: 1, Offset: 7}}
			why := ingest.BelowFloor(&e, &floors, 99)
			if (why != nil) != dead {
				t.Errorf("%s, %d ms from the floor: %+v", kind, offset, why)
			}
			if why != nil && (why.Reason != ingest.TooOld || why.Size != 99 || why.Place != e.Place || !strings.Contains(why.Detail, "before the floor")) {
				t.Errorf("%+v", *why)
			}
		}
	}
	none := ingest.FloorsOf(nil)
	if why := ingest.BelowFloor(&ingest.Event{}, &none, 1); why != nil {
		t.Errorf("without a version: %+v", *why)
	}
}

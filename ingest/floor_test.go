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
// semantics: floor closed
func TestFloor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topics := []string{"one", "two"}
		v := drawVersion(t, 1)
		log := slices.Concat(drawLog(t, 2, v)...)
		half := rapid.IntRange(0, len(log)).Draw(t, "read_before")
		floor := rapid.SampledFrom(borders(v)).Draw(t, "floor") + rapid.SampledFrom([]int64{-1, 0, 1}).Draw(t, "beside")
		risen := *v
		risen.Number, risen.Floor = 2, ms(floor)

		kept := ingest.NewJoiner(topics, v)
		kept.AddAll(log[:half], nil)
		sums := ledger{}
		sums.add(kept.Take())
		kept.Adopt(&risen)
		if rows := kept.Take(); len(rows) > 0 {
			t.Fatalf("moving the floor changes sums: %+v", rows)
		}
		left := slices.DeleteFunc(slices.Clone(log), func(e ingest.Event) bool { return e.T < floor })
		first := slices.DeleteFunc(slices.Clone(log[:half]), func(e ingest.Event) bool { return e.T < floor })
		dropped := restart(t, topics, &risen, first)

		for i := range log[half:] {
			e := &log[half+i]
			if ingest.BelowFloor(e, floor, 1) != nil {
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
			if isOpen(v, cell, floor) {
				open[cell] = s
			}
		}
		for cell := range want {
			if !isOpen(v, cell, floor) {
				delete(want, cell)
			}
		}
		same(t, open, want)
		another := drawVersion(t, 3)
		another.Floor = risen.Floor
		kept.Adopt(another)
		dropped.Adopt(another)
		if diff := gocmp.Diff(kept.Take(), dropped.Take()); diff != "" {
			t.Fatalf("dropping the rows below the floor changes what a version brings (-kept +dropped):\n%s", diff)
		}
		for _, r := range rows {
			if closed(v, r.Cell, floor) && !aside(r.Metric) {
				t.Errorf("a closed iteration is counted on: %+v", r)
			}
		}
	})
}

// aside tells of a counter that counts exposures one by one.
func aside(metric string) bool {
	return slices.Contains([]string{ingest.Outside, ingest.AfterEnd, ingest.UnknownVariant, ingest.OtherUnitKind, ingest.Consent}, metric)
}

func closed(v *experiment.Version, c ingest.Cell, floor int64) bool {
	for _, it := range v.Find(c.Experiment).Iterations {
		if it.Number == c.Iteration {
			return it.Start.UnixMilli() < floor
		}
	}
	return false
}

// isOpen picks the cells that brute force can still compute from what is left.
func isOpen(v *experiment.Version, c ingest.Cell, floor int64) bool {
	return c.Iteration > 0 && !closed(v, c, floor) && !aside(c.Metric)
}

// TestBelowFloor: the event's own time decides, to the millisecond.
//
// semantics: too_old
func TestBelowFloor(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	floor := ingest.FloorOf(&experiment.Version{Floor: at})
	for offset, dead := range map[int64]bool{-1: true, 0: false, 1: false} {
		e := ingest.Event{T: at.UnixMilli() + offset, KafkaT: at.UnixMilli() + 9e9, Place: ingest.Place{Topic: 1, Offset: 7}}
		why := ingest.BelowFloor(&e, floor, 99)
		if (why != nil) != dead {
			t.Errorf("%d ms from the floor: %+v", offset, why)
		}
		if why != nil && (why.Reason != ingest.TooOld || why.Size != 99 || why.Place != e.Place || !strings.Contains(why.Detail, "before the floor")) {
			t.Errorf("%+v", *why)
		}
	}
	if why := ingest.BelowFloor(&ingest.Event{}, ingest.FloorOf(nil), 1); why != nil {
		t.Errorf("without a version: %+v", *why)
	}
}

package ingest

import (
	"fmt"
	"math"

	"github.com/assay-dev/assay/internal/experiment"
)

// noFloor is below every time.
const noFloor = int64(math.MinInt64)

// Floors are a version's in milliseconds: events of an earlier time are no longer kept.
type Floors struct {
	all int64
	of  map[string]int64 // unit kinds that are kept for a shorter time
}

// FloorsOf are those of a version. One without any, or nil, gives times before every
// event.
func FloorsOf(v *experiment.Version) Floors {
	f := Floors{all: noFloor}
	if v == nil {
		return f
	}
	if !v.Floor.IsZero() {
		f.all = v.Floor.UnixMilli()
	}
	for kind := range v.Floors {
		if f.of == nil {
			f.of = map[string]int64{}
		}
		f.of[kind] = v.FloorOf(kind).UnixMilli()
	}
	return f
}

// Of is the floor of a unit kind.
func (f *Floors) Of(kind string) int64 {
	if own, ok := f.of[kind]; ok {
		return own
	}
	return f.all
}

// floors are [Floors] by the symbols of unit kinds.
type floors struct {
	all int64
	of  map[uint32]int64
}

func (f *floors) under(kind uint32) int64 {
	if f.of == nil {
		return f.all
	}
	if own, ok := f.of[kind]; ok {
		return own
	}
	return f.all
}

func (j *Joiner) floorsOf(v *experiment.Version) floors {
	named := FloorsOf(v)
	f := floors{all: named.all}
	for kind, own := range named.of {
		if f.of == nil {
			f.of = map[uint32]int64{}
		}
		f.of[j.symbol(kind)] = own
	}
	return f
}

// BelowFloor makes a dead letter of an event from below the floor; nil when it is
// not.
func BelowFloor(e *Event, floors *Floors, size int) *Dead {
	floor := floors.Of(e.UnitKind)
	if e.T >= floor {
		return nil
	}
	return &Dead{Place: e.Place, KafkaT: e.KafkaT, Reason: TooOld, Size: size, Position: -1,
		Detail: fmt.Sprintf("%d is before the floor %d", e.T, floor)}
}

// raise moves the floor and tells whether that closes an iteration that counts.
//
// An iteration that began before the floor may have lost rows, so nothing about it
// can be computed again: what was counted stays. The same goes for the exposures
// outside of iterations that are older than the floor.
func (j *Joiner) raise(to floors) (closes bool) {
	before := j.floors
	j.floors = to
	for _, t := range j.trials {
		for i := range t.runs {
			if r := &t.runs[i]; r.start >= before.under(r.kind) && r.start < to.under(r.kind) {
				return true
			}
		}
	}
	return false
}

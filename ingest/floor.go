package ingest

import (
	"fmt"
	"math"

	"github.com/assay-dev/assay/internal/experiment"
)

// noFloor is below every time.
const noFloor = int64(math.MinInt64)

// FloorOf is a version's floor in milliseconds: events of an earlier time are no
// longer kept. A version without one gives a time before every event.
func FloorOf(v *experiment.Version) int64 {
	if v == nil || v.Floor.IsZero() {
		return noFloor
	}
	return v.Floor.UnixMilli()
}

// BelowFloor makes a dead letter of an event from below the floor; nil when it is
// not.
func BelowFloor(e *Event, floor int64, size int) *Dead {
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
func (j *Joiner) raise(floor int64) (closes bool) {
	before := j.floor
	j.floor = floor
	for _, t := range j.trials {
		for i := range t.runs {
			if s := t.runs[i].start; s >= before && s < floor {
				return true
			}
		}
	}
	return false
}

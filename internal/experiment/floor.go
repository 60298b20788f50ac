package experiment

import (
	"errors"
	"fmt"
	"maps"
	"time"
)

// FloorMargin is how long before the start of a running iteration the stored
// events reach at least: covariates are sums over so long.
const FloorMargin = 30 * 24 * time.Hour

// Why the floor cannot be moved.
var (
	ErrFloorBack    = errors.New("the floor only rises: what lay below it is no longer kept")
	ErrFloorTooHigh = errors.New("the floor would come too near")
)

// FloorOf is the time before which events of a unit kind are no longer kept.
func (v *Version) FloorOf(kind string) time.Time {
	if own := v.Floors[kind]; own.After(v.Floor) {
		return own
	}
	return v.Floor
}

// HighestFloor is the time from which on events of all unit kinds are kept.
func (v *Version) HighestFloor() time.Time {
	highest := v.Floor
	for _, own := range v.Floors {
		if own.After(highest) {
			highest = own
		}
	}
	return highest
}

// SameFloors tells whether two versions keep the same events.
func (v *Version) SameFloors(o *Version) bool {
	return v.Floor.Equal(o.Floor) && maps.EqualFunc(v.Floors, o.Floors, time.Time.Equal)
}

// Closed tells whether an iteration's results can no longer be computed again:
// events of its unit kind from below the floor are not kept, and it began before it.
// What was counted stays as it is; nothing is added and nothing taken back.
func (v *Version) Closed(e *Experiment, it *Iteration) bool {
	return it.Start.Before(v.FloorOf(e.AsOf(it).UnitKind))
}

// MoveFloor makes the version from which on events before a time are refused, those of
// one unit kind or ("") all, so that they can be dropped. The floor stays 30 days below
// the start of every iteration that has not ended and counts such events, and below now.
func (v *Version) MoveFloor(to time.Time, kind, reason, author string, now time.Time) (*Version, error) {
	next := v.clone()
	next.Number, next.Author, next.Login, next.Reason = v.Number+1, author, "", reason
	if now = now.UTC().Truncate(time.Millisecond); now.After(v.AppliedAt) {
		next.AppliedAt = now
	}
	to = to.UTC().Truncate(time.Millisecond)
	if from := v.FloorOf(kind); !to.After(from) {
		return nil, fmt.Errorf("move the floor from %s to %s: %w", stamp(from), stamp(to), ErrFloorBack)
	}
	next.setFloor(kind, to)
	limit, e, it := next.floorLimit(kind, next.AppliedAt)
	switch {
	case !to.After(limit):
		return next, nil
	case it == nil:
		return nil, fmt.Errorf("move the floor to %s: %w: at most %s, 30 days ago", stamp(to), ErrFloorTooHigh, stamp(limit))
	}
	return nil, fmt.Errorf("move the floor to %s: %w to iteration %d of %s, which has not ended: at most %s, 30 days before its start",
		stamp(to), ErrFloorTooHigh, it.Number, e.Key, stamp(limit))
}

// FloorLimit is how far a floor may rise now: 30 days below now, and below the start of
// every iteration that has not ended and counts units of that kind ("": of any).
func (v *Version) FloorLimit(kind string, now time.Time) time.Time {
	if now = now.UTC().Truncate(time.Millisecond); now.Before(v.AppliedAt) {
		now = v.AppliedAt
	}
	limit, _, _ := v.floorLimit(kind, now)
	return limit
}

// floorLimit is that limit and the iteration that sets it, if one does.
func (v *Version) floorLimit(kind string, now time.Time) (limit time.Time, by *Experiment, its *Iteration) {
	limit = now
	for i := range v.Experiments {
		e := &v.Experiments[i]
		for k := range e.Iterations {
			it := &e.Iterations[k]
			if !it.over(now) && (kind == "" || e.AsOf(it).UnitKind == kind) && it.Start.Before(limit) {
				limit, by, its = it.Start, e, it
			}
		}
	}
	return limit.Add(-FloorMargin), by, its
}

// setFloor sets one floor; those of kinds that are not above the common one are none.
func (v *Version) setFloor(kind string, to time.Time) {
	if kind != "" {
		if v.Floors == nil {
			v.Floors = map[string]time.Time{}
		}
		v.Floors[kind] = to
		return
	}
	v.Floor = to
	maps.DeleteFunc(v.Floors, func(_ string, own time.Time) bool { return !own.After(to) })
	if len(v.Floors) == 0 {
		v.Floors = nil
	}
}

// aboveFloor refuses iterations that are new and need events from below the floor.
func (v *Version) aboveFloor(before *Version) Problems {
	var problems Problems
	for i := range v.Experiments {
		e := &v.Experiments[i]
		for k := range e.Iterations {
			it := &e.Iterations[k]
			floor := v.FloorOf(e.AsOf(it).UnitKind)
			if before.Find(e.Key).Iteration(it.Number) == nil && it.Start.Add(-FloorMargin).Before(floor) {
				problems = append(problems, Problem{Rule: RuleTimeOrder,
					Text: fmt.Sprintf("iteration %d of experiment %s starts at %s, and events from before %s are no longer kept", it.Number, e.Key, stamp(it.Start), stamp(floor)),
					Hint: fmt.Sprintf("start it at %s or later: 30 days of events before its start are needed", stamp(floor.Add(FloorMargin)))})
			}
		}
	}
	return problems
}

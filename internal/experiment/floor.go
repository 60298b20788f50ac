package experiment

import (
	"errors"
	"fmt"
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

// Closed tells whether an iteration's results can no longer be computed again:
// events from below the floor are not kept, and it began before it. What was
// counted stays as it is; nothing is added and nothing taken back.
func (v *Version) Closed(it *Iteration) bool { return it.Start.Before(v.Floor) }

// MoveFloor makes the version from which on events before a time are refused, so
// that their partitions can be dropped. The floor stays 30 days below the start of
// every iteration that has not ended, and below now.
func (v *Version) MoveFloor(to time.Time, reason, author string, now time.Time) (*Version, error) {
	next := v.clone()
	next.Number, next.Author, next.Reason = v.Number+1, author, reason
	if now = now.UTC().Truncate(time.Millisecond); now.After(v.AppliedAt) {
		next.AppliedAt = now
	}
	next.Floor = to.UTC().Truncate(time.Millisecond)
	if !next.Floor.After(v.Floor) {
		return nil, fmt.Errorf("move the floor from %s to %s: %w", stamp(v.Floor), stamp(next.Floor), ErrFloorBack)
	}
	if limit := next.AppliedAt.Add(-FloorMargin); next.Floor.After(limit) {
		return nil, fmt.Errorf("move the floor to %s: %w: at most %s, 30 days ago", stamp(next.Floor), ErrFloorTooHigh, stamp(limit))
	}
	for i := range next.Experiments {
		e := &next.Experiments[i]
		for k := range e.Iterations {
			it := &e.Iterations[k]
			if limit := it.Start.Add(-FloorMargin); !it.over(next.AppliedAt) && next.Floor.After(limit) {
				return nil, fmt.Errorf("move the floor to %s: %w to iteration %d of %s, which has not ended: at most %s, 30 days before its start",
					stamp(next.Floor), ErrFloorTooHigh, it.Number, e.Key, stamp(limit))
			}
		}
	}
	return next, nil
}

// aboveFloor refuses iterations that are new and need events from below the floor.
func (v *Version) aboveFloor(before *Version) Problems {
	var problems Problems
	for i := range v.Experiments {
		e := &v.Experiments[i]
		for k := range e.Iterations {
			it := &e.Iterations[k]
			if before.Find(e.Key).Iteration(it.Number) == nil && it.Start.Add(-FloorMargin).Before(v.Floor) {
				problems = append(problems, Problem{Rule: RuleTimeOrder,
					Text: fmt.Sprintf("iteration %d of experiment %s starts at %s, and events from before %s are no longer kept", it.Number, e.Key, stamp(it.Start), stamp(v.Floor)),
					Hint: fmt.Sprintf("start it at %s or later: 30 days of events before its start are needed", stamp(v.Floor.Add(FloorMargin)))})
			}
		}
	}
	return problems
}

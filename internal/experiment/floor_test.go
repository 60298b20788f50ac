package experiment

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// The floor rises, and never within 30 days of the start of an iteration that has
// not ended.
//
// semantics: floor-limit
func TestMoveFloor(t *testing.T) {
	start := day(t, "2026-03-01")
	v := &Version{Number: 4, AppliedAt: start, Floor: start.Add(-100 * FloorMargin / 30), Experiments: []Experiment{{Key: "x", Iterations: []Iteration{
		{Number: 1, Start: start.Add(-90 * FloorMargin / 30), End: start.Add(-60 * FloorMargin / 30)},
		{Number: 2, Start: start, EnrolUntil: start.Add(time.Hour), End: start.Add(20 * FloorMargin / 30)},
	}}}}
	running := start.Add(time.Hour)
	ended := start.Add(40 * FloorMargin / 30)
	for name, c := range map[string]struct {
		to, now time.Time
		want    error
	}{
		"up to 30 days before the running start": {start.Add(-FloorMargin), running, nil},
		"a millisecond too far":                  {start.Add(-FloorMargin + time.Millisecond), running, ErrFloorTooHigh},
		"over an iteration that has ended":       {start.Add(-61 * FloorMargin / 30), running, nil},
		"back":                                   {v.Floor.Add(-time.Hour), running, ErrFloorBack},
		"to where it is":                         {v.Floor, running, ErrFloorBack},
		"beyond the start, once it has ended":    {start.Add(time.Hour), ended, nil},
		"within 30 days of now":                  {ended.Add(-FloorMargin + time.Millisecond), ended, ErrFloorTooHigh},
	} {
		next, err := v.MoveFloor(c.to, "space", "ops", c.now)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
			continue
		}
		if err == nil && (!next.Floor.Equal(c.to) || next.Number != 5 || next.Author != "ops" || next.Reason != "space" || !v.Floor.Before(next.Floor)) {
			t.Errorf("%s: %+v", name, next)
		}
	}
	next, err := v.MoveFloor(start.Add(-70*FloorMargin/30), "space", "ops", running)
	if err != nil || !next.Closed(&next.Experiments[0].Iterations[0]) || next.Closed(&next.Experiments[0].Iterations[1]) {
		t.Errorf("closed: %v", err)
	}
}

// The floor stays through an apply, and an iteration that would need events from
// below it is refused.
//
// semantics: floor-limit
func TestApplyAboveTheFloor(t *testing.T) {
	v, at := base(t), day(t, "2026-03-02")
	v.Floor = day(t, "2026-01-01")
	next := mustApply(t, v, baseSet(t, "owner: growth", "owner: somebody"), at)
	if !next.Floor.Equal(v.Floor) {
		t.Errorf("floor %v, want %v", next.Floor, v.Floor)
	}
	early := *v
	early.Experiments, early.Floor = nil, at.Add(-FloorMargin+time.Hour)
	_, _, problems := Apply(&early, baseSet(t), at, "somebody")
	if err := problems.Err(); err == nil || !strings.Contains(err.Error(), "no longer kept") {
		t.Errorf("got %v", err)
	}
}

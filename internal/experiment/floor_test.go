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
		next, err := v.MoveFloor(c.to, "", "space", "ops", c.now)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
			continue
		}
		if err == nil && (!next.Floor.Equal(c.to) || next.Number != 5 || next.Author != "ops" || next.Reason != "space" || !v.Floor.Before(next.Floor)) {
			t.Errorf("%s: %+v", name, next)
		}
	}
	next, err := v.MoveFloor(start.Add(-70*FloorMargin/30), "", "space", "ops", running)
	if err != nil || !next.Closed(&next.Experiments[0], &next.Experiments[0].Iterations[0]) || next.Closed(&next.Experiments[0], &next.Experiments[0].Iterations[1]) {
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

// A unit kind may have a floor of its own above the common one: it closes and holds back
// only iterations that count such units, and is gone once the common one passes it.
//
// semantics: floor-kind
func TestMoveFloorOfAUnitKind(t *testing.T) {
	start := day(t, "2026-03-01")
	now := start.Add(10 * FloorMargin)
	v := &Version{Number: 4, AppliedAt: now, Floor: start.Add(-9 * FloorMargin), Experiments: []Experiment{
		{Key: "devices", UnitKind: "device", Iterations: []Iteration{{Number: 1, Start: start, End: start.Add(time.Hour)}}},
		{Key: "users", UnitKind: "user", Iterations: []Iteration{{Number: 1, Start: start, End: now.Add(time.Hour)}}},
	}}
	risen, err := v.MoveFloor(start.Add(FloorMargin), "device", "space", "ops", now)
	if err != nil {
		t.Fatal(err)
	}
	devices, users := &risen.Experiments[0], &risen.Experiments[1]
	if !risen.Closed(devices, &devices.Iterations[0]) || risen.Closed(users, &users.Iterations[0]) {
		t.Error("the iteration of devices is closed, and no other")
	}
	if !risen.FloorOf("device").Equal(start.Add(FloorMargin)) || !risen.FloorOf("user").Equal(v.Floor) || !risen.HighestFloor().Equal(risen.FloorOf("device")) ||
		!risen.SameFloors(risen.clone()) || risen.SameFloors(v) {
		t.Errorf("%v %v", risen.Floor, risen.Floors)
	}
	for name, c := range map[string]struct {
		to   time.Time
		kind string
		want error
	}{
		"of users, whose iteration runs": {start.Add(-FloorMargin + time.Millisecond), "user", ErrFloorTooHigh},
		"of all, too":                    {start.Add(-FloorMargin + time.Millisecond), "", ErrFloorTooHigh},
		"of devices, back":               {start, "device", ErrFloorBack},
		"of devices, within 30 days":     {now.Add(-FloorMargin + time.Millisecond), "device", ErrFloorTooHigh},
		"of a kind below the common one": {v.Floor.Add(-time.Hour), "session", ErrFloorBack},
	} {
		if _, err := risen.MoveFloor(c.to, c.kind, "space", "ops", now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for kind, want := range map[string]time.Time{"device": now.Add(-FloorMargin), "user": start.Add(-FloorMargin), "": start.Add(-FloorMargin), "session": now.Add(-FloorMargin)} {
		if limit := v.FloorLimit(kind, now); !limit.Equal(want) {
			t.Errorf("the floor of %q may rise to %v, want %v", kind, limit, want)
		} else if _, err := v.MoveFloor(limit, kind, "space", "ops", now); err != nil {
			t.Errorf("to its limit: %v", err)
		} else if _, err := v.MoveFloor(limit.Add(time.Millisecond), kind, "space", "ops", now); !errors.Is(err, ErrFloorTooHigh) {
			t.Errorf("beyond its limit: %v", err)
		}
	}
	risen.Experiments[1].Iterations[0].End = now.Add(-time.Hour)
	past, err := risen.MoveFloor(start.Add(2*FloorMargin), "", "space", "ops", now)
	if err != nil || len(past.Floors) != 0 || !past.FloorOf("device").Equal(past.Floor) {
		t.Errorf("%+v, %v", past, err)
	}
}

// An iteration of a unit kind that would need events from below the kind's floor is
// refused.
//
// semantics: floor-kind
func TestApplyAboveTheFloorOfAUnitKind(t *testing.T) {
	v, at := base(t), day(t, "2026-03-02")
	for kind, refused := range map[string]bool{v.Experiments[0].UnitKind: true, "another": false} {
		early := *v
		early.Experiments, early.Floors = nil, map[string]time.Time{kind: at.Add(-FloorMargin + time.Hour)}
		_, _, problems := Apply(&early, baseSet(t), at, "somebody")
		if err := problems.Err(); (err != nil) != refused {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

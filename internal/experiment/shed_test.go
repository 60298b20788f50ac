package experiment

import (
	"errors"
	"testing"
	"time"
)

// A step begins a minute later, with a phase in what runs; outcomes of units that were
// seen before are kept until their windows are over; an apply of the same file changes
// nothing.
func TestShedding(t *testing.T) {
	set, v := threeArms(t)
	now := day(t, "2026-03-10")
	next, err := v.Shedding(0.25, "shedding", "operator", now)
	if err != nil {
		t.Fatal(err)
	}
	at := now.Add(ShedNotice)
	it := next.Find("x").Latest()
	s := next.Sheds[0]
	if !s.From.Equal(at) || s.Keep != 0.25 || !s.Outcomes.Equal(at.Add(next.Find("x").longestWindow(it.Metrics))) {
		t.Errorf("step %+v", s)
	}
	if p := it.PhaseAt(at); !p.From.Equal(at) || !p.ArmsOff || p.Traffic != .5 || p.Settle != defaultSettle || len(it.Phases) != 4 {
		t.Errorf("phases %+v", it.Phases)
	}
	if err := next.Validate(); err != nil {
		t.Error(err)
	}
	if !Counting(v, next, "x") {
		t.Error("a new phase changes what is counted")
	}
	for _, later := range []time.Duration{0, time.Hour, 60 * 24 * time.Hour} {
		if again, changes, problems := Apply(next, set, at.Add(later), "operator"); again != nil || problems != nil {
			t.Errorf("%s later: %v %v", later, changes, problems)
		}
	}
	if read, err := Decode(Encode(next)); err != nil || Hash(read) != Hash(next) {
		t.Errorf("read again: %v", err)
	}
	more, err := next.Shedding(1, "over", "operator", at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if s := more.Sheds[1]; !s.Outcomes.Equal(s.From) {
		t.Errorf("keeping more waits for nothing: %+v", s)
	}
	last := more.Sheds[1].From
	for _, c := range []struct {
		from, to time.Time
		want     float64
	}{
		{it.Start, at.Add(-1), 1}, {it.Start, at, .25}, {it.Start, last, .25}, {at, last.Add(time.Hour), .25}, {last, last.Add(time.Hour), 1},
	} {
		if got := more.KeptBetween(c.from, c.to); got != c.want {
			t.Errorf("from %s to %s %g are kept, want %g", c.from, c.to, got, c.want)
		}
	}
	for name, bad := range map[string]error{
		"nobody": second(next.Shedding(0, "", "o", at.Add(time.Hour))), "more than all": second(next.Shedding(1.5, "", "o", at.Add(time.Hour))),
		"the same": second(next.Shedding(.25, "", "o", at.Add(time.Hour))), "too soon": second(next.Shedding(.1, "", "o", now)),
		"the same at first": second(v.Shedding(1, "", "o", now)),
	} {
		if !errors.Is(bad, ErrShed) {
			t.Errorf("%s: %v", name, bad)
		}
	}
}

// A window that is longer than the outcomes are kept is refused.
func TestShedUnitsAreWhole(t *testing.T) {
	_, v := threeArms(t)
	next, err := v.Shedding(0.5, "shedding", "operator", day(t, "2026-03-10"))
	if err != nil {
		t.Fatal(err)
	}
	if problems := next.wholeUnits(); problems != nil {
		t.Fatal(problems)
	}
	it := next.Find("x").Latest()
	it.Metrics[0].Window = Duration(20 * 24 * time.Hour)
	if problems := next.wholeUnits(); len(problems) != 1 {
		t.Errorf("%v", problems)
	}
}

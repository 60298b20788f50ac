package experiment

import (
	"testing"
	"time"
)

// What changes the counts is told from what does not.
func TestCounting(t *testing.T) {
	at := day(t, "2026-03-15")
	for name, c := range map[string]struct {
		edit []string
		want bool
	}{
		"owner":            {[]string{"owner: growth", "owner: care"}, false},
		"mode":             {[]string{"margin: 0, mode: notify", "margin: 0, mode: kill"}, false},
		"traffic to come":  {[]string{"traffic: 100%", "traffic: 80%"}, false},
		"shares to come":   {[]string{"traffic: 100%", "shares: {a: 20%, b: 80%}, traffic: 100%"}, false},
		"settle to come":   {[]string{"traffic: 100%", "traffic: 100%, settle: 1h"}, true},
		"phase moved":      {[]string{"from: 2026-03-22", "from: 2026-03-21"}, true},
		"phase taken out":  {[]string{"      - {from: 2026-03-22, traffic: 100%}\n", ""}, true},
		"enrol_until":      {[]string{"enrol_until: 2026-03-29", "enrol_until: 2026-03-28"}, true},
		"end":              {[]string{"enrol_until: 2026-03-29", "enrol_until: 2026-03-29\n    end: 2026-04-06"}, true},
		"goal for another": {[]string{"goals: [conversion]", "goals: [latency, conversion]"}, false},
		"new metric":       {[]string{"goals: [conversion]", "goals: [conversion, revenue]"}, true},
	} {
		v := base(t)
		next := mustApply(t, v, baseSet(t, c.edit...), at)
		if got := Counting(v, next, "x"); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		_, changes, _ := Apply(v, baseSet(t, c.edit...), at, "operator")
		said := false
		for _, ch := range changes {
			said = said || ch.Counting
		}
		if said != c.want {
			t.Errorf("%s: its changes say %v: %v", name, said, changes)
		}
	}
}

func TestCountingOfNothing(t *testing.T) {
	v := base(t)
	if Counting(nil, nil, "x") || Counting(v, v, "x") || Counting(v, v, "y") {
		t.Error("nothing changed")
	}
	if !Counting(nil, v, "x") || !Counting(&Version{}, v, "x") || !Counting(v, nil, "x") {
		t.Error("an experiment came or went")
	}
}

// The hash is of what a version says, not of who said it when.
func TestHash(t *testing.T) {
	v := base(t)
	other := v.clone()
	other.Number, other.Author, other.Reason, other.AppliedAt = 9, "oncall", "because", v.AppliedAt.Add(time.Hour)
	if Hash(v) != Hash(other) {
		t.Error("number, author, reason and time are in the hash")
	}
	other.Experiments[0].Iterations[0].End = other.Experiments[0].Iterations[0].End.Add(time.Millisecond)
	if Hash(v) == Hash(other) {
		t.Error("a millisecond more is the same hash")
	}
	if len(Hash(v)) != 64 {
		t.Errorf("hash %q", Hash(v))
	}
}

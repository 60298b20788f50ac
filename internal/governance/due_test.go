package governance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

func march(day int) time.Time { return time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC) }

func days(n int) experiment.Duration {
	return experiment.Duration(n) * experiment.Duration(24*time.Hour)
}

// standing is an experiment from the first to the 21st of March, with everything asked
// for that a file can ask for.
func standing(day int) Standing {
	e := &experiment.Experiment{
		Key: "x", Reviews: []time.Time{march(-40), march(5), march(9)},
		StopWhen: experiment.StopWhen{Units: 1000, After: days(14), Decided: true, Ended: true},
		Stale:    experiment.Stale{After: days(3), Hold: days(4)},
		Iterations: []experiment.Iteration{
			{Number: 1, Start: march(-60), EnrolUntil: march(-50), End: march(-50)},
			{Number: 2, Start: march(1), EnrolUntil: march(14), End: march(21)},
		},
	}
	return Standing{Experiment: e, At: march(day), Looked: true, Newest: march(day).Add(-time.Minute), Call: "keep running"}
}

// TestDues: what is due, one thing at a time, and what makes it go away.
func TestDues(t *testing.T) {
	for name, c := range map[string]struct {
		at   int
		edit func(*Standing)
		want []What
	}{
		"nothing":                          {at: 4},
		"before it begins":                 {at: -70, edit: func(s *Standing) { s.Experiment.Iterations = s.Experiment.Iterations[1:] }},
		"a review":                         {at: 6, want: []What{Review}},
		"it was made":                      {at: 6, edit: func(s *Standing) { s.Noted = []time.Time{march(5)} }},
		"a note before it is none":         {at: 6, edit: func(s *Standing) { s.Noted = []time.Time{march(4)} }, want: []What{Review}},
		"the next one":                     {at: 10, edit: func(s *Standing) { s.Noted = []time.Time{march(6)} }, want: []What{Review}},
		"overdue":                          {at: 12, want: []What{Review, Unreviewed}},
		"overdue for long":                 {at: 16, edit: func(s *Standing) { s.Experiment.StopWhen = experiment.StopWhen{} }, want: []What{Review, Unreviewed, Hold}},
		"overdue for long, then looked at": {at: 16, edit: func(s *Standing) { s.Experiment.StopWhen, s.Noted = experiment.StopWhen{}, []time.Time{march(15)} }},
		"units":                            {at: 3, edit: func(s *Standing) { s.Units = 1000 }, want: []What{StopUnits}},
		"not the units":                    {at: 3, edit: func(s *Standing) { s.Units = 999 }},
		"nobody looked":                    {at: 3, edit: func(s *Standing) { s.Units, s.Call, s.Looked = 1000, "ship", false }},
		"shipped":                          {at: 3, edit: func(s *Standing) { s.Call = "ship" }, want: []What{StopCalled}},
		"stopped":                          {at: 3, edit: func(s *Standing) { s.Call = "stop" }, want: []What{StopCalled}},
		"so long":                          {at: 15, edit: func(s *Standing) { s.Experiment.Reviews = nil }, want: []What{StopAfter}},
		"it has ended":                     {at: 22, edit: func(s *Standing) { s.Experiment.Reviews, s.Units, s.Call = nil, 1000, "ship" }, want: []What{StopEnded}},
		"and was decided":                  {at: 22, edit: func(s *Standing) { s.Experiment.Reviews, s.Noted = nil, []time.Time{march(21)} }},
		"still on":                         {at: 25, edit: func(s *Standing) { s.Experiment.Reviews, s.Outside = nil, march(25).Add(-time.Hour) }, want: []What{StopEnded, LeftOn}},
		"off since":                        {at: 27, edit: func(s *Standing) { s.Experiment.Reviews, s.Outside = nil, march(25).Add(-time.Hour) }, want: []What{StopEnded}},
		"on, and somebody knows": {at: 26, edit: func(s *Standing) {
			s.Experiment.Reviews, s.Outside, s.Noted = nil, march(26).Add(-time.Hour), []time.Time{march(24)}
		}},
		"somebody knew, and it goes on": {at: 28, edit: func(s *Standing) {
			s.Experiment.Reviews, s.Outside, s.Noted = nil, march(28).Add(-time.Hour), []time.Time{march(24)}
		}, want: []What{LeftOn}},
		"still on for long": {at: 28, edit: func(s *Standing) { s.Experiment.Reviews, s.Outside = nil, march(28).Add(-time.Hour) }, want: []What{StopEnded, LeftOn, Hold}},
		"killed": {at: 28, edit: func(s *Standing) {
			s.Experiment.Reviews, s.Outside, s.Noted = nil, march(28), []time.Time{march(22)}
			s.Experiment.Iterations[1].Killed = &experiment.Killed{}
		}},
		"no data since the start": {at: 4, edit: func(s *Standing) { s.Newest = time.Time{} }, want: []What{NoData}},
		"no data since":           {at: 4, edit: func(s *Standing) { s.Newest = march(1).Add(time.Hour) }},
		"no data for long":        {at: 9, edit: func(s *Standing) { s.Experiment.Reviews, s.Newest = nil, march(2) }, want: []What{NoData, Hold}},
		"the operator asks": {at: 9, edit: func(s *Standing) {
			s.Operator = s.Experiment.Stale
			s.Experiment.Reviews, s.Experiment.Stale, s.Newest = nil, experiment.Stale{}, march(2)
		}, want: []What{NoData, Hold}},
		"the file says more than they": {at: 9, edit: func(s *Standing) {
			s.Operator = experiment.Stale{After: days(1)}
			s.Experiment.Reviews, s.Experiment.Stale, s.Newest = nil, experiment.Stale{After: days(30)}, march(2)
		}},
		"never held": {at: 20, edit: func(s *Standing) { s.Experiment.Stale.Hold = 0; s.Experiment.StopWhen = experiment.StopWhen{} }, want: []What{Review, Unreviewed}},
		"nobody asks": {at: 40, edit: func(s *Standing) {
			s.Experiment.Reviews, s.Experiment.StopWhen, s.Experiment.Stale, s.Outside = nil, experiment.StopWhen{}, experiment.Stale{}, march(40)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := standing(c.at)
			if c.edit != nil {
				c.edit(&s)
			}
			var got []What
			for _, d := range Dues(s) {
				got = append(got, d.What)
				if d.Text == "" || d.Do == "" || d.Iteration != 2 || d.Since.After(s.At) {
					t.Errorf("%+v", d)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("due %v, want %v", got, c.want)
			}
		})
	}
}

// TestHeldSaysWhy: the hold begins when the oldest reason has lasted, and names it.
func TestHeldSaysWhy(t *testing.T) {
	s := standing(18)
	s.Newest = march(2)
	h := Held(Dues(s))
	if h == nil || !h.Since.Equal(march(9)) || !strings.Contains(h.Text, "nothing was counted for it in 3d") || !strings.Contains(h.Do, "a note ends the hold") {
		t.Errorf("%+v", h)
	}
	if Held(Dues(standing(4))) != nil {
		t.Error("it is not held")
	}
}

// TestNotesOf: notes of others, and other lines, are none.
func TestNotesOf(t *testing.T) {
	lines := []guardrails.Entry{{Experiment: "x", Kind: guardrails.Noted, At: march(1)}, {Experiment: "y", Kind: guardrails.Noted, At: march(2)}, {Experiment: "x", Kind: guardrails.Snoozed, At: march(3)}}
	if got := NotesOf(lines, "x"); len(got) != 1 || !got[0].Equal(march(1)) {
		t.Errorf("%v", got)
	}
}

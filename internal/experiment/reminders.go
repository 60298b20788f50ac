package experiment

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxReviews is the most dates of reviews that a file may have.
const MaxReviews = 100

// StopWhen says when an iteration has run as long as was meant: people are reminded, and
// nothing is turned off. The zero value asks for nothing.
type StopWhen struct {
	Units   int64    `json:"units,omitempty"`   // so many units of all arms are in; 0: never
	After   Duration `json:"after,omitempty"`   // it has run so long; 0: never
	Decided bool     `json:"decided,omitempty"` // its numbers say ship or stop
	Ended   bool     `json:"ended,omitempty"`   // its end has passed, and nobody wrote down what was decided
}

// Stale says when an experiment that nobody looks after is reported, and how much later
// it is held. The zero value: never.
type Stale struct {
	After Duration `json:"after,omitempty"` // exposed so long after its end, without data so long, or a review so long overdue
	Hold  Duration `json:"hold,omitempty"`  // so much later nothing of it grows; 0: never
}

// Or is what the file says, or else what the operator says.
func (s Stale) Or(operator Stale) Stale {
	if s == (Stale{}) {
		return operator
	}
	return s
}

// String writes it for people.
func (s Stale) String() string {
	switch {
	case s.After == 0:
		return "never"
	case s.Hold == 0:
		return fmt.Sprintf("after %s, never held", s.After)
	}
	return fmt.Sprintf("after %s, held %s later", s.After, s.Hold)
}

// String writes it for people.
func (s StopWhen) String() string {
	var out []string
	if s.Units > 0 {
		out = append(out, fmt.Sprintf("%d units", s.Units))
	}
	if s.After > 0 {
		out = append(out, "after "+s.After.String())
	}
	if s.Decided {
		out = append(out, "decided")
	}
	if s.Ended {
		out = append(out, "ended")
	}
	if len(out) == 0 {
		return "never"
	}
	return strings.Join(out, ", ")
}

func reviewsText(at []time.Time) string {
	out := make([]string, len(at))
	for i, t := range at {
		out[i] = stamp(t)
	}
	return strings.Join(out, ", ")
}

func stopFields() []field[StopWhen] {
	return []field[StopWhen]{
		as("units", whole[int64](2, 1e12), func(s *StopWhen) *int64 { return &s.Units }, "So many units of all arms have been exposed."),
		as("after", span(shortest), func(s *StopWhen) *Duration { return &s.After }, "It has run so long."),
		as("decided", yesNo(), func(s *StopWhen) *bool { return &s.Decided }, "Its numbers say that it can be shipped, or is to be stopped."),
		as("ended", yesNo(), func(s *StopWhen) *bool { return &s.Ended }, "Its end has passed, and no note since says what was decided."),
	}
}

func staleFields() []field[Stale] {
	return []field[Stale]{
		must(as("after", span(time.Hour), func(s *Stale) *Duration { return &s.After }, "Reported when it is exposed so long after its end, has no data for so long, or a review is so long overdue.")),
		as("hold", span(time.Hour), func(s *Stale) *Duration { return &s.Hold }, "So much later it is held: ramps wait and nothing of it grows, until a note says why; default: never."),
	}
}

// checkReminders wants the reviews in order; those of earlier iterations may stay.
func (e *experimentFile) checkReminders() {
	for i := 1; i < len(e.Reviews); i++ {
		if !e.Reviews[i].After(e.Reviews[i-1]) {
			e.refuse(fmt.Sprintf("reviews[%d]", i), RuleReviews, fmt.Sprintf("the review at %s is not after the one at %s", stamp(e.Reviews[i]), stamp(e.Reviews[i-1])), "write the dates in ascending order")
		}
	}
}

// ReviewsOf are the dates of an iteration's reviews: those from its start on, and before
// the next one's.
func (e *Experiment) ReviewsOf(it *Iteration) []time.Time {
	next := e.Iteration(it.Number + 1)
	return slices.DeleteFunc(slices.Clone(e.Reviews), func(at time.Time) bool {
		return at.Before(it.Start) || next != nil && !at.Before(next.Start)
	})
}

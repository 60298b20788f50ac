package catalog

import (
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// State is where an iteration is between its beginning and its end.
type State string

// The states.
const (
	Scheduled State = "scheduled" // it begins later
	Running   State = "running"   // units are taken in
	Maturing  State = "maturing"  // no new units; the windows of the last ones pass
	Ended     State = "ended"     // it came to its planned end
	Killed    State = "killed"    // its kill switch ended it, by a guardrail or by hand
)

// States lists them in the order of an iteration's life.
func States() []State { return []State{Scheduled, Running, Maturing, Ended, Killed} }

// StateOf is the state of an iteration at a time.
func StateOf(it *experiment.Iteration, at time.Time) State {
	switch {
	case it.Killed != nil:
		return Killed
	case at.Before(it.Start):
		return Scheduled
	case !at.Before(it.End):
		return Ended
	case !at.Before(it.EnrolUntil):
		return Maturing
	}
	return Running
}

// Current is the iteration that runs or ran last; before the first, that one. nil
// without any.
func Current(e *experiment.Experiment, at time.Time) *experiment.Iteration {
	var found *experiment.Iteration
	for i := range e.Iterations {
		if it := &e.Iterations[i]; found == nil || !at.Before(it.Start) {
			found = it
		}
	}
	return found
}

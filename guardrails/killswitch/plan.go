package killswitch

import (
	"net/http"
	"time"
)

// Call is an HTTP request to be sent.
type Call struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
}

// Answer is an HTTP response that was read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	At     time.Time // when it had been read
}

// Step is one call of a plan and how its answer is read. The answer ends the
// plan or leads to its next step: a flag that is replaced whole is read, edited
// and written; a refusal that stands for an approval is followed by asking for it.
type Step struct {
	Call
	// Aside marks a call that cannot turn anything off: a look before, a request
	// for approval after. It is no attempt, and it never counts as applied.
	Aside bool
	// Lost is what holds when the call gets no answer. A fault, the zero value,
	// begins the plan anew.
	Lost Class
	Then func(Answer) Reply
}

// Reply is what an answer says.
type Reply struct {
	Next *Step // the plan goes on with this step; else it ends

	Class Class  // what the answer means
	State State  // of a plan that reads: what the switch reads as
	Why   string // for people: what Class or an unknown State rests on

	Wait   time.Duration // the least pause that the system asks for by a header of its own
	Link   string        // where a person can approve or look
	Serves string        // what users get once it is off
	Saved  string        // what the off call overwrites, so that it can be restored
	Reads  string        // of a plan that reads a traffic: which, for people
}

// plain reads the answer by its status alone.
func plain(a Answer) Reply { return Reply{Class: classifyStatus(a.Status)} }

// readState reads the answer of a call that asks for the state. Off tells whether
// the body says so; an error leaves the state unknown.
func readState(a Answer, off func(body []byte) (bool, error)) Reply {
	r := plain(a)
	if r.Class != ClassAccepted {
		r.Why = "the state was not answered"
		return r
	}
	isOff, err := off(a.Body)
	switch {
	case err != nil:
		r.Why = err.Error()
	case isOff:
		r.State = StateOff
	default:
		r.State = StateOn
	}
	return r
}

// Package acts is what people do by hand to experiments, in the words of those who
// offer it: the command line, the API and the pages. The service behind it is one, in
// internal/app: it asks whether they may, and whether they act on what they saw.
package acts

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// On is the experiment that is acted on, as the person sees it, and why.
type On struct {
	Experiment string // key; "" for all, where that has a meaning
	Iteration  uint32 // the one that they see: another one is refused. 0: whichever it is
	Reason     string // stands in the decision log for ever
}

// Kill turns an experiment off, or one arm of it.
type Kill struct {
	On
	Arm string // this one alone; "": the experiment
}

// Drill is how trying a kill out went: all of it but the write.
type Drill struct {
	Switch  string   `json:"switch"`
	Reads   string   `json:"reads" doc:"on, off or unknown."`
	Trouble string   `json:"trouble,omitempty" doc:"Why a kill would fail, or could not be verified."`
	Remedy  string   `json:"remedy,omitempty" doc:"What to do about it."`
	Method  string   `json:"method" doc:"Of the call that would be sent."`
	Host    string   `json:"host"`
	Headers []string `json:"headers,omitempty" doc:"Their names."`
	Bytes   int      `json:"bytes" doc:"Size of the body."`
	Body    string   `json:"body,omitempty" doc:"Its beginning."`
}

// Resume opens the next iteration of a killed experiment.
type Resume struct {
	On
	Rearm float64 // a new budget of false kills; 0: guardrails only notify
}

// Snooze lets automatic kills wait: of an experiment, or of all.
type Snooze struct {
	On
	For time.Duration // 0 ends it
}

// Acknowledge lets a phase be judged although its split is broken.
type Acknowledge struct {
	On
	Phase uint16
}

// Note is written beside an experiment; its reason is all that it says.
type Note struct {
	On
}

// Approve agrees to a change that somebody else wants, or takes that back.
type Approve struct {
	On
	Hash     string // of the change that they saw; "": the one that waits
	Withdraw bool
}

// Ramp says something of an experiment's ramp, or reverts it.
type Ramp struct {
	On
	Act RampAct
}

// RampAct is what is said of a ramp.
type RampAct string

// What can be said. Approving and resuming let more units take part, the others fewer,
// or as many.
const (
	ApproveRamp RampAct = "approve" // agrees to the next step
	PauseRamp   RampAct = "pause"   // holds it at its step
	ResumeRamp  RampAct = "resume"  // it goes on, also after a step that failed
	RevertRamp  RampAct = "revert"  // nobody takes part any more
)

// Grows tells whether more units may take part because of it.
func (a RampAct) Grows() bool { return a == ApproveRamp || a == ResumeRamp }

// Ramped is what came of it.
type Ramped struct {
	Act      RampAct `json:"act"`
	Step     int     `json:"step" doc:"That was agreed to; else the one in force."`
	Traffic  float64 `json:"traffic,omitempty" doc:"That was agreed to, 0 to 1."`
	Decision uint64  `json:"decision" doc:"Its number in the decision log."`
	State    string  `json:"state,omitempty" doc:"Of a revert: verified when the traffic was read back as 0; denied, pending_approval or failed: units may still take part, and a person is needed."`
}

// Code is what kind of no an answer is. The list is closed.
type Code string

// The codes.
const (
	Forbidden   Code = "forbidden"   // this person may not
	Unknown     Code = "unknown"     // there is no such experiment
	Stale       Code = "stale"       // another iteration is the latest by now
	Conflict    Code = "conflict"    // not in the state that it is in
	Invalid     Code = "invalid"     // the order makes no sense
	Busy        Code = "busy"        // as much is being done as may be at once
	Unavailable Code = "unavailable" // what it needs does not answer
)

// Error is a no with its code.
type Error struct {
	Code Code
	Err  error
}

// Error is the text of the cause.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf is an error's code; Unavailable when it has none, "" of no error.
func CodeOf(err error) Code {
	var coded *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &coded):
		return coded.Code
	default:
		return Unavailable
	}
}

// MaxReason is how long a reason can be, in characters.
const MaxReason = 500

// ErrReason says that a reason cannot stand in the log.
var ErrReason = errors.New("a reason is needed")

// CheckReason refuses what people would not read as a reason. It goes on to flag
// systems and messengers, so it is one line of text.
func CheckReason(reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return fmt.Errorf("%w: it stands in the decision log for ever", ErrReason)
	case !utf8.ValidString(reason) || utf8.RuneCountInString(reason) > MaxReason:
		return fmt.Errorf("%w of at most %d characters", ErrReason, MaxReason)
	case strings.ContainsFunc(reason, unicode.IsControl):
		return fmt.Errorf("%w in one line, without control characters", ErrReason)
	}
	return nil
}

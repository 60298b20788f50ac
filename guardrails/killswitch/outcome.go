package killswitch

import "time"

// Target names what is switched.
type Target struct {
	Experiment string
	Flag       string // the flag's key in its own system; empty: as the switch is configured, else the experiment's key
	Arm        string // only this arm, by the switch's per-arm off; empty: the experiment

	address string // of the arm's own webhook
}

// flag returns the key to use in the flag system.
func (t Target) flag() string {
	if t.Flag == "" {
		return t.Experiment
	}
	return t.Flag
}

// Request asks for one experiment to be turned off.
type Request struct {
	Target
	Key       string    // idempotency key: the same decision always carries the same key
	Iteration uint32    // the iteration that ends
	DecidedAt time.Time // when it was decided
	Reason    string    // for people: which guardrail, or who and why
	Evidence  string    // for people: effect, bound, units per arm

	// Progress, when set, hears of every stage as it happens, with the time
	// that counts for it. It is called from the goroutine that called Off.
	Progress func(Stage, time.Time)

	// Keep, when set, hears what the off call will overwrite, before it leaves. It
	// is called at most once, from the same goroutine.
	Keep func(saved string)
}

// Stage is a step of a kill that is worth telling.
type Stage string

// The stages, in their order. Sending and Accepted can repeat.
const (
	Sending  Stage = "sending"  // an off call is about to leave
	Accepted Stage = "accepted" // the system claims to have done it; the time is that of the sending
	Verified Stage = "verified" // the state was read back as off
)

// Kind is how a kill ended. The zero value is not an ending.
type Kind string

// The endings. Only Applied and AlreadyOff say that the switch is off.
const (
	Applied         Kind = "applied"          // we turned it off and read it back
	AlreadyOff      Kind = "already_off"      // it was off before any call of ours could have done it
	PendingApproval Kind = "pending_approval" // the system wants a person to agree
	Denied          Kind = "denied"           // the request was refused: credentials, permission, or its form
	Conflict        Kind = "conflict"         // a concurrent change won, until the deadline
	NotFound        Kind = "not_found"        // the system does not know the flag, or the address is wrong
	RateLimited     Kind = "rate_limited"     // too many requests, until the deadline
	Unknown         Kind = "unknown"          // nobody can say; with SentAt set: accepted but not verified
)

// Outcome is what is known after a kill was tried. It holds no secret and can be
// stored and shown.
type Outcome struct {
	Kind Kind `json:"kind"`
	// SentAt is when the call that was accepted left (t_k). When a call got no
	// answer but the switch then read as off, it is when that call left. Zero
	// when no call of ours was accepted.
	SentAt time.Time `json:"sent_at,omitzero"`
	// ReadBackAt is when the switch was read as off; zero when it never was.
	ReadBackAt time.Time `json:"read_back_at,omitzero"`
	Attempts   int       `json:"attempts"`              // off calls that were sent
	ResponseID string    `json:"response_id,omitempty"` // how the system names its answer
	Detail     string    `json:"detail,omitempty"`      // for people: the last answer
	Link       string    `json:"link,omitempty"`        // where a person can approve or look
	Serves     string    `json:"serves,omitempty"`      // what users get when it is off, where that is known
	Saved      string    `json:"saved,omitempty"`       // what the call overwrote, for a system that keeps nothing of it
}

// Off reports whether the switch is known to be off.
func (o Outcome) Off() bool { return o.Kind == Applied || o.Kind == AlreadyOff }

// Accepted reports whether a call was accepted but nobody could verify it: the
// kill stays open and needs a person.
func (o Outcome) Accepted() bool { return o.Kind == Unknown && !o.SentAt.IsZero() }

// OffAt is the time at which the switch counts as off (the end of the
// iteration): when our call left, or when it was seen to be off already. It is
// zero unless Off.
func (o Outcome) OffAt() time.Time {
	switch {
	case !o.Off():
		return time.Time{}
	case o.SentAt.IsZero():
		return o.ReadBackAt
	default:
		return o.SentAt
	}
}

// State is what a switch reads as.
type State int

// The states. The zero value claims nothing.
const (
	StateUnknown State = iota
	StateOn
	StateOff
)

// String is "on", "off" or "unknown".
func (s State) String() string {
	switch s {
	case StateOn:
		return "on"
	case StateOff:
		return "off"
	default:
		return "unknown"
	}
}

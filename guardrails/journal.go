package guardrails

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrTaken says that another writer has appended an entry of that number: read
// the log again, then decide again. It is how two guards never both decide.
var ErrTaken = errors.New("the decision log has grown meanwhile")

// Entry is one line of the decision log, which is append-only and numbered from
// 1 without gaps. What was decided is written before it is done; each step of
// doing it is written when it is known.
type Entry struct {
	Seq        uint64          `json:"seq"`
	At         time.Time       `json:"at"`
	Kind       EntryKind       `json:"kind"`
	Experiment string          `json:"experiment"`
	Iteration  uint32          `json:"iteration"`
	Guardrail  string          `json:"guardrail,omitempty"` // its metric; "" by hand and for the split
	Arm        string          `json:"arm,omitempty"`
	ArmOff     bool            `json:"arm_off,omitempty"`  // of a kill: Arm alone is turned off, and the iteration goes on
	Phase      uint16          `json:"phase,omitempty"`    // of a sample-ratio alarm
	Decision   uint64          `json:"decision,omitempty"` // the decision that this entry continues; its own Seq for Decided
	Key        string          `json:"key,omitempty"`      // idempotency key of the off call, the same on every retry
	Act        Act             `json:"act"`                // of a decision: what will be done
	Verdict    Kind            `json:"verdict"`
	Reason     Reason          `json:"reason,omitempty"`
	Actor      string          `json:"actor"`            // the guard's instance, or the person
	Login      string          `json:"login,omitempty"`  // of a person: how the name is known, as access.Principal has it; "": of a guard, or of before this was written
	Text       string          `json:"text"`             // one sentence for people
	SentAt     time.Time       `json:"sent_at,omitzero"` // when the accepted off call was sent: t_k
	Config     uint32          `json:"config,omitempty"` // configuration version judged, or appended
	Code       string          `json:"code,omitempty"`
	Look       string          `json:"look,omitempty"` // id of the stored look that it rests on
	Until      time.Time       `json:"until,omitzero"` // end of a snooze; not after At: it ends now
	Evidence   json.RawMessage `json:"evidence,omitempty"`
	Change     string          `json:"change,omitempty"` // of a change that waits for approvals: the hash of what was and of what is wanted
	Saved      string          `json:"saved,omitempty"`  // of Sending: what the off call will overwrite in the flag system
	Ramp       *Move           `json:"ramp,omitempty"`   // of a line about a ramp: what is done, or of which step a person speaks

	Shed *Shedding `json:"shed,omitempty"` // of LoadShed: what is done

	// Hash is what the log has made of the entry and of all before it: whoever knows
	// it can tell later whether any of them was touched. It comes from the log and is
	// no part of what is hashed.
	Hash string `json:"-"`
}

// EntryKind is what a line of the decision log records. The list is closed.
type EntryKind string

// What a guardrail or a person decided.
const (
	Decided EntryKind = "decided" // Act says what will be done; a kill is sent only after this line
	Held    EntryKind = "held"    // a kill was due, but too many came together: a person must look
)

// What became of a kill. A kill that is denied, pending or failed ends nothing.
const (
	Sending         EntryKind = "sending"          // Actor carries it out from here on
	Accepted        EntryKind = "accepted"         // the flag system took the call
	Verified        EntryKind = "verified"         // read back as off: the iteration ended at SentAt
	Denied          EntryKind = "denied"           // the flag system refused
	PendingApproval EntryKind = "pending_approval" // a person has to approve it there
	Failed          EntryKind = "failed"           // it could not be done in time
	IterationEnded  EntryKind = "iteration_ended"  // the version with the end was appended
	ArmEnded        EntryKind = "arm_ended"        // of an arm: the version in which its share is 0 was appended
	Effective       EntryKind = "effective"        // no treatment exposure newer than the kill and its settling time
	NotEffective    EntryKind = "not_effective"    // exposures go on although the switch reads off
	Overridden      EntryKind = "overridden"       // somebody turned it on again before the iteration's planned end
)

// The rest.
const (
	SRMAlarm        EntryKind = "srm_alarm"        // a phase's split is broken
	SRMAcknowledged EntryKind = "srm_acknowledged" // a person says why it may be judged nevertheless
	Resumed         EntryKind = "resumed"          // a person opened the next iteration
	Snoozed         EntryKind = "snoozed"          // automatic kills wait until Until, those of Experiment or, without one, all
	Drilled         EntryKind = "drilled"          // a kill was tried out, all of it but the write
	Noted           EntryKind = "noted"            // a person wrote something down beside the experiment; it changes nothing
	ErasureAsked    EntryKind = "erasure_asked"    // units are to be forgotten: how many, never which
	Exported        EntryKind = "exported"         // Actor took rows of single units out: whose units they were is not known any more
	Erased          EntryKind = "erased"           // Decision was carried out: what was deleted, and that nothing is left
)

// What became of a change that asks for approvals. Its hash is in Change.
const (
	ChangeProposed    EntryKind = "change_proposed"    // Actor wanted to apply it, and waits
	ChangeApproved    EntryKind = "change_approved"    // somebody else agrees to it
	ApprovalWithdrawn EntryKind = "approval_withdrawn" // and does no longer
	ChangeApplied     EntryKind = "change_applied"     // it had its approvals: Config has it
)

// KillKey is the idempotency key of a kill: a hash of what identifies the
// decision, so that a retry, another guard or a restart sends the same one.
func KillKey(experiment string, iteration uint32, guardrail string, decision uint64) string {
	h := sha256.Sum256([]byte(strings.Join([]string{
		experiment, fmt.Sprint(iteration), guardrail, fmt.Sprint(decision)}, "\x00")))
	return "kill_" + hex.EncodeToString(h[:16])
}

// Final tells whether the kind ends the carrying out of a kill.
func (k EntryKind) Final() bool {
	switch k {
	case Verified, Denied, PendingApproval, Failed:
		return true
	}
	return false
}

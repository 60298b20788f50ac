package watch

import (
	"encoding/json"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// Alert is one thing that people should hear of. Everything that is told of one
// matter has the same Key, Matter, Page, Experiment and Iteration, from the first
// alert to the one that resolves it.
type Alert struct {
	Key      string
	Matter   Matter
	Page     bool      // somebody should get up for it
	Since    time.Time // when the matter began
	Resolved bool      // it is over
	Repeat   bool      // people may know: this guard has found the matter in the log, when it began

	At         time.Time
	Experiment string
	Iteration  uint32
	Guardrail  string
	Arm        string
	Phase      uint16 // of a broken split
	Reason     string // why, in a word that docs/guardrails.md explains
	Title      string
	Text       string

	State    guardrails.EntryKind // how far a kill is
	Decision uint64               // its number in the log; 0: nothing was decided
	Decider  string               // the guard, or the person
	Look     string               // id of the look that was decided on
	Verdict  *guardrails.Verdict  // what that look showed; nil: by hand
	Vector   map[uint16]uint64    // shard → last part in its numbers
	Head     string               // of the decision log when this was told

	Owner  string // of the experiment as it was applied
	Switch string
	Links  experiment.Links

	decided guardrails.Entry
}

// Matter is a kind of thing that people are told.
type Matter string

// The matters. The list is closed.
const (
	KillMatter      Matter = "kill"      // an experiment is being turned off, or should be
	GuardrailMatter Matter = "guardrail" // a guardrail that only notifies is breached
	SilenceMatter   Matter = "silence"   // one arm gets no units, and its rule says on_no_data: warn
	SplitMatter     Matter = "split"     // a phase's split is broken
	BlindMatter     Matter = "blind"     // an experiment cannot be judged
	GuardMatter     Matter = "guard"     // the guard itself cannot look
	DataMatter      Matter = "data"      // what comes in looks wrong; the guardrails go on
	SnoozeMatter    Matter = "snooze"    // a person lets automatic kills wait
	RampMatter      Matter = "ramp"      // a ramp is reverted, or a step of it could not be carried out
	ApprovalMatter  Matter = "approval"  // a ramp waits for a person to agree to its next step
	ReminderMatter  Matter = "reminder"  // a review is due, an experiment should end, or nobody looks after it
)

// pages tells whether a matter is worth a night.
func (m Matter) pages() bool {
	return m != SilenceMatter && m != DataMatter && m != SnoozeMatter && m != ApprovalMatter && m != ReminderMatter
}

// of tells whether the alert is about an iteration.
func (a *Alert) of(run runKey) bool {
	return a.Experiment == run.experiment && a.Iteration == run.iteration
}

// Kind is the kind of the line that decided what the alert is about; "" without one.
func (a *Alert) Kind() guardrails.EntryKind { return a.decided.Kind }

// explain reads what was decided on from the decision's evidence.
func (a *Alert) explain() {
	d := a.decided
	a.Decision, a.Decider, a.Look = d.Seq, d.Actor, d.Look
	var evidence guardrails.Evidence
	if d.Guardrail == "" || json.Unmarshal(d.Evidence, &evidence) != nil {
		return // by hand, or about a split: there is no verdict
	}
	a.Vector, a.Verdict = evidence.Vector, &evidence.Verdict
}

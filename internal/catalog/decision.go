package catalog

import (
	"encoding/json"
	"time"
)

// Decision is a line of the decision log.
type Decision struct {
	Seq        uint64    `json:"seq"` // from 1 without gaps
	At         time.Time `json:"at"`
	Experiment string    `json:"experiment"`
	Iteration  uint32    `json:"iteration"`
	Kind       string    `json:"kind"`               // decided, sending, accepted, verified, denied, srm_alarm, resumed, snoozed …
	Act        string    `json:"act,omitempty"`      // of a decision: what was to be done
	Decision   uint64    `json:"decision,omitempty"` // the decision that this line continues
	Guardrail  string    `json:"guardrail,omitempty"`
	Arm        string    `json:"arm,omitempty"`
	ArmOff     bool      `json:"arm_off,omitempty"` // the arm alone is turned off
	Phase      uint16    `json:"phase,omitempty"`   // of a sample-ratio alarm
	Verdict    string    `json:"verdict,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Actor      string    `json:"actor"`           // the guard, or the person
	Login      string    `json:"login,omitempty"` // of a person: how the name is known; said: nobody proved it
	Text       string    `json:"text"`            // one sentence
	SentAt     time.Time `json:"sent_at,omitzero"`
	Until      time.Time `json:"until,omitzero"`   // of a snooze
	Look       string    `json:"look,omitempty"`   // id of the stored look that it rests on
	Version    uint32    `json:"version,omitzero"` // of the configuration
	Code       string    `json:"code,omitempty"`   // version of the program
	PrevHash   string    `json:"prev_hash"`
	Hash       string    `json:"hash"` // vouches for this line and all before it

	// Evidence is everything that the decision follows from; only of who asks for it.
	Evidence json.RawMessage `json:"evidence,omitempty"`
}

// DecisionQuery asks for lines of the log, the newest first.
type DecisionQuery struct {
	Experiment string // "": all
	Iteration  uint32 // 0: all
	Before     uint64 // smaller numbers only; 0: from the newest on
	Limit      int
	Evidence   bool
}

// Configuration is an applied version of the files, without what stands in it.
type Configuration struct {
	Number    uint32    `json:"number"`
	AppliedAt time.Time `json:"applied_at"`
	Author    string    `json:"author"`
	Reason    string    `json:"reason,omitempty"`
	Hash      string    `json:"hash"` // SHA-256 of its experiments
}

// Explained is one event of a unit and what an experiment made of it.
type Explained struct {
	At        time.Time `json:"at"`   // event time
	Type      string    `json:"type"` // exposure, outcome, or erasure: a request that names the unit, which stands at its time
	Topic     string    `json:"topic"`
	Partition uint16    `json:"partition"`
	Offset    int64     `json:"offset"`
	ID        string    `json:"id,omitempty"`
	What      string    `json:"what"`    // the event in short
	Finding   string    `json:"finding"` // counted, duplicate, outside, crossover, not_yet_counted, erased …
	Metrics   []string  `json:"metrics,omitempty"`
	Why       string    `json:"why"`
}

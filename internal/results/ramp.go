package results

import "time"

// Ramp is where an iteration's ramp is, and why. The words of State and Reason are in
// docs/ramps.md.
type Ramp struct {
	State   string    `json:"state"`            // waiting, held, advancing, advanced, reverted, done
	Reason  string    `json:"reason,omitempty"` // of waiting, held, advancing, advanced and reverted
	Text    string    `json:"text"`             // one sentence for people
	Step    int       `json:"step"`             // in force, from 1
	Traffic float64   `json:"traffic"`          // share of the eligible units that take part, 0..1
	Since   time.Time `json:"since"`            // when the step began, or the ramp was reverted
	// Units are those of the step with their windows behind them, of the smallest arm and
	// the guardrail with the fewest.
	Units    int64      `json:"units"`
	OnBreach string     `json:"on_breach"` // hold, revert
	Steps    []RampStep `json:"steps"`
}

// RampStep is a step and what it asks for before the next.
type RampStep struct {
	Traffic  float64   `json:"traffic"`
	For      string    `json:"for,omitempty"`
	Units    int64     `json:"units,omitempty"` // 0: those that a stratum needs at least
	Approval bool      `json:"approval,omitempty"`
	Began    time.Time `json:"began,omitzero"`     // absent: it has not
	Decision uint64    `json:"decision,omitempty"` // line of the decision log by which it began
}

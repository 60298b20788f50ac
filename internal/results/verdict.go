package results

import "time"

// Verdict is what package guardrails said of one guardrail and arm, in plain
// words for the readers of a document.
type Verdict struct {
	Metric    string    `json:"metric"`
	Arm       string    `json:"arm"`
	Mode      string    `json:"mode"`
	Limit     string    `json:"limit,omitempty"` // why it may at most notify
	Margin    float64   `json:"margin"`
	Relative  bool      `json:"relative"`
	Method    string    `json:"method,omitempty"` // count; absent: mean
	Verdict   string    `json:"verdict"`          // inconclusive, healthy, breached, blind, error
	Reason    string    `json:"reason"`
	Act       string    `json:"act"`  // what this look led to
	Text      string    `json:"text"` // one sentence
	Harm      *Test     `json:"harm,omitempty"`
	Safe      *Test     `json:"safe,omitempty"`
	Gate      *Gate     `json:"gate,omitempty"`
	Since     time.Time `json:"since,omitzero"`      // harm shown in every look since, waiting for the hold time
	LatchedAt time.Time `json:"latched_at,omitzero"` // when it was decided
}

// Test is a one-sided always-valid test with the numbers that it stands on.
// Harm is the effect in the bad direction, in the units of the margin.
type Test struct {
	Reject    bool     `json:"reject"`
	Estimate  Number   `json:"estimate"`  // of the harm
	Bound     Number   `json:"bound"`     // of the harm: lower for Verdict.Harm, upper for Verdict.Safe; null: none
	P         Number   `json:"p"`         // always valid
	Z         Number   `json:"z"`         // distance from the margin in standard errors
	Threshold Number   `json:"threshold"` // that Z must exceed
	Alpha     float64  `json:"alpha"`
	Units     [2]int64 `json:"units"` // treatment, control
	// Of the count test only, which has no Z: the log e-value, which must exceed
	// ln(1/Alpha), and the units with an event.
	LogE   Number    `json:"log_e,omitempty"`
	Events *[2]int64 `json:"events,omitempty"`

	Means    [2]Number `json:"means"`
	LeftOut  []string  `json:"left_out,omitempty"` // phases with too few units in an arm
	Warnings []string  `json:"warnings,omitempty"`
}

// Gate says whether enough units had an event.
type Gate struct {
	Passes bool   `json:"passes"`
	Have   Number `json:"have"` // expected non-zero units of the smaller arm, had there been no effect
	Need   Number `json:"need"`
}

package guardrails

import "time"

// State is what a rule remembers from look to look: how long a breach has
// persisted, what was decided, and when each arm last got a unit. Nothing else:
// a look judges the ledger as it stands.
type State struct {
	Since  time.Time `json:"since,omitzero"` // first of the unbroken looks that show harm
	Latch  *Latch    `json:"latch,omitempty"`
	Arms   ArmMarks  `json:"arms,omitzero"`
	Warned bool      `json:"warned,omitempty"` // people were told of the silent arm
}

// Latch is a decision that stands until a person undoes it.
type Latch struct {
	Kind   Kind      `json:"verdict"`
	Reason Reason    `json:"reason"`
	Act    Act       `json:"act"` // the most that was done about it
	At     time.Time `json:"at"`
}

// ArmMarks are the other arm's units when an arm last got one.
type ArmMarks struct {
	Phase         uint16 `json:"phase"`
	Treatment     int64  `json:"treatment"` // units at the last look
	Control       int64  `json:"control"`
	TreatmentMark int64  `json:"treatment_mark"` // the control's units when the treatment last grew
	ControlMark   int64  `json:"control_mark"`   // the treatment's units when the control last grew
}

// Done records what was in fact done about the decision of the last step, which
// may be less than the verdict allowed (a storm, a global stop).
func (s State) Done(act Act) State {
	if s.Latch != nil {
		l := *s.Latch
		l.Act = act
		s.Latch = &l
	}
	return s
}

package guardrails

import (
	"time"

	"github.com/assay-dev/assay/stats"
)

// Observation is what one look shows to one rule.
type Observation struct {
	At        time.Time `json:"at"`                   // when the look was taken
	Freshness time.Time `json:"freshness,omitzero"`   // least over all shards; zero: not known
	Newest    time.Time `json:"newest,omitzero"`      // event time of the newest counted event of the iteration
	Troubles  []Trouble `json:"troubles,omitempty"`   // what makes the look blind
	Over      int64     `json:"over,omitempty"`       // units of the pair whose total is too large
	SRMPhases []uint16  `json:"srm_phases,omitempty"` // phases with an open sample-ratio alarm

	CrossPhases []uint16 `json:"cross_phases,omitempty"` // phases whose crossovers hold the rules
	WrongPhases []uint16 `json:"wrong_phases,omitempty"` // phases whose assignments hold them

	Open    []Stratum `json:"open,omitempty"`    // all slots, one stratum a phase, settling units left out
	Matured []Stratum `json:"matured,omitempty"` // slots whose window has passed

	Current PhaseUnits `json:"current,omitzero"` // first exposures of the phase in force
	Failed  string     `json:"failed,omitempty"` // why there is no look at all
}

// Trouble is one thing that keeps a look from being trusted.
type Trouble struct {
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// Stratum is one phase of the pair.
type Stratum struct {
	Phase     uint16        `json:"phase"`
	Share     float64       `json:"share"` // intended share of the treatment in the pair, 0..1
	Treatment stats.Moments `json:"treatment"`
	Control   stats.Moments `json:"control"`
}

// PhaseUnits are the first exposures of the pair in the phase in force, settling
// units left out. The zero value: nothing can be said about silent arms.
type PhaseUnits struct {
	Phase     uint16  `json:"phase"`
	Share     float64 `json:"share"` // intended share of the treatment in the pair, 0..1
	Treatment int64   `json:"treatment"`
	Control   int64   `json:"control"`
}

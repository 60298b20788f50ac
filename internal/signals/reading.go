package signals

import (
	"hash/fnv"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Reading is what one question was answered, or that it was not.
type Reading struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"` // of a gap: 0, and no number
	Gap   Gap       `json:"gap,omitempty"`
}

// Answered tells whether there is a number.
func (r Reading) Answered() bool { return r.Gap == "" }

// Gap is why there is no number. Missing is not zero.
type Gap string

// The reasons. The list is closed; docs/signals.md says what to do about each.
const (
	NoData        Gap = "no_data"        // the query's answer is empty
	ManySeries    Gap = "many_series"    // it is more than one number
	NotANumber    Gap = "not_a_number"   // NaN or infinite, as a ratio of nothing is
	BadQuery      Gap = "bad_query"      // the server does not understand it
	Denied        Gap = "denied"         // the server wants another token
	TimedOut      Gap = "timed_out"      // no answer in time
	Unreachable   Gap = "unreachable"    // no connection, or a fault of the server
	BadAnswer     Gap = "bad_answer"     // not what such a server answers
	NotConfigured Gap = "not_configured" // the operator's configuration names no such place
)

// Gaps are all reasons.
func Gaps() []Gap {
	return []Gap{NoData, ManySeries, NotANumber, BadQuery, Denied, TimedOut, Unreachable, BadAnswer, NotConfigured}
}

// Exposure is how much of the traffic a signal is about sees another variant than the
// control, as planned and as seen so far.
type Exposure struct {
	Phase   uint16  `json:"phase"`
	Planned float64 `json:"planned"` // of the eligible units: the phase's traffic times the shares of all arms but the control
	Known   bool    `json:"-"`       // a look says how many units there are
	Units   int64   `json:"units"`   // first exposed so far, in all phases
	Treated int64   `json:"treated"` // of these, in other arms than the control
	Look    string  `json:"look,omitempty"`
}

// PhaseAt is the phase in force, nil before the first.
func PhaseAt(it *experiment.Iteration, at time.Time) *experiment.Phase {
	var in *experiment.Phase
	for i := range it.Phases {
		if p := &it.Phases[i]; !at.Before(p.From) {
			in = p
		}
	}
	return in
}

// PlannedExposure is the share of the eligible units that a phase gives to other arms
// than the control.
func PlannedExposure(e *experiment.Experiment, p *experiment.Phase) float64 {
	if p == nil {
		return 0
	}
	control := e.VariantIndex(e.Control)
	if control < 0 || control >= len(p.Shares) {
		return 0
	}
	return p.Traffic * (1 - p.Shares[control])
}

// SourceOf tells questions apart: readings of another query are another series, under
// the same name too. It is never 0.
func SourceOf(s *experiment.Signal) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.Query + "\x00" + s.Health))
	return max(h.Sum64(), 1)
}

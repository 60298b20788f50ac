package signals

import (
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Report is what is known of an iteration's signals.
type Report struct {
	Experiment string    `json:"experiment"`
	Iteration  uint32    `json:"iteration"`
	At         time.Time `json:"at"`
	From       time.Time `json:"from"` // of the points
	To         time.Time `json:"to"`
	Phases     []Exposed `json:"phases"`
	Signals    []Series  `json:"signals"`
}

// Exposed is the planned exposure of one phase.
type Exposed struct {
	Phase   uint16    `json:"phase"`
	From    time.Time `json:"from"`
	Planned float64   `json:"planned"` // share of the eligible units in other arms than the control
}

// Series is one signal over time.
type Series struct {
	experiment.Signal
	Breaker *Fact   `json:"breaker,omitempty"` // absent without limits, and when the iteration does not run
	Steps   []Step  `json:"steps"`
	Points  []Point `json:"points"`
}

// Point is a stretch of readings, or one of them.
type Point struct {
	From    time.Time `json:"from"` // first reading
	To      time.Time `json:"to"`   // last reading
	Mean    *float64  `json:"mean"` // null: a gap
	Low     *float64  `json:"low"`  // least and greatest reading
	High    *float64  `json:"high"`
	Answers uint64    `json:"answers"`
	Gaps    uint64    `json:"gaps"`
	Why     Gap       `json:"gap,omitempty"` // of the last gap
	Exposure
	// Share is what was seen of the exposure since the point before: the share of other
	// arms than the control among the units that came, times the phase's traffic. Absent
	// where no unit came or nobody knows.
	Share *float64 `json:"share,omitempty"`
}

// ExposedPhases are the planned exposures of an iteration.
func ExposedPhases(e *experiment.Experiment, it *experiment.Iteration) []Exposed {
	out := make([]Exposed, len(it.Phases))
	for i := range it.Phases {
		p := &it.Phases[i]
		out[i] = Exposed{Phase: p.Number, From: p.From, Planned: PlannedExposure(e, p)}
	}
	return out
}

// AddShares computes what was seen of the exposure between points of one signal, which
// are in the order of time.
func AddShares(it *experiment.Iteration, points []Point) {
	var last *Point
	for i := range points {
		p := &points[i]
		if !p.Known {
			continue
		}
		phase := PhaseAt(it, p.To)
		if last != nil && phase != nil && last.Phase == p.Phase && p.Units > last.Units && p.Treated >= last.Treated {
			share := phase.Traffic * float64(p.Treated-last.Treated) / float64(p.Units-last.Units)
			p.Share = &share
		}
		last = p
	}
}

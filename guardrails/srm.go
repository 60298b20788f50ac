package guardrails

import (
	"cmp"
	"slices"
	"time"
)

// Alarm is a broken split of one phase. It latches until a person acknowledges
// it with a reason, and an acknowledged one is never raised again.
type Alarm struct {
	Phase        uint16    `json:"phase"`
	At           time.Time `json:"at"`
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	By           string    `json:"by,omitempty"`
	Why          string    `json:"why,omitempty"`
}

// Open tells whether the alarm still closes the gates.
func (a Alarm) Open() bool { return a.Acknowledged.IsZero() }

// Split is the sample-ratio test of one phase as one look shows it.
type Split struct {
	Phase     uint16  `json:"phase"`
	P         float64 `json:"p"`         // always valid
	Threshold float64 `json:"threshold"` // 0.01·2^−phase
}

// Alarms are the alarms of an iteration, by phase.
func (l *Log) Alarms(experiment string, iteration uint32) []Alarm {
	var alarms []Alarm
	for key, a := range l.srm {
		if key.runKey == (runKey{experiment, iteration}) {
			alarms = append(alarms, *a)
		}
	}
	slices.SortFunc(alarms, func(a, b Alarm) int { return cmp.Compare(a.Phase, b.Phase) })
	return alarms
}

// StepSRM says which alarms stand after a look and which of them are new: those
// are to be journalled. It judges the current p, and no phase alarms twice.
func StepSRM(alarms []Alarm, splits []Split, at time.Time) (after []Alarm, raised []Alarm) {
	after = slices.Clone(alarms)
	for _, s := range splits {
		known := slices.ContainsFunc(alarms, func(a Alarm) bool { return a.Phase == s.Phase })
		if known || !(s.P < s.Threshold) {
			continue
		}
		a := Alarm{Phase: s.Phase, At: at}
		after, raised = append(after, a), append(raised, a)
	}
	return after, raised
}

// OpenPhases are the phases whose alarm closes the gates.
func OpenPhases(alarms []Alarm) []uint16 {
	var open []uint16
	for _, a := range alarms {
		if a.Open() {
			open = append(open, a.Phase)
		}
	}
	return open
}

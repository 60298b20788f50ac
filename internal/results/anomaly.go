package results

import "time"

// Anomaly is something in what comes in that is not as it was. One that blinds keeps
// guardrails from judging; the others warn. The guard adds them.
type Anomaly struct {
	Code      string    `json:"code"`
	Blind     bool      `json:"blind,omitempty"`
	Metric    string    `json:"metric,omitempty"` // absent: the whole experiment
	Dimension string    `json:"dimension,omitempty"`
	Topic     string    `json:"topic,omitempty"`
	Signal    string    `json:"signal,omitempty"`
	Since     time.Time `json:"since"`
	Text      string    `json:"text"`
}

// String names the anomaly: its code, and what it is about.
func (a Anomaly) String() string {
	for _, about := range []string{a.Metric, a.Dimension, a.Topic, a.Signal} {
		if about != "" {
			return a.Code + " " + about
		}
	}
	return a.Code
}

// The codes of anomalies. The first two are reasons of a blind verdict as well.
const (
	ExposuresStopped = "exposures_stopped" // no new unit, where many were due
	OutcomesStopped  = "outcomes_stopped"  // no unit with an event of a metric, while units go on
	RateJump         = "rate_jump"         // in all arms at once, units with an event become 5 times as many
	ValueJump        = "value_jump"        // in all arms at once, values become 10 times as large or as small
	AttributeMissing = "attribute_missing" // a dimension is (none) for many more units than before
	UnknownVariants  = "unknown_variants"  // exposures to a variant that the file does not name
	OtherUnitKind    = "other_unit_kind"   // exposures of another unit kind
	Misassigned      = "misassigned"       // units were shown another variant than their system gives them
	OutOfRange       = "out_of_range"      // values too large to be counted
	DeadLetters      = "dead_letters"      // a topic has many more records that are no events than before
	SignalBreached   = "signal_breached"   // a signal's circuit breaker has tripped
	SignalUnknown    = "signal_unknown"    // a signal with limits has no numbers
)

// Warnings are the codes of anomalies that do not blind.
func Warnings() []string {
	return []string{RateJump, ValueJump, AttributeMissing, UnknownVariants, OtherUnitKind, Misassigned, OutOfRange, DeadLetters, SignalBreached, SignalUnknown}
}

// Seen says within how many seconds something would be noticed, at the rates of the look.
type Seen struct {
	Code    string  `json:"code"`
	Metric  string  `json:"metric,omitempty"`
	Seconds float64 `json:"seconds"`
}

// Fates are what became of the records of one topic in a stretch of the ledger.
type Fates struct {
	Topic                    string
	Records, Dead, Misplaced uint64
}

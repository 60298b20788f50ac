package ingest

import "github.com/assay-dev/assay/internal/experiment"

// Step is one event of a unit and what one experiment made of it.
type Step struct {
	Event     Event
	Finding   Finding
	Iteration uint32   // the iteration that covers the event's time, 0: none
	Phase     uint16   // of the event's time, 0: none
	Metrics   []string // outcomes: the metrics in whose y it counts, sorted
	Reason    string   // the finding in words
}

// Finding is what became of an event in one experiment.
type Finding string

// The findings.
const (
	FoundFirst      Finding = "first_exposure"  // decides variant, phase, slot and dimensions
	FoundRepeat     Finding = "repeat"          // another exposure to the same variant
	FoundCrossover  Finding = "crossover"       // another variant within the phase of the first exposure
	FoundMoved      Finding = "moved"           // another variant in a later phase
	FoundTooLate    Finding = "enrolment_over"  // exposure from enrol_until on, of a unit without a first one
	FoundOutside    Finding = "outside"         // outside every iteration
	FoundAfterEnd   Finding = "after_end"       // exposure after the end of a killed iteration
	FoundUnknown    Finding = "unknown_variant" // exposure to a variant that the experiment does not have
	FoundOtherKind  Finding = "other_unit_kind" // exposure of another kind of unit
	FoundOther      Finding = "other"           // exposure of another experiment, outcome of no metric
	FoundCounted    Finding = "counted"         // outcome that counts in at least one metric
	FoundNotCounted Finding = "not_counted"     // outcome of a metric that counts in none
	FoundDuplicate  Finding = "duplicate"       // the same identity stands earlier in the log
	FoundMisplaced  Finding = "misplaced"       // in the wrong partition: never joined
)

// Explain says what each event of one unit did in the experiment of that key. It
// takes the unit's stored rows in any order and with repeated places, and
// returns a step for every place, by time.
func Explain(events []Event, v *experiment.Version, key string) []Step { return nil }

package ingest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

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
	FoundExcluded   Finding = "excluded"        // first exposure whose attributes take the unit out
	FoundLeftOut    Finding = "left_out"        // first exposure of a unit that is not measured
	FoundMoved      Finding = "moved"           // another variant in a later phase
	FoundTooLate    Finding = "enrolment_over"  // exposure from enrol_until on, of a unit without a first one
	FoundOutside    Finding = "outside"         // outside every iteration
	FoundAfterEnd   Finding = "after_end"       // exposure after the end of a killed iteration
	FoundUnknown    Finding = "unknown_variant" // exposure to a variant that the experiment does not have
	FoundOtherKind  Finding = "other_unit_kind" // exposure of another kind of unit
	FoundRefused    Finding = "no_consent"      // exposure without the consent that the experiment requires
	FoundOther      Finding = "other"           // exposure of another experiment, outcome of no metric
	FoundCounted    Finding = "counted"         // outcome that counts in at least one metric
	FoundNotCounted Finding = "not_counted"     // outcome of a metric that counts in none
	FoundDuplicate  Finding = "duplicate"       // the same identity stands earlier in the log
	FoundMisplaced  Finding = "misplaced"       // in the wrong partition: never joined
)

// Explain says what each event of one unit did in the experiment of that key. It
// takes the unit's stored rows in any order and with repeated places, and
// returns a step for every place, by time. It asks the same functions that
// counting asks.
func Explain(events []Event, v *experiment.Version, key string) []Step {
	if len(events) == 0 {
		return nil
	}
	x := explainer{j: NewJoiner(nil, v), id: events[0].Unit}
	steps := make([]Step, 0, len(events))
	for _, e := range sortPlaces(events) {
		steps = append(steps, x.store(e))
	}
	if x.t = x.j.trials[x.j.symbol(key)]; x.t == nil {
		return x.unknownExperiment(steps)
	}
	x.stances = make([]stance, len(x.t.runs))
	for i := range x.t.runs {
		if u := x.unit(); u != nil {
			x.j.assess(u, x.t, &x.t.runs[i], &x.stances[i])
		}
	}
	for i := range steps {
		if s := &steps[i]; s.Finding == "" {
			r := x.j.view(x.rows[i])
			x.explain(s, &r)
		}
	}
	return steps
}

// sortPlaces returns the events by time and place, each place once.
func sortPlaces(events []Event) []Event {
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.T, b.T), cmp.Compare(a.Place.Topic, b.Place.Topic), cmp.Compare(a.Place.Offset, b.Place.Offset))
	})
	return slices.CompactFunc(sorted, func(a, b Event) bool { return a.Place == b.Place })
}

type explainer struct {
	j       *Joiner
	id      Unit
	t       *trial
	rows    []uint32 // by step; 0: not a row of the state
	stances []stance // by iteration
}

// store takes an event into the state, or says why it does not get there.
func (x *explainer) store(e Event) Step {
	s := Step{Event: e}
	i := uint32(0)
	x.j.enter(e.Unit)
	identity := x.j.identityOf(&e)
	switch {
	case e.Misplaced:
		s.Finding, s.Reason = FoundMisplaced, "it lies in another partition than the unit's: it is stored and takes no part"
	case identity != 0 && x.j.duplicate(identity, e.T):
		s.Finding, s.Reason = FoundDuplicate, "a record with the same topic, type, unit, id and time stands earlier in the log"
	default:
		i = x.j.store(&e, identity)
		x.j.link(x.j.units.at(e.Unit), i)
	}
	x.rows = append(x.rows, i)
	return s
}

func (x *explainer) unit() *unit {
	x.j.enter(x.id)
	return x.j.units.find(x.id)
}

func (x *explainer) unknownExperiment(steps []Step) []Step {
	for i := range steps {
		if s := &steps[i]; s.Finding == "" {
			s.Finding, s.Reason = FoundOther, "this version knows no such experiment"
		}
	}
	return steps
}

func (x *explainer) explain(s *Step, r *row) {
	i := x.t.covering(r.t)
	if i >= 0 {
		s.Iteration, s.Phase = x.t.runs[i].number, x.t.runs[i].phase(r.t).number
	}
	if !r.exposure() {
		x.outcome(s, r, i)
		return
	}
	if r.name != x.t.symbol {
		s.say(FoundOther, "it is an exposure of another experiment")
		return
	}
	seen := x.j.sight(x.t, r)
	switch c, _ := x.t.ofSighting(&seen); c.Metric {
	case OtherUnitKind:
		s.say(FoundOtherKind, "the experiment randomises another kind of unit")
	case AfterEnd:
		s.say(FoundAfterEnd, "the iteration had been ended by its kill switch")
	case Outside:
		s.say(FoundOutside, "no iteration covers its time")
	case UnknownVariant:
		s.say(FoundUnknown, "the experiment has no such variant")
	default:
		if seen.refused {
			s.say(FoundRefused, "it says %q of consent, which is not what the experiment requires: it is counted without its unit", seen.consent)
			return
		}
		x.exposure(s, r, &x.t.runs[i], &x.stances[i])
	}
}

func (x *explainer) exposure(s *Step, r *row, run *run, a *stance) {
	switch {
	case a.first == nil:
		s.say(FoundTooLate, "enrolment was over, and the unit had not been exposed before")
	case r.at == a.first.at && a.leftOut:
		s.say(FoundLeftOut, "first exposure of a unit that is not among those that phase %d measures: it gives nothing", a.phase.number)
	case a.leftOut:
		s.say(FoundRepeat, "by its first exposure the unit is not among those that are measured: nothing changes")
	case r.at == a.first.at && a.barred:
		s.say(FoundExcluded, "first exposure, and its attributes exclude the unit: it gives nothing")
	case a.barred:
		s.say(FoundRepeat, "the attributes of the unit's first exposure exclude it: nothing changes")
	case r.at == a.first.at && r.t < a.phase.settled:
		s.say(FoundFirst, "first exposure: the unit is in %s, phase %d, within the time to settle", run.variants[a.variant], a.phase.number)
	case r.at == a.first.at:
		s.say(FoundFirst, "first exposure: the unit is in %s, phase %d", run.variants[a.variant], a.phase.number)
	case r.variant == a.first.variant:
		s.say(FoundRepeat, "the unit was seen in this variant before: nothing changes")
	case run.phase(r.t) != a.phase:
		s.say(FoundMoved, "another variant in a later phase: the unit stays in %s", run.variants[a.variant])
	case run.exclude:
		s.say(FoundCrossover, "another variant within the phase of the first exposure: the unit is taken out")
	default:
		s.say(FoundCrossover, "another variant within the phase of the first exposure: by the experiment's policy the unit stays in %s", run.variants[a.variant])
	}
	if verdict, ok := attr(x.j.attrs(r), Assignment); ok {
		s.Reason += "; its assignment, computed anew: " + string(verdict)
	}
}

func (s *Step) say(f Finding, format string, args ...any) {
	s.Finding, s.Reason = f, fmt.Sprintf(format, args...)
}

// decimal writes v·10^-decimals.
func decimal(v int64, decimals int) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	if decimals == 0 {
		return fmt.Sprintf("%s%d", sign, v)
	}
	unit := int64(pow10(decimals))
	return fmt.Sprintf("%s%d.%0*d", sign, v/unit, decimals, v%unit)
}

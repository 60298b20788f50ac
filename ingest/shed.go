package ingest

import (
	"math"
	"math/bits"

	"github.com/assay-dev/assay/internal/experiment"
)

// Shedder says which events are left out under a version's plan of shedding. It is a
// function of the version and the event; nil keeps everything.
type Shedder struct {
	steps  []shedStep
	starts map[string][]lifetime // of the iterations, by experiment
}

type shedStep struct {
	from, outcomes int64
	parts          uint32 // units that are kept, of a million
}

type lifetime struct{ start, end int64 }

// ShedderOf compiles the plan of a version; nil without one.
func ShedderOf(v *experiment.Version) *Shedder {
	if v == nil || len(v.Sheds) == 0 {
		return nil
	}
	s := &Shedder{steps: []shedStep{{from: math.MinInt64, outcomes: math.MinInt64, parts: experiment.Million}}, starts: map[string][]lifetime{}}
	for _, x := range v.Sheds {
		s.steps = append(s.steps, shedStep{x.From.UnixMilli(), x.Outcomes.UnixMilli(), experiment.PartsOf(x.Keep)})
	}
	for i := range v.Experiments {
		e := &v.Experiments[i]
		for _, it := range e.Iterations {
			s.starts[e.Key] = append(s.starts[e.Key], lifetime{it.Start.UnixMilli(), it.End.UnixMilli()})
		}
	}
	return s
}

// Sheds tells whether an event is left out: neither stored nor counted but as shed.
// Records in the wrong partition are not: they are counted as that.
func (s *Shedder) Sheds(e *Event) bool {
	if s == nil || e.Misplaced {
		return false
	}
	part, _ := bits.Mul64(e.Unit.Lo, experiment.Million)
	return uint32(part) >= s.kept(e)
}

// kept is how many parts of a million of the units are kept of such events. An exposure
// is kept of units that were kept through all of its iteration so far; an outcome of
// those that may be in an iteration whose window is not over.
func (s *Shedder) kept(e *Event) uint32 {
	at := len(s.steps) - 1
	for s.steps[at].from > e.T {
		at--
	}
	parts := s.steps[at].parts
	if e.Type == Exposure {
		for _, it := range s.starts[e.Experiment] {
			for i := at - 1; e.T >= it.start && e.T < it.end && i >= 0 && s.steps[i+1].from > it.start; i-- {
				parts = min(parts, s.steps[i].parts)
			}
		}
		return parts
	}
	for i := at - 1; i >= 0; i-- {
		if s.steps[i+1].outcomes > e.T {
			parts = max(parts, s.steps[i].parts)
		}
	}
	return parts
}

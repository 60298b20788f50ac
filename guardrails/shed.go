package guardrails

import (
	"fmt"
	"time"
)

// LoadShed is a line of the decision log: by the operator's plan, consumers are to keep
// fewer units from the next version on.
const LoadShed EntryKind = "load_shed"

// ShedPlan is what an operator wrote down for the case that more comes in than is
// counted. Without shares nothing is ever shed by itself.
type ShedPlan struct {
	Keep []float64     `json:"keep"` // shares of all units, falling
	Lag  time.Duration `json:"lag"`  // so far behind counting must be
	For  time.Duration `json:"for"`  // and not catch up for so long
}

// Backlog is how far counting is behind at one time.
type Backlog struct {
	At     time.Time     `json:"at"`
	Behind time.Duration `json:"behind"` // of the shard that is behind most
	// Whole says that every shard is being counted: each has a consumer that said a moment
	// ago that it goes on. A shard that stands still is no overload.
	Whole bool `json:"whole"`
}

// Overload is a stretch in which counting was behind and did not catch up. The zero value
// is none.
type Overload struct {
	Since Backlog `json:"since"` // its beginning: it was less behind at no time since
}

// Shedding is a step of the plan.
type Shedding struct {
	Was  float64 `json:"was"`  // share of all units that consumers keep
	Keep float64 `json:"keep"` // from the next version on
}

// ShedEvidence is everything that a step follows from: Step of it gives it again.
type ShedEvidence struct {
	Plan     ShedPlan `json:"plan"`
	Overload Overload `json:"overload"`
	Now      Backlog  `json:"now"`
}

// Step judges one more reading. A stretch begins anew whenever counting is less behind
// than at its beginning: a consumer that works off what an outage left is no overload,
// however far it has to go. It leads to one step at most, to the next share of the plan
// below the one in force.
func (p ShedPlan) Step(o Overload, now Backlog, kept float64) (Overload, *Shedding) {
	switch {
	case len(p.Keep) == 0, !now.Whole, now.Behind < p.Lag:
		return Overload{}, nil
	case o.Since.At.IsZero(), now.Behind < o.Since.Behind, now.At.Before(o.Since.At):
		return Overload{now}, nil
	case now.At.Sub(o.Since.At) < p.For:
		return o, nil
	}
	for _, keep := range p.Keep {
		if keep < kept {
			return o, &Shedding{Was: kept, Keep: keep}
		}
	}
	return o, nil
}

// Text says why a step is taken.
func (e ShedEvidence) Text(s Shedding) string {
	since := e.Overload.Since
	return fmt.Sprintf("counting is %s behind and was %s behind at %s, without catching up: consumers keep %s of all units in place of %s",
		e.Now.Behind.Round(time.Second), since.Behind.Round(time.Second), since.At.UTC().Format(time.RFC3339), share(s.Keep), share(s.Was))
}

// Shed is the newest step of the plan; false before the first.
func (l *Log) Shed() (e Entry, ok bool) { return l.shed, l.shed.Shed != nil }

package governance

import (
	"cmp"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Class is what a change does to those who are exposed.
type Class string

// The classes, from the one that asks for the least. A change of several kinds has the
// last of theirs.
const (
	Neutral Class = "neutral" // as many see as much, watched as closely
	Shrink  Class = "shrink"  // fewer see it, less long, or it is watched more closely
	Grow    Class = "grow"    // more see it, something starts, or it is watched less closely
)

func (c Class) rank() int { return slices.Index([]Class{Neutral, Shrink, Grow}, c) }

// Change is what becomes of one experiment.
type Change struct {
	Experiment string   `json:"experiment"`
	Class      Class    `json:"class"`
	Reasons    []Reason `json:"reasons"`
}

// Reason is one fact of a change.
type Reason struct {
	Class Class  `json:"class"`
	Text  string `json:"text"`
}

// Of is the class of several changes together.
func Of(changes []Change) Class {
	out := Neutral
	for _, c := range changes {
		if c.Class.rank() > out.rank() {
			out = c.Class
		}
	}
	return out
}

// Classify says of every experiment that differs between two versions what the change
// is. What has happened by then is no change: only what holds from that time on counts.
//
// The versions may be rehearsals of files, in which times that only the first apply
// decides are zero. An iteration or a phase of the version before without a time has
// begun; one that is new begins at that time. Where a time cannot be compared for that
// reason the change grows: what is not known to be less is more.
func Classify(before, next *experiment.Version, at time.Time) []Change {
	var out []Change
	for i := range next.Experiments {
		is := &next.Experiments[i]
		c := comparison{at: at, is: is, was: before.Find(is.Key)}
		if reasons := c.reasons(); len(reasons) > 0 {
			out = append(out, changeOf(is.Key, reasons))
		}
	}
	for i := range before.Experiments {
		was := &before.Experiments[i]
		if next.Find(was.Key) != nil {
			continue
		}
		gone := Reason{Shrink, "its file is gone: it ends, or never begins"}
		if ended(was, at) {
			gone = Reason{Neutral, "its file is gone; it has ended"}
		}
		out = append(out, changeOf(was.Key, []Reason{gone}))
	}
	slices.SortFunc(out, func(a, b Change) int { return cmp.Compare(a.Experiment, b.Experiment) })
	return out
}

func changeOf(key string, reasons []Reason) Change {
	c := Change{Experiment: key, Class: Neutral, Reasons: reasons}
	for _, r := range reasons {
		if r.Class.rank() > c.Class.rank() {
			c.Class = r.Class
		}
	}
	slices.SortStableFunc(c.Reasons, func(a, b Reason) int { return cmp.Compare(b.Class.rank(), a.Class.rank()) })
	return c
}

// ended tells whether nothing of an experiment is running or to come.
func ended(e *experiment.Experiment, at time.Time) bool {
	return !slices.ContainsFunc(e.Iterations, func(it experiment.Iteration) bool { return !over(&it, at) })
}

func over(it *experiment.Iteration, at time.Time) bool {
	return it.Killed != nil || !it.End.IsZero() && !at.Before(it.End)
}

// planned tells whether an iteration is known not to have begun.
func planned(it *experiment.Iteration, at time.Time) bool {
	return !it.Start.IsZero() && at.Before(it.Start)
}

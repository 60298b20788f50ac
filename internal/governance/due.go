package governance

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
)

// What is the kind of a reminder. The list is closed; docs/governance.md says for each
// what to do.
type What string

// The kinds.
const (
	Review     What = "review"     // a review's date has passed
	StopUnits  What = "units"      // so many units are in as were asked for
	StopAfter  What = "duration"   // it has run as long as was asked for
	StopCalled What = "decided"    // its numbers say ship or stop
	StopEnded  What = "ended"      // its end has passed, and nobody wrote down what was decided
	LeftOn     What = "left_on"    // units are exposed long after its end
	NoData     What = "no_data"    // it runs, and nothing is counted
	Unreviewed What = "unreviewed" // a review is long overdue
	Hold       What = "held"       // it is stale for so long that nothing of it may grow
)

// Whats lists them.
func Whats() []What {
	return []What{Review, StopUnits, StopAfter, StopCalled, StopEnded, LeftOn, NoData, Unreviewed, Hold}
}

// Stale tells whether the kind says that nobody looks after the experiment.
func (w What) Stale() bool { return w == LeftOn || w == NoData || w == Unreviewed }

// Due is one thing that people are reminded of.
type Due struct {
	What      What      `json:"what"`
	Iteration uint32    `json:"iteration"`
	Since     time.Time `json:"since,omitzero"` // absent: nobody knows when it began
	Text      string    `json:"text"`
	Do        string    `json:"do"`
}

// Standing is what reminders are computed from. A zero time was not seen.
type Standing struct {
	Experiment *experiment.Experiment
	At         time.Time
	Operator   experiment.Stale // for experiments whose file says nothing

	// Of the newest look at the iteration that runs or ran last.
	Looked  bool
	Units   int64     // of all arms
	Newest  time.Time // of its newest counted event
	Call    string    // what its numbers say to do, in a word: stop and ship decide
	Outside time.Time // of its newest exposure outside every iteration

	Noted []time.Time // of the notes that people wrote beside it, ascending
}

// NotesOf are the times of the notes beside an experiment.
func NotesOf(lines []guardrails.Entry, key string) (out []time.Time) {
	for i := range lines {
		if e := &lines[i]; e.Experiment == key && e.Kind == guardrails.Noted {
			out = append(out, e.At)
		}
	}
	return out
}

// stillOn is how lately a unit must have been exposed after the end: one that was
// turned off meanwhile is not left on.
const stillOn = 24 * time.Hour

// Dues are the things that people are to be reminded of at a time: reviews, what was to
// end it, and that nobody looks after it. It is a function of its arguments alone.
func Dues(s Standing) []Due {
	it := s.iteration()
	if it == nil || s.At.Before(it.Start) {
		return nil
	}
	j := dueJudge{Standing: s, it: it, stale: s.Experiment.Stale.Or(s.Operator)}
	j.reviews()
	j.stops()
	j.neglect()
	j.hold()
	return j.out
}

// Held is the reminder that an experiment is held, nil when it is not.
func Held(dues []Due) *Due {
	i := slices.IndexFunc(dues, func(d Due) bool { return d.What == Hold })
	if i < 0 {
		return nil
	}
	return &dues[i]
}

// iteration is the one that runs or ran last.
func (s *Standing) iteration() (found *experiment.Iteration) {
	for i := range s.Experiment.Iterations {
		if it := &s.Experiment.Iterations[i]; !s.At.Before(it.Start) {
			found = it
		}
	}
	return found
}

// noted is the newest note, if one was written since; zero without one.
func (s *Standing) noted(since time.Time) time.Time {
	if n := len(s.Noted); n > 0 && !s.Noted[n-1].Before(since) {
		return s.Noted[n-1]
	}
	return time.Time{}
}

type dueJudge struct {
	Standing
	it    *experiment.Iteration
	stale experiment.Stale
	out   []Due
}

const noteIt = "look at it and write what you found: `assay decision note %s \"…\"`"

func (j *dueJudge) add(what What, since time.Time, do, format string, args ...any) {
	j.out = append(j.out, Due{What: what, Iteration: j.it.Number, Since: since, Text: fmt.Sprintf(format, args...), Do: do})
}

func (j *dueJudge) over() bool { return over(j.it, j.At) }

// reviews wants a note since the date of each; the newest covers those before.
func (j *dueJudge) reviews() {
	for _, at := range slices.Backward(j.Experiment.ReviewsOf(j.it)) {
		if at.After(j.At) {
			continue
		}
		if j.noted(at).IsZero() {
			j.add(Review, at, fmt.Sprintf(noteIt, j.Experiment.Key), "its review of %s is due", stamp(at))
			if late := j.stale.After.Std(); late > 0 && !j.At.Before(at.Add(late)) {
				j.add(Unreviewed, at.Add(late), fmt.Sprintf(noteIt, j.Experiment.Key), "its review of %s is overdue by more than %s", stamp(at), j.stale.After)
			}
		}
		return
	}
}

// stops reminds of what was to end it, while it goes on.
func (j *dueJudge) stops() {
	w := j.Experiment.StopWhen
	const end = "decide, then end it: write end: into its file, or a note why it goes on and another stop_when"
	if !j.over() {
		if w.Units > 0 && j.Looked && j.Units >= w.Units {
			j.add(StopUnits, time.Time{}, end, "%d units are in; %d were asked for", j.Units, w.Units)
		}
		if since := j.it.Start.Add(w.After.Std()); w.After > 0 && !j.At.Before(since) {
			j.add(StopAfter, since, end, "it has run for %s", w.After)
		}
		if w.Decided && j.Looked && (j.Call == "ship" || j.Call == "stop") {
			j.add(StopCalled, time.Time{}, end, "its numbers say: %s", j.Call)
		}
	} else if w.Ended && j.noted(j.it.End).IsZero() {
		j.add(StopEnded, j.it.End, "write down what was decided and learnt: `assay decision note "+j.Experiment.Key+" \"…\"`; `assay writeup` has the rest", "iteration %d ended, and no note says what was decided", j.it.Number)
	}
}

// neglect finds an experiment that goes on and that nobody looks after. A note says that
// somebody does: its time counts anew.
func (j *dueJudge) neglect() {
	after := j.stale.After.Std()
	switch {
	case after == 0 || j.it.Killed != nil: // whether a kill had its effect is told elsewhere
	case j.over():
		since := newest(j.it.End, j.noted(j.it.End)).Add(after)
		if !j.At.Before(since) && !j.Outside.Before(j.it.End.Add(after)) && j.At.Sub(j.Outside) < stillOn {
			j.add(LeftOn, since, "turn its flag off, or ship what won; to go on, add the next iteration", "units are still exposed, %s and more after its end", j.stale.After)
		}
	default:
		since := newest(j.it.Start, newest(j.Newest, j.noted(j.it.Start))).Add(after)
		if j.Looked && !j.At.Before(since) {
			j.add(NoData, since, "find out why nothing comes, or end it", "nothing was counted for it in %s", j.stale.After)
		}
	}
}

// hold names what has been stale for longest.
func (j *dueJudge) hold() {
	hold := j.stale.Hold.Std()
	if hold == 0 {
		return
	}
	stale := slices.DeleteFunc(slices.Clone(j.out), func(d Due) bool { return !d.What.Stale() || j.At.Before(d.Since.Add(hold)) })
	if len(stale) == 0 {
		return
	}
	first := slices.MinFunc(stale, func(a, b Due) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.What, b.What)) })
	j.add(Hold, first.Since.Add(hold), first.Do+"; a note ends the hold", "held: ramps wait and nothing of it grows: %s", first.Text)
}

func newest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

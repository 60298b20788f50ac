package signals

import (
	"fmt"
	"math"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// Window is how long a signal is looked at before and after a step, at most: a phase may
// be shorter.
const Window = time.Hour

// Level is the chance of a false "changed" over all steps of an iteration, of one signal.
// Step j has Level·2^−j of it, so that steps may come without end.
const Level = 0.05

// Verdict is what became of a signal at a step.
type Verdict string

// The verdicts. The zero value says nothing.
const (
	Waiting   Verdict = "waiting"    // the time after the step is not over
	TooLittle Verdict = "too_little" // too few readings, or too slow a series, to tell
	NotShown  Verdict = "not_shown"  // no change is shown; that is no proof of none
	Changed   Verdict = "changed"
)

// Step is a phase boundary and what a signal did there. It says when the level changed,
// and not why: whatever else happened at the time is in it.
type Step struct {
	Phase   uint16     `json:"phase"` // that begins
	At      time.Time  `json:"at"`
	Exposed [2]float64 `json:"exposed"` // planned share of eligible units in other arms than the control, before and after
	Before  Stretch    `json:"before"`
	After   Stretch    `json:"after"` // from when the phase has settled
	Level   float64    `json:"level"` // of this test
	Verdict Verdict    `json:"verdict"`
	Worse   bool       `json:"worse,omitempty"` // changed, against the signal's direction
	Shift   *Shift     `json:"shift,omitempty"` // absent where nothing can be told
	Text    string     `json:"text"`
}

// Stretch is a time in which a signal was looked at, and its mean there.
type Stretch struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Readings int       `json:"readings"`
	Gaps     int       `json:"gaps"`
	Mean     *float64  `json:"mean,omitempty"` // absent without readings
}

// Shift is by how much the level changed, beyond a drift that went on.
type Shift struct {
	Value  float64 `json:"value"`
	Low    float64 `json:"low"` // of the interval at 1 − Level
	High   float64 `json:"high"`
	P      float64 `json:"p"`
	Blocks [2]int  `json:"blocks"`
	Memory float64 `json:"memory_seconds"` // for how long a reading tells of the next
}

// StretchesOf are the steps of an iteration that have begun, each with the times that it
// is judged by and no verdict yet.
func StretchesOf(e *experiment.Experiment, it *experiment.Iteration, now time.Time) []Step {
	var out []Step
	for i := 1; i < len(it.Phases); i++ {
		was, is := &it.Phases[i-1], &it.Phases[i]
		if is.From.After(now) || !is.From.Before(it.End) {
			break
		}
		end := it.End
		if i+1 < len(it.Phases) && it.Phases[i+1].From.Before(end) {
			end = it.Phases[i+1].From
		}
		settled := earlier(is.From.Add(is.Settle.Std()), end)
		out = append(out, Step{
			Phase: is.Number, At: is.From, Exposed: [2]float64{PlannedExposure(e, was), PlannedExposure(e, is)},
			Before: Stretch{From: later(later(is.From.Add(-Window), was.From.Add(was.Settle.Std())), it.Start), To: is.From},
			After:  Stretch{From: settled, To: earlier(settled.Add(Window), end)},
			Level:  Level * math.Pow(2, -float64(i)), Verdict: Waiting,
		})
	}
	return out
}

// JudgeStep compares a signal's level before and after a step, once, when the time after
// it is over: a test that was made anew with every reading would find a change at last.
// Readings are in the order of time and may go beyond the step's stretches.
func JudgeStep(s *experiment.Signal, step Step, readings []Reading, now time.Time, every time.Duration) Step {
	before, after := step.Before.take(readings, step.At), step.After.take(readings, step.At)
	if due := step.After.To.Add(every); now.Before(due) {
		step.Text = fmt.Sprintf("judged at %s, an hour after it has settled or at the end of the phase", due.UTC().Format(time.RFC3339))
		return step
	}
	shift := stats.ShiftAt(before, after)
	if shift.Blocks[0] == 0 {
		step.Verdict, step.Text = TooLittle, "it cannot be told whether it changed"
		if len(shift.Warnings) > 0 {
			step.Text += ": " + shift.Warnings[0].Message
		}
		return step
	}
	step.state(s, shift)
	return step
}

// take counts the readings of a stretch and gives their numbers, with the seconds since a time.
func (st *Stretch) take(readings []Reading, since time.Time) []stats.Sample {
	var out []stats.Sample
	sum := 0.0
	for _, r := range readings {
		switch {
		case r.At.Before(st.From) || !r.At.Before(st.To):
		case !r.Answered():
			st.Gaps++
		default:
			out = append(out, stats.Sample{At: r.At.Sub(since).Seconds(), Value: r.Value})
			sum += r.Value
		}
	}
	if st.Readings = len(out); len(out) > 0 {
		mean := sum / float64(len(out))
		st.Mean = &mean
	}
	return out
}

// state draws the verdict.
func (step *Step) state(s *experiment.Signal, shift stats.Shift) {
	e := shift.Student(step.Level)
	seconds := step.After.To.Sub(step.Before.From).Seconds() / float64(max(step.Before.Readings+step.After.Readings, 1))
	step.Shift = &Shift{Value: shift.Value, Low: e.Low, High: e.High, P: e.P, Blocks: shift.Blocks, Memory: shift.Memory * seconds}
	change := fmt.Sprintf("%s (interval %s to %s, p = %.2g, judged at %.2g)", measure(shift.Value, s.Unit), measure(e.Low, ""), measure(e.High, s.Unit), e.P, step.Level)
	if !(e.P < step.Level) {
		step.Verdict, step.Text = NotShown, "no change of the level is shown: "+change
		return
	}
	step.Verdict, step.Text = Changed, "the level changed by "+change
	if good := s.DirectionOf(); good != "" {
		step.Worse = good == experiment.Increase && shift.Value < 0 || good == experiment.Decrease && shift.Value > 0
		word := "better"
		if step.Worse {
			word = "worse"
		}
		step.Text += ", for the " + word
	}
	step.Text += "; other things may have changed at the same time"
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

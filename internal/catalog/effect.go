package catalog

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// Effect is what a metric of an arm shows, its estimate and interval together.
type Effect struct {
	Metric    string         `json:"metric"`
	Arm       string         `json:"arm"`
	Kind      string         `json:"kind"`
	Unit      string         `json:"unit,omitempty"`
	Direction string         `json:"direction"` // which way is good
	Basis     Basis          `json:"basis"`     // what the interval holds for
	Complete  bool           `json:"complete"`  // of units whose windows have passed; else of all so far
	At        time.Time      `json:"at"`        // of the look it is from
	Units     Units          `json:"units"`
	Relative  Within         `json:"relative"` // of the control's mean
	Absolute  Within         `json:"absolute"`
	P         results.Number `json:"p"`
	Tone      Tone           `json:"tone"` // good and bad: shown; none: not shown
	Text      string         `json:"text"` // effect and interval for people
}

// Units are those of both arms.
type Units struct {
	Treatment int64 `json:"treatment"`
	Control   int64 `json:"control"`
}

// Within is an estimate with its interval. An end that is null is not bounded.
type Within struct {
	Estimate results.Number `json:"estimate"`
	Low      results.Number `json:"low"`
	High     results.Number `json:"high"`
}

// Basis is what an interval holds for.
type Basis string

// The bases.
const (
	EveryLook  Basis = "every_look"  // at every look, of this comparison alone
	OfFamily   Basis = "family"      // at every look, within the family of goals
	DatedLooks Basis = "dated_looks" // at the dated looks of the file
)

func within(estimate results.Number, i results.Interval) Within {
	return Within{estimate, i.Low, i.High}
}

func (w Within) interval() results.Interval { return results.Interval{Low: w.Low, High: w.High} }

// EffectOf is what a comparison shows: of complete windows that of its family, if it is
// in one, else of all units so far.
func EffectOf(c *results.Comparison, at time.Time, complete bool) Effect {
	e := &c.Open
	if complete {
		e = &c.Matured
	}
	out := Effect{
		Metric: c.Metric, Arm: c.Arm, Kind: c.Kind, Unit: c.Unit, Direction: c.Direction, Complete: complete, At: at,
	}
	out.read(e, EffectTone(*e, c.Direction))
	if complete && c.Adjusted != nil {
		out.adjust(c.Adjusted)
	}
	out.Text = out.text()
	return out
}

// ofSlow is what a metric shows that is computed from stored events.
func ofSlow(c *results.SlowComparison, at time.Time) Effect {
	out := Effect{
		Metric: c.Metric, Arm: c.Arm, Kind: c.Kind, Unit: c.Unit, Direction: c.Direction, Complete: c.Matured, At: at,
	}
	out.read(&c.Estimate, EffectTone(c.Estimate, c.Direction))
	if c.Matured && c.Adjusted != nil {
		out.adjust(c.Adjusted)
	}
	out.Text = out.text()
	return out
}

// ofDated is what a goal shows at the dated looks; they know no relative effect.
func ofDated(g *results.DatedGoal) Effect {
	none := results.Number(nan())
	out := Effect{
		Metric: g.Metric, Arm: g.Arm, Kind: g.Kind, Unit: g.Unit, Direction: g.Direction, Basis: DatedLooks, Complete: true,
		Relative: Within{none, none, none}, Absolute: within(g.Estimate, g.Interval), P: g.P, Tone: Neutral,
	}
	if n := len(g.Looks); n > 0 {
		last := &g.Looks[n-1]
		out.At = last.At
		if !g.Estimate.Known() {
			out.Absolute = within(last.Estimate, last.Interval)
		}
	}
	if g.Verdict == results.DatedCrossed && g.Estimate.Known() {
		out.Tone = toneOf(g.Estimate > 0, g.Direction)
	}
	out.Text = out.text()
	return out
}

func (e *Effect) read(from *results.Estimate, tone Tone) {
	e.Basis, e.Tone, e.P = EveryLook, tone, from.Absolute.SequentialP
	e.Units = Units{from.Treatment.Units, from.Control.Units}
	e.Relative = within(from.Relative.Estimate, from.Relative.Sequential)
	e.Absolute = within(from.Absolute.Estimate, from.Absolute.Sequential)
}

func (e *Effect) adjust(a *results.Adjusted) {
	s := a.Sequential
	e.Basis, e.P, e.Tone = OfFamily, s.P, AdjustedTone(s, e.Direction)
	e.Relative = within(e.Relative.Estimate, s.Relative)
	e.Absolute = within(e.Absolute.Estimate, s.Absolute)
}

// text tells the lift; where none is bounded, the difference.
func (e *Effect) text() string {
	r := e.Relative
	if !r.Estimate.Known() || !r.Low.Known() && !r.High.Known() {
		return fmt.Sprintf("%s, %s", words.Difference(e.Absolute.Estimate, e.Kind, e.Unit),
			words.DifferenceRange(e.Absolute.interval(), e.Kind, e.Unit))
	}
	return fmt.Sprintf("%s, %s", words.Percent(r.Estimate), words.PercentRange(r.interval()))
}

package app

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/signals"
)

// SignalsAsked is which readings to report: with zero times all of the iteration.
type SignalsAsked struct {
	From, To time.Time
	Points   int // at most about so many of each signal; 0: 240
}

// Signals implements api.Signals.
func (c *Catalog) Signals(ctx context.Context, h catalog.Stretch) (*signals.Report, error) {
	e, it, err := c.find(ctx, h.Experiment, h.Iteration)
	if err != nil {
		return nil, err
	}
	return c.stack.SignalsOf(ctx, e, it.Number, SignalsAsked{From: h.From, To: h.To, Points: h.Points}, c.now())
}

// signalPoints of a series are enough for a plot.
const signalPoints = 240

// SignalsOf says what is known of the signals of an iteration, 0 for the latest: readings over time, how
// the breakers stand, and what changed at the steps.
func (s *Stack) SignalsOf(ctx context.Context, e *experiment.Experiment, iteration uint32, asked SignalsAsked, now time.Time) (*signals.Report, error) {
	it := iterationOf(e, iteration, now)
	if it == nil {
		return nil, WithHint(fmt.Errorf("experiment %s has no iteration %d", e.Key, iteration), "leave --iteration out for the latest one")
	}
	then := e.AsOf(it)
	out := &signals.Report{
		Experiment: e.Key, Iteration: it.Number, At: now.UTC(), From: later(asked.From, it.Start), To: now.UTC(),
		Phases: signals.ExposedPhases(then, it), Signals: make([]signals.Series, 0, len(e.Signals)),
	}
	for _, end := range []time.Time{it.End, asked.To} {
		if !end.IsZero() && end.Before(out.To) {
			out.To = end
		}
	}
	if len(e.Signals) == 0 || !out.From.Before(out.To) {
		out.To = later(out.From, out.To)
	}
	points, err := s.signalPoints(ctx, it, out, cmp.Or(max(asked.Points, 0), signalPoints))
	if err != nil {
		return nil, err
	}
	every := cmp.Or(s.Config.Signals.Every.Std(), config.Default().Signals.Every.Std())
	for i := range e.Signals {
		x := signals.Series{Signal: e.Signals[i], Points: points[seriesOf{e.Signals[i].Name, signals.SourceOf(&e.Signals[i])}]}
		if x.Points == nil {
			x.Points = []signals.Point{}
		}
		if now.Before(it.End) && !now.Before(it.Start) {
			if x.Breaker, err = s.breaker(ctx, e, it, &x.Signal, every, now); err != nil {
				return nil, err
			}
		}
		if x.Steps, err = s.stepsOf(ctx, then, it, &x.Signal, every, now); err != nil {
			return nil, err
		}
		out.Signals = append(out.Signals, x)
	}
	return out, nil
}

// seriesOf is one question through time.
type seriesOf struct {
	signal string
	source uint64
}

// signalPoints are the series of all questions that were asked.
func (s *Stack) signalPoints(ctx context.Context, it *experiment.Iteration, r *signals.Report, points int) (map[seriesOf][]signals.Point, error) {
	spread := r.To.Sub(r.From) / time.Duration(points)
	spans, err := s.DB.Signals(ctx, clickhouse.SignalFilter{Experiment: r.Experiment, Iteration: r.Iteration, From: r.From, To: r.To, Every: spread.Round(time.Millisecond)})
	if err != nil {
		return nil, err
	}
	out := map[seriesOf][]signals.Point{}
	for _, x := range spans {
		of := seriesOf{x.Signal, x.Source}
		out[of] = append(out[of], signals.Point{
			From: x.First, To: x.Last, Mean: x.Mean, Low: x.Low, High: x.High, Answers: x.Answers, Gaps: x.Gaps, Why: signals.Gap(x.Why),
			Exposure: signals.Exposure{Phase: x.Phase, Planned: x.Planned, Known: x.Look != "", Units: x.Units, Treated: x.Treated, Look: x.Look},
		})
	}
	for _, series := range out {
		signals.AddShares(it, series)
	}
	return out, nil
}

// breaker judges by what is stored, as the guard does.
func (s *Stack) breaker(ctx context.Context, e *experiment.Experiment, it *experiment.Iteration, x *experiment.Signal, every time.Duration, now time.Time) (*signals.Fact, error) {
	if !x.Guarded() {
		return nil, nil
	}
	readings, err := s.readings(ctx, e.Key, it.Number, x, now.Add(-lookBack(x, every)), now.Add(every))
	if err != nil {
		return nil, err
	}
	f, _ := signals.Judge(x, readings, now, every)
	return &f, nil
}

// lookBack is how far the readings of a breaker go back.
func lookBack(x *experiment.Signal, every time.Duration) time.Duration {
	return max(signalMemory, 4*time.Duration(x.Hold)*every)
}

// judgedStep is a verdict that no longer changes.
type judgedStep struct {
	run    runOf
	series seriesOf
	good   experiment.Direction
	unit   string
	step   signals.Step // as it was asked for
}

// stepsOf judges a signal at the steps of an iteration.
func (s *Stack) stepsOf(ctx context.Context, e *experiment.Experiment, it *experiment.Iteration, x *experiment.Signal, every time.Duration, now time.Time) ([]signals.Step, error) {
	steps := signals.StretchesOf(e, it, now)
	for i, step := range steps {
		of := judgedStep{runOf{e.Key, it.Number}, seriesOf{x.Name, signals.SourceOf(x)}, x.DirectionOf(), x.Unit, step}
		if known, ok := s.steps.Load(of); ok {
			steps[i] = known.(signals.Step)
			continue
		}
		readings, err := s.readings(ctx, e.Key, it.Number, x, step.Before.From, step.After.To)
		if err != nil {
			return nil, fmt.Errorf("step to phase %d: %w", step.Phase, err)
		}
		steps[i] = signals.JudgeStep(x, step, readings, now, every)
		if steps[i].Verdict != signals.Waiting {
			s.steps.Store(of, steps[i])
		}
	}
	return append([]signals.Step{}, steps...), nil
}

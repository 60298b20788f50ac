package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/doctor"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/signals"
)

// TrySignals asks each question that the files bring anew, as it will be asked. A query
// that the server does not understand never has a number, and is a problem; any other gap
// may pass, and is a doubt.
func (s *Stack) TrySignals(ctx context.Context, set *experiment.Set, now time.Time) (problems, doubts experiment.Problems, err error) {
	ask, err := newAsker(s.Config.Signals)
	if err != nil {
		return nil, nil, err
	}
	defer ask.Close()
	return s.trySignals(ctx, ask, set, now)
}

func (s *Stack) trySignals(ctx context.Context, ask asker, set *experiment.Set, now time.Time) (problems, doubts experiment.Problems, err error) {
	current, err := s.DB.Version(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read the configuration in force: %w", err)
	}
	next, err := wouldBe(&current, set, now)
	if err != nil {
		return nil, nil, err
	}
	all := slices.DeleteFunc(questionsOf(next, now), func(q *asking) bool {
		was := current.Find(q.experiment.Key)
		return was != nil && slices.ContainsFunc(was.Signals, func(x experiment.Signal) bool { return signals.SourceOf(&x) == signals.SourceOf(q.signal) })
	})
	askAll(ctx, ask, all, now.UTC())
	for _, q := range all {
		if q.fault == nil {
			continue
		}
		p := set.SignalProblem(q.experiment.Key, q.signal.Name, "this signal has no number now: "+q.fault.Error(), "docs/signals.md has each gap with its remedy; `assay doctor` asks again")
		if q.fault.Gap == signals.BadQuery {
			problems = append(problems, p)
		} else {
			doubts = append(doubts, p)
		}
	}
	return problems, doubts, nil
}

// questionsOf are those of all iterations that run or will.
func questionsOf(v *experiment.Version, now time.Time) (all []*asking) {
	for e := range alive(v, now) {
		for j := range e.Signals {
			all = append(all, &asking{experiment: e, iteration: e.Latest(), signal: &e.Signals[j]})
		}
	}
	return all
}

// askedSignals asks every question of a version once.
func (s *Stack) askedSignals(ctx context.Context, v *experiment.Version, now time.Time) ([]doctor.Asked, error) {
	all := questionsOf(v, now)
	if len(all) == 0 {
		return nil, nil
	}
	ask, err := newAsker(s.Config.Signals)
	if err != nil {
		return nil, err
	}
	defer ask.Close()
	askAll(ctx, ask, all, now.UTC())
	out := make([]doctor.Asked, len(all))
	for i, q := range all {
		out[i] = doctor.Asked{Experiment: q.experiment.Key, Signal: q.signal.Name, Unit: q.signal.Unit, Value: q.value, Pauses: q.signal.OnBreach == experiment.PauseOnTrip}
		if q.fault != nil {
			out[i].Gap, out[i].Detail = string(q.fault.Gap), q.fault.Detail
			out[i].Passes = q.fault.Gap == signals.NoData || q.fault.Gap == signals.NotANumber
		}
	}
	return out, nil
}

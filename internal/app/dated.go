package app

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// AddDated adds to a document what the dated looks say that had passed by its time,
// each of the ledger as it stood at its date. An experiment without them costs nothing.
func (s *Stack) AddDated(ctx context.Context, e *experiment.Experiment, d *results.Document) error {
	i := 0
	for ; i < len(e.Iterations) && e.Iterations[i].Number != d.Iteration; i++ {
	}
	if i == len(e.Iterations) {
		return nil
	}
	var past []*results.Document
	for _, at := range e.DatesOf(&e.Iterations[i]) {
		if at.After(d.At) {
			break
		}
		look, err := s.lookAt(ctx, e.Key, d.Iteration, at)
		if err != nil {
			return fmt.Errorf("look back at %s for the look of %s: %w", e.Key, at.Format(time.RFC3339), err)
		}
		past = append(past, look)
	}
	d.Dated = results.JudgeDates(e, d.Iteration, past, d.At)
	return nil
}

// lookAt computes an iteration's results as the ledger stood at a time.
func (s *Stack) lookAt(ctx context.Context, key string, iteration uint32, at time.Time) (*results.Document, error) {
	p, err := s.PastAt(ctx, at)
	if err != nil {
		return nil, err
	}
	then := p.Version.Find(key)
	if then == nil {
		return nil, fmt.Errorf("version %d has no experiment %s", p.Version.Number, key)
	}
	return s.LookBack(ctx, p, then, iteration)
}

package app

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/planning"
)

// planLasts bounds planning, which takes a processor's whole time.
const planLasts = 10 * time.Second

// planner plans for the API and the pages: one question at a time, each within its
// time, the waiting included.
type planner struct{ free chan struct{} }

func newPlanner() planner { return planner{make(chan struct{}, 1)} }

// Plan implements api.Planner and pages.Planner.
func (p planner) Plan(ctx context.Context, comparisons []planning.Comparison, q planning.Question) ([]planning.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, planLasts)
	defer cancel()
	select {
	case p.free <- struct{}{}:
		defer func() { <-p.free }()
	case <-ctx.Done():
		return nil, fmt.Errorf("others plan: %w", planning.ErrLate)
	}
	answers, err := planning.PlanWhile(comparisons, q, ctx.Err)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", planning.ErrLate, err)
	}
	return answers, nil
}

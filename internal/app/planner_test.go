package app

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/internal/planning"
)

// TestPlannerIsBounded: of those who plan at once each waits for the one before, no
// longer than an answer may take.
func TestPlannerIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, began := newPlanner(), time.Now()
		one, q := []planning.Comparison{{}}, planning.Question{Lift: .1, Power: .8}
		p.free <- struct{}{} // somebody plans
		if _, err := p.Plan(t.Context(), one, q); !errors.Is(err, planning.ErrLate) || time.Since(began) != planLasts {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		<-p.free
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.Plan(gone, one, q); !errors.Is(err, planning.ErrLate) || len(p.free) != 0 {
			t.Errorf("of somebody who is gone: %v, %d hold the place", err, len(p.free))
		}
		if got, err := p.Plan(t.Context(), one, q); err != nil || len(got) != 1 {
			t.Errorf("%v, %d answers", err, len(got))
		}
	})
}

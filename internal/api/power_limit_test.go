package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/internal/planning"
)

// TestPowerIsBounded: a question that is too long is not read, and of those who plan at
// once each waits for the one before, no longer than an answer may take.
func TestPowerIsBounded(t *testing.T) {
	a, h := serve(t, newWorld())
	long := `{"metrics":[{"metric":"m","mean":0.1,"binary":true}],"experiment":"` + strings.Repeat("x", mostQuestion) + `"}`
	if r := do(h, "POST", Prefix+"/power", long); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a long question: %d", r.StatusCode)
	}
	synctest.Test(t, func(t *testing.T) {
		a.planning = make(chan struct{}, 1)
		a.planning <- struct{}{} // somebody plans
		began := time.Now()
		var p *Problem
		_, err := a.plan(t.Context(), []planning.Comparison{{}}, planning.Question{Lift: .1, Power: .8})
		if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable || p.Hint == "" || time.Since(began) != planLasts {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		<-a.planning
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.plan(gone, []planning.Comparison{{}}, planning.Question{Lift: .1, Power: .8}); !errors.As(err, &p) {
			t.Errorf("of somebody who is gone: %v", err)
		}
		if len(a.planning) != 0 {
			t.Error("who is gone holds the place")
		}
	})
}

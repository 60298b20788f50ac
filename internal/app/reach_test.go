package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// TestReach: a server that does not answer for a moment is not away; one that is ends the
// requests that wait for it, and those that come, until it answers.
func TestReach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone error
		r := newReach(func(context.Context) error { return gone }, nil, true, slog.New(slog.DiscardHandler), time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		var waits time.Duration // how long a request waited
		h := func(pattern string) func() error {
			return func() (err error) {
				began := time.Now()
				r.Around(pattern, http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
					select {
					case <-q.Context().Done():
						if away := catalog.AwayOf(q.Context()); away != nil {
							err = away
						}
					case <-time.After(20 * time.Second):
					}
				})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody))
				waits = time.Since(began)
				return err
			}
		}
		list, flags := h("GET /{$}"), h("POST /ofrep/v1/evaluate/flags")
		// Its ticks and the waits below fall on the same instants: it goes first.
		turn := func(err error) { synctest.Wait(); gone = err }

		turn(errors.New("connection refused"))
		time.Sleep(3 * time.Second)
		turn(nil)
		if err := list(); err != nil {
			t.Errorf("after three seconds: %v", err)
		}
		turn(errors.New("connection refused"))
		if err := list(); err == nil || waits < awayAfter-reachEvery || waits > awayAfter+reachEvery {
			t.Errorf("a request that waits: %v after %s", err, waits)
		}
		if err := list(); err == nil || waits != 0 || !strings.HasPrefix(err.Error(), "ClickHouse has not answered since 2000-01-01 00:00:") {
			t.Errorf("one that comes: %v after %s", err, waits)
		}
		if err := flags(); err != nil {
			t.Errorf("what needs no database: %v", err)
		}
		turn(nil)
		time.Sleep(reachEvery)
		synctest.Wait()
		if err := list(); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestReachNewer: tables of a newer program end the process that waited for them, as they
// keep one from starting.
func TestReachNewer(t *testing.T) {
	newer := &clickhouse.NewerError{Schema: 99, Known: 1}
	answers := []error{errors.New("it is starting"), newer}
	check := func(context.Context) error { err := answers[0]; answers = answers[1:]; return err }
	r := newReach(func(context.Context) error { return nil }, check, false, slog.New(slog.DiscardHandler), time.Now)
	if err := r.ask(t.Context()); err != nil || r.here.Err() == nil {
		t.Errorf("while the tables cannot be read: %v, %v", err, r.here.Err())
	}
	if err := r.ask(t.Context()); !errors.Is(err, newer) {
		t.Errorf("asked: %v", err)
	}
}

// TestNoKillLater: what cannot be done now is refused, and not done some hours later.
func TestNoKillLater(t *testing.T) {
	ctx, end := context.WithCancelCause(t.Context())
	end(&catalog.Away{})
	a := &Acts{lasts: true} // it asks nobody
	who := access.Principal{Name: "ada", Role: access.Operator}
	if _, err := a.Kill(ctx, who, acts.Kill{On: acts.On{Experiment: "cta", Reason: "harm"}}); err == nil {
		t.Error("a kill was begun")
	}
	if _, err := a.Ramp(ctx, who, acts.Ramp{On: acts.On{Experiment: "cta", Reason: "harm"}}); err == nil {
		t.Error("a move of a ramp was begun")
	}
}

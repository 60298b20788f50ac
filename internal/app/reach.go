package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
)

const (
	reachEvery   = time.Second
	reachTimeout = 2 * time.Second
	// awayAfter is for how long ClickHouse must not have answered to count as away: a
	// server that is started again is mostly back before.
	awayAfter = 5 * time.Second
)

// Reach knows whether ClickHouse answers: it asks every second, over a connection that
// nobody else has. Statements are repeated until the server is back; people who ask for
// something are told instead.
type Reach struct {
	ping  func(context.Context) error
	check func(context.Context) error // of the tables, once they can be read; nil: it was done
	now   func() time.Time
	log   *slog.Logger

	mu       sync.Mutex
	answered time.Time       // last; at first when it was made
	here     context.Context // ends with a *catalog.Away
	leave    context.CancelCauseFunc
}

// newReach asks a server that answered at the start, or did not.
func newReach(ping, check func(context.Context) error, answers bool, log *slog.Logger, now func() time.Time) *Reach {
	r := &Reach{ping: ping, check: check, now: now, log: log, answered: now()}
	r.here, r.leave = context.WithCancelCause(context.Background())
	if !answers {
		r.leave(&catalog.Away{Since: r.answered})
	}
	return r
}

// reach is that of the configured server. Close ends it with the stack.
func (s *Stack) reach(ctx context.Context) (*Reach, error) {
	cfg := s.clickhouse(s.endpoints.Writer)
	cfg.Nodes, cfg.Conns = nil, 1
	db, err := clickhouse.Open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open ClickHouse: %w", err)
	}
	s.onClose(db.Close)
	var check func(context.Context) error
	if s.unchecked {
		check = s.DB.CheckSchema
	}
	return newReach(db.Ping, check, !s.unchecked, s.Log, time.Now), nil
}

// Run asks until the context ends. Tables of a newer program end it.
func (r *Reach) Run(ctx context.Context) error {
	t := time.NewTicker(reachEvery)
	defer t.Stop()
	for {
		if err := r.ask(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (r *Reach) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	err := r.ping(ctx)
	if err == nil && r.check != nil {
		if err = r.check(ctx); err == nil {
			r.check = nil
		}
		if _, newer := errors.AsType[*clickhouse.NewerError](err); newer {
			return err
		}
	}
	r.heard(err)
	return nil
}

// heard takes down how the server answered.
func (r *Reach) heard(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, away := r.now(), r.here.Err() != nil
	switch {
	case err == nil && away:
		r.log.Warn("ClickHouse answers again", "after", now.Sub(r.answered).Round(time.Second))
		r.here, r.leave = context.WithCancelCause(context.Background())
	case err != nil && !away && now.Sub(r.answered) >= awayAfter:
		r.log.Error("ClickHouse does not answer", "since", r.answered, "error", err)
		r.leave(&catalog.Away{Since: r.answered})
	}
	if err == nil {
		r.answered = now
	}
}

// asksDatabase tells by its pattern whether a route is one of people and programs that
// read what is stored: what is answered from memory goes on without it.
func asksDatabase(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	for _, other := range []string{"/ofrep/", "/healthz", "/readyz", "/metrics", "/login", "/logout", "/assets/", "/favicon.ico", "/reports/"} {
		if strings.HasPrefix(path, other) {
			return false
		}
	}
	return true
}

// Around ends the context of a request, with a *catalog.Away, when ClickHouse is away or
// goes.
func (r *Reach) Around(pattern string, h http.Handler) http.Handler {
	if !asksDatabase(pattern) {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		here := r.here
		r.mu.Unlock()
		ctx, end := context.WithCancelCause(q.Context())
		defer end(nil)
		if here.Err() != nil {
			end(context.Cause(here))
		}
		defer context.AfterFunc(here, func() { end(context.Cause(here)) })()
		h.ServeHTTP(w, q.WithContext(ctx))
	})
}

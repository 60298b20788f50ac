package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/clickhouse"
)

// awaitServer waits for a server that does not answer yet: after a power cut it may be up later
// than this process. Meanwhile the process is alive and not ready, and its door says why.
func (s *Stack) awaitServer(ctx context.Context) error {
	err := s.ask(ctx)
	if !clickhouse.Transient(err) {
		return nil // whatever else is wrong is told by who asks for something
	}
	began := time.Now()
	door, failed := s.Telemetry(ctx, prometheus.NewRegistry())
	if failed != nil {
		return failed
	}
	s.Log.Error("ClickHouse does not answer: waiting for it", "address", door.Addr(), "error", err)
	waiting, done := context.WithCancel(ctx)
	defer done()
	if err := Together(waiting, door.Run, func(ctx context.Context) error {
		defer done()
		for ctx.Err() == nil && clickhouse.Transient(s.ask(ctx)) {
			pause(ctx, reachEvery)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.Log.Warn("ClickHouse answers", "after", time.Since(began).Round(time.Second))
	return nil
}

// ask is one question with little patience.
func (s *Stack) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	return s.DB.Ping(ctx)
}

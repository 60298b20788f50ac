package clickhouse_test

import (
	"context"
	"errors"
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/embedded"
)

// A stream has its own connection, so it must fail as the driver's do.
func TestStreamErrors(t *testing.T) {
	s := newStore(t)
	if err := s.AppendEvents(t.Context(), 0, names, benchEvents(100_000), nil); err != nil {
		t.Fatal(err)
	}
	next := map[string]int64{"exposures": 1 << 40, "outcomes": 1 << 40}
	stop := errors.New("enough")
	seen := 0
	err := s.EventsBelow(t.Context(), 0, next, func(*ingest.Event) error { seen++; return stop })
	if !errors.Is(err, stop) || seen != 1 {
		t.Errorf("after %d events: %v", seen, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	seen = 0
	err = s.EventsBelow(ctx, 0, next, func(*ingest.Event) error {
		if seen++; seen == 10 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || seen == 100_000 {
		t.Errorf("cancelled after %d events: %v", seen, err)
	}

	const authenticationFailed = 516
	stranger := s.open(t, s.engine.Addr(), embedded.User{Name: s.engine.Writer().Name, Password: "guessed"})
	if err := stranger.EventsBelow(t.Context(), 0, next, func(*ingest.Event) error { return nil }); code(err) != authenticationFailed {
		t.Errorf("with another password: %v", err)
	}
	s.database = "nowhere"
	if err := s.open(t, s.engine.Addr(), s.engine.Admin()).EventsBelow(t.Context(), 0, next, func(*ingest.Event) error { return nil }); code(err) == 0 {
		t.Errorf("without a database: %v, want an exception", err)
	}
}

// Topic names are bound, whatever is in them.
func TestStreamBindsNames(t *testing.T) {
	s := newStore(t)
	odd := []string{`a'b\c`, `\'); --`}
	events := benchEvents(10)
	if err := s.AppendEvents(t.Context(), 0, odd, events, nil); err != nil {
		t.Fatal(err)
	}
	read := 0
	err := s.EventsBelow(t.Context(), 0, map[string]int64{odd[0]: 1 << 40, odd[1]: 1 << 40}, func(*ingest.Event) error { read++; return nil })
	if err != nil || read != 10 {
		t.Errorf("%d events of 10: %v", read, err)
	}
}

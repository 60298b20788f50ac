package clickhouse_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/assay-dev/assay/ingest"
)

// TestPartsAreBounded writes many small parts, as live traffic does, and wants
// the merges to keep up: events are merged twenty at once and not fewer, so that
// a month rests in tens of parts however many were written.
func TestPartsAreBounded(t *testing.T) {
	const inserts, bound = 240, 60
	s := newStore(t)
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{s.engine.Addr()},
		Auth: clickhouse.Auth{Username: s.engine.Writer().Name, Password: s.engine.Writer().Password}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range inserts {
		events := make([]ingest.Event, 20)
		for j := range events {
			n := int64(i*len(events) + j)
			events[j] = ingest.Event{Type: ingest.Outcome, Place: ingest.Place{Offset: n}, T: 1_700_000_000_000 + n, Unit: ingest.Unit{Hi: uint64(n) * 0x9e3779b97f4a7c15}}
		}
		if err := s.AppendEvents(t.Context(), uint16(i%4), names, events, nil); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for parts := uint64(inserts); parts >= bound; {
		err := conn.QueryRow(ctx, "SELECT count() FROM system.parts WHERE active AND database = {database:String} AND table = 'events'",
			clickhouse.Named("database", s.database)).Scan(&parts)
		if err != nil {
			t.Fatal(errors.Join(err, ctx.Err()))
		}
	}
}

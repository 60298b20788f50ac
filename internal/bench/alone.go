package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// part is a part of the way, measured alone.
type part struct {
	name   string
	events int
	took   time.Duration
	cost   cost
}

// insertRows is how many events one insert has, as a batch behind the log's end.
const insertRows = 200_000

// alone measures each part on the same records.
func (b *bencher) alone(ctx context.Context) ([]part, error) {
	var stores [2]*clickhouse.DB // made before anything is measured
	for i := range stores {
		db, _, err := b.database(ctx)
		if err != nil {
			return nil, err
		}
		defer func() { _ = db.Close() }()
		stores[i] = db
	}
	records := b.records()
	var out []part
	for _, p := range []struct {
		name string
		run  func(context.Context) (int, error)
	}{
		{"fetch: read from the broker, drop", b.fetch},
		{"decode: bytes to events", func(context.Context) (int, error) { return decode(records) }},
		{"consumer: all but the inserts", func(ctx context.Context) (int, error) { return b.consumer(ctx, stores[0]) }},
		{"insert: events into ClickHouse", func(ctx context.Context) (int, error) { return insert(ctx, stores[1], b.topics, records) }},
	} {
		before, began := b.spent(), time.Now()
		n, err := p.run(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		out = append(out, part{p.name, n, time.Since(began), b.spent().minus(before)})
	}
	return out, nil
}

// fetch reads everything from the broker and drops it.
func (b *bencher) fetch(ctx context.Context) (int, error) {
	all := map[string]map[int32]kgo.Offset{}
	for _, t := range b.topics {
		all[t] = map[int32]kgo.Offset{}
		for p := range b.load.Partitions {
			all[t][p] = kgo.NewOffset().AtStart()
		}
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.broker.addrs...), kgo.ConsumePartitions(all))
	if err != nil {
		return 0, fmt.Errorf("make a consumer: %w", err)
	}
	defer cl.Close()
	total, n := b.load.Count(), 0
	for n < total {
		fetches := cl.PollFetches(ctx)
		if err := errors.Join(ctx.Err(), fetches.Err()); err != nil {
			return n, fmt.Errorf("read: %w", err)
		}
		n += fetches.NumRecords()
	}
	return n, nil
}

// records are those of shard 0.
func (b *bencher) records() []ingest.Record {
	var out []ingest.Record
	now, offsets := time.Now().UnixMilli(), [2]int64{}
	for r := range b.load.Records {
		if r.Partition == 0 {
			out = append(out, ingest.Record{Place: ingest.Place{Topic: uint8(r.Topic), Offset: offsets[r.Topic]}, KafkaT: now, Value: slices.Clone(r.Value)})
			offsets[r.Topic]++
		}
	}
	return out
}

// decode turns records into events.
func decode(records []ingest.Record) (int, error) {
	d := ingest.NewDecoder(ingest.Key{1}, attributes)
	for _, r := range records {
		if _, dead, ok := d.Decode(r); !ok {
			return 0, fmt.Errorf("a record of the load is dead: %v", *dead)
		}
	}
	return len(records), nil
}

// insert writes the events of one shard into ClickHouse, as few large parts.
func insert(ctx context.Context, db *clickhouse.DB, topics source, records []ingest.Record) (int, error) {
	d := ingest.NewDecoder(ingest.Key{1}, attributes)
	rows := db.NewEventRows(0, topics[:])
	for i, r := range records {
		e, dead, ok := d.Decode(r)
		if !ok {
			return 0, fmt.Errorf("a record of the load is dead: %v", *dead)
		}
		if rows.Add([]ingest.Event{e}); rows.Len() < insertRows && i+1 < len(records) {
			continue
		}
		if err := rows.Append(ctx); err != nil {
			return 0, fmt.Errorf("insert: %w", err)
		}
		rows.Reset()
	}
	return len(records), nil
}

// consumer runs the product's consumer on a store that stores nothing.
func (b *bencher) consumer(ctx context.Context, db *clickhouse.DB) (int, error) {
	cfg := b.config(b.topics)
	cfg.UntilEnd = true
	c, err := kafka.New(cfg, hollow{app.Store(db)})
	if err != nil {
		return 0, err
	}
	return b.load.Count(), c.Run(ctx)
}

// hollow is a store that encodes rows and does not send them.
type hollow struct{ kafka.Store }

// AppendPart implements kafka.Ledger.
func (hollow) AppendPart(context.Context, []kafka.Topic, ingest.Part) (kafka.Appended, error) {
	return kafka.Committed, nil
}

// NewRows implements kafka.Events.
func (h hollow) NewRows(shard uint16, topics []string) kafka.Rows {
	return hollowRows{h.Store.NewRows(shard, topics)}
}

type hollowRows struct{ kafka.Rows }

// Append implements kafka.Rows.
func (hollowRows) Append(context.Context) error { return nil }

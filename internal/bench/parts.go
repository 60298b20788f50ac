package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// consume reads everything from the broker and drops it.
func (b *bencher) consume(ctx context.Context) (int, time.Duration, error) {
	all := map[string]map[int32]kgo.Offset{}
	for _, t := range topics {
		all[t] = map[int32]kgo.Offset{}
		for p := range b.load.Partitions {
			all[t][p] = kgo.NewOffset().AtStart()
		}
	}
	began := time.Now()
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.kafka.Addr()), kgo.ConsumePartitions(all))
	if err != nil {
		return 0, 0, fmt.Errorf("make a consumer: %w", err)
	}
	defer cl.Close()
	total, n := b.load.Count(), 0
	for n < total {
		fetches := cl.PollFetches(ctx)
		if err := errors.Join(ctx.Err(), fetches.Err()); err != nil {
			return n, 0, fmt.Errorf("read: %w", err)
		}
		n += fetches.NumRecords()
	}
	return n, time.Since(began), nil
}

// decode turns the records of one shard into events.
func (b *bencher) decode(context.Context) (int, time.Duration, error) {
	_, took, err := b.events()
	return len(b.records), took, err
}

func (b *bencher) events() ([]ingest.Event, time.Duration, error) {
	d := ingest.NewDecoder(ingest.Key{1}, []string{"country", "device"})
	events := make([]ingest.Event, len(b.records))
	began := time.Now()
	for i, r := range b.records {
		e, dead, ok := d.Decode(r)
		if !ok {
			return nil, 0, fmt.Errorf("a record of the load is dead: %v", *dead)
		}
		events[i] = e
	}
	return events, time.Since(began), nil
}

// join turns the events of one shard into deltas.
func (b *bencher) join(context.Context) (int, time.Duration, error) {
	events, _, err := b.events()
	if err != nil {
		return 0, 0, err
	}
	v, _, problems := experiment.Apply(nil, b.set, time.Now(), "bench")
	if err := problems.Err(); err != nil {
		return 0, 0, err
	}
	j := ingest.NewJoiner(topics[:], v)
	began := time.Now()
	for i := range events {
		j.Add(&events[i])
		if i%50_000 == 0 {
			j.Take()
		}
	}
	j.Take()
	return len(events), time.Since(began), nil
}

// insert writes the events of one shard into ClickHouse.
func (b *bencher) insert(ctx context.Context) (int, time.Duration, error) {
	events, _, err := b.events()
	if err != nil {
		return 0, 0, err
	}
	db, _, err := b.database(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = db.Close() }()
	began := time.Now()
	for from := 0; from < len(events); from += 50_000 {
		if err := db.AppendEvents(ctx, 0, topics[:], events[from:min(from+50_000, len(events))], nil); err != nil {
			return 0, 0, fmt.Errorf("insert: %w", err)
		}
	}
	return len(events), time.Since(began), nil
}

// whole consumes the load as the product does, and checks the sums.
func (b *bencher) whole(ctx context.Context) (float64, error) {
	db, v, err := b.database(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.DeadLetters, cfg.UntilEnd = []string{b.kafka.Addr()}, "", true
	cfg.UnitKey, cfg.Attributes = ingest.Key{1}, []string{"country", "device"}
	var mu sync.Mutex
	b.stages = map[string]time.Duration{}
	cfg.Observe = func(s kafka.Stage, took time.Duration, _ int) {
		mu.Lock()
		defer mu.Unlock()
		b.stages[string(s)] += took
	}
	c, err := kafka.New(cfg, app.Store(db))
	if err != nil {
		return 0, err
	}
	self, engine := cpuTime(0), cpuTime(b.engine.Pid())
	began := time.Now()
	if err := c.Run(ctx); err != nil {
		return 0, err
	}
	took := time.Since(began)
	n := float64(b.load.Count())
	b.cpuSelf, b.cpuEngine = float64((cpuTime(0)-self).Microseconds())/n, float64((cpuTime(b.engine.Pid())-engine).Microseconds())/n
	rate := float64(b.load.Count()) / took.Seconds()
	if err := b.check(ctx, db, &v); err != nil || !b.verify {
		return rate, err
	}
	return rate, b.recount(ctx, db)
}

// recount measures how long a verification takes, which must find nothing.
func (b *bencher) recount(ctx context.Context, db *clickhouse.DB) error {
	began, engine := time.Now(), cpuTime(b.engine.Pid())
	v, err := db.Verify(ctx, clickhouse.VerifySpec{})
	if err != nil {
		return err
	}
	if n := v.Differences(); n > 0 {
		return fmt.Errorf("verify finds %d differences", n)
	}
	b.verified, b.verifiedCPU = time.Since(began), cpuTime(b.engine.Pid())-engine
	return nil
}

// check holds the ledger against the sums that must come out.
func (b *bencher) check(ctx context.Context, db *clickhouse.DB, v *experiment.Version) error {
	m, err := db.Moments(ctx, []clickhouse.MomentsSpec{{Experiment: key, Iteration: v.Find(key).Latest().Number}})
	if err != nil {
		return fmt.Errorf("read the sums: %w", err)
	}
	got := map[string]*big.Int{}
	for _, c := range m.Cells {
		if c.Metric == "revenue" {
			got[c.Variant] = c.Open.Sum
		}
	}
	for _, want := range b.load.Expected() {
		if g := got[want.Variant]; g == nil || g.Cmp(big.NewInt(want.Cents)) != 0 {
			return fmt.Errorf("revenue of %s is %v hundredths, it must be %d", want.Variant, g, want.Cents)
		}
	}
	return nil
}

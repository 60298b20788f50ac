package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/simulate"
)

// run is one run of the whole path.
type run struct {
	events int
	took   time.Duration
	cost   cost
	stages map[kafka.Stage]time.Duration
	parts  parts

	verified, verifiedCPU time.Duration // 0: it was not asked for
}

func (r *run) rate() float64 { return float64(r.events) / r.took.Seconds() }

// parts are how many parts the tables had, and their size at the end.
type parts struct {
	events, eventsMost uint64  // of table events: at the end, and at any time
	ledger, ledgerMost uint64  // of the ledger, in the shard that has most
	bytes, rows        float64 // of events on disk
}

func (p *parts) see(counts []clickhouse.PartCount) {
	p.events, p.ledger, p.bytes, p.rows = 0, 0, 0, 0
	for _, c := range counts {
		switch c.Table {
		case "events":
			p.events += c.Parts
			p.bytes, p.rows = p.bytes+float64(c.Bytes), p.rows+float64(c.Rows)
		case "ledger":
			p.ledger = max(p.ledger, c.Parts)
		}
	}
	p.eventsMost, p.ledgerMost = max(p.eventsMost, p.events), max(p.ledgerMost, p.ledger)
}

// config is the product's, for these topics.
func (b *bencher) config(topics source) kafka.Config {
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.DeadLetters, cfg.Topics = b.broker.addrs, "", nil
	for _, name := range topics {
		cfg.Topics = append(cfg.Topics, kafka.SourceTopic{Name: name, Partitioner: ingest.Murmur2})
	}
	cfg.UnitKey, cfg.Attributes, cfg.Memory = ingest.Key{1}, attributes, b.memory
	return cfg
}

// whole consumes the load as the product does, and checks the sums.
func (b *bencher) whole(ctx context.Context, topics source, l simulate.Load) (run, error) {
	db, v, err := b.database(ctx)
	if err != nil {
		return run{}, err
	}
	defer func() { _ = db.Close() }()
	out := run{events: l.Count(), stages: map[kafka.Stage]time.Duration{}}
	var mu sync.Mutex
	cfg := b.config(topics)
	cfg.UntilEnd = true
	cfg.Observe = func(s kafka.Stage, took time.Duration, _ int) {
		mu.Lock()
		defer mu.Unlock()
		out.stages[s] += took
	}
	c, err := kafka.New(cfg, app.Store(db))
	if err != nil {
		return out, err
	}
	stop := watchParts(ctx, db, &out.parts)
	runtime.GC() // what wrote the load is not this run's
	before, began := b.spent(), time.Now()
	err = c.Run(ctx)
	out.took, out.cost = time.Since(began), b.spent().minus(before)
	if err := errors.Join(err, ctx.Err(), stop()); err != nil {
		return out, err
	}
	if err := check(ctx, db, v, l.Experiments, l.Expected()); err != nil || !b.verify {
		return out, err
	}
	return out, b.recount(ctx, db, &out)
}

// recount measures how long a verification takes, which must find nothing.
func (b *bencher) recount(ctx context.Context, db *clickhouse.DB, r *run) error {
	before, began := b.spent(), time.Now()
	v, err := db.Verify(ctx, clickhouse.VerifySpec{})
	if err != nil {
		return err
	}
	if n := v.Differences(); n > 0 {
		return fmt.Errorf("verify finds %d differences", n)
	}
	r.verified, r.verifiedCPU = time.Since(began), b.spent().minus(before).engine
	return nil
}

// watchParts counts parts twice a second until the returned function is called.
func watchParts(ctx context.Context, db *clickhouse.DB, p *parts) func() error {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	look := func(ctx context.Context) error {
		counts, err := db.Parts(ctx)
		if err == nil {
			p.see(counts)
		}
		return err
	}
	go func() {
		defer close(done)
		for tick := time.NewTicker(500 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				_ = look(ctx) // the last look says whether it works
			}
		}
	}()
	return func() error {
		cancel()
		<-done
		return look(context.WithoutCancel(ctx))
	}
}

// check holds the ledger against the sums that must come out, all of them.
func check(ctx context.Context, db *clickhouse.DB, v *experiment.Version, experiments []string, expected []simulate.Sums) error {
	var specs []clickhouse.MomentsSpec
	for _, key := range experiments {
		specs = append(specs, clickhouse.MomentsSpec{Experiment: key, Iteration: v.Find(key).Latest().Number})
	}
	m, err := db.Moments(ctx, specs)
	if err != nil {
		return fmt.Errorf("read the sums: %w", err)
	}
	got := map[string]string{}
	for _, c := range m.Cells {
		if c.Dimension == "" {
			got[strings.Join([]string{c.Experiment, c.Variant, c.Metric}, " ")] = fmt.Sprintf("n %d Σ %s Σ² %s", c.Open.N, c.Open.Sum, c.Open.SumSquares)
		}
	}
	for _, s := range expected {
		for metric, want := range map[string]string{
			"revenue":    fmt.Sprintf("n %d Σ %d Σ² %d", s.Units, s.Cents, s.SquaredCents),
			"conversion": fmt.Sprintf("n %d Σ %d Σ² %d", s.Units, s.Buyers, s.Buyers),
			"purchases":  fmt.Sprintf("n %d Σ %d Σ² %d", s.Units, s.Events, s.SquaredCount),
		} {
			if g := got[s.Experiment+" "+s.Variant+" "+metric]; g != want {
				return fmt.Errorf("%s of %s in %s is %q, it must be %q", metric, s.Variant, s.Experiment, g, want)
			}
		}
	}
	return nil
}

// long is one more run of the whole path that takes about as long as is asked,
// on topics of its own that are filled before.
func (b *bencher) long(ctx context.Context, o options, rate float64) (run, error) {
	perUnit := float64(b.load.Count()) / float64(b.load.Units)
	l := load(int(rate*o.long.Seconds()/perUnit), o.partitions)
	topics := sourceNamed("long")
	if err := b.produce(ctx, topics, l); err != nil {
		return run{}, err
	}
	return b.whole(ctx, topics, l)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/simulate"
	"github.com/assay-dev/assay/internal/watch"
)

const (
	loopWarm   = 10 * time.Second // of load, before rounds count
	loopRounds = 20               // when the load has ended
)

// round is what the guard did in one of them.
type round struct {
	read           time.Duration // of the shards' status and the moments
	compute, judge time.Duration
	computed       time.Time // when the computing was done
}

func (r round) total() time.Duration { return r.read + r.compute + r.judge }

// looping is a guard of many experiments.
type looping struct {
	*guarded
	first string // the key that is judged first in a round
	mu    sync.Mutex
	all   []round
	loads int // rounds of all that were under load
	cost  cost
	costs int // rounds that the cost is of
}

func loopKey(i int) string { return fmt.Sprintf("loop-%04d", i) }

// loopFiles are experiments of ten guardrails each, which share their metrics.
func loopFiles(n int) (*experiment.Set, error) {
	var all []experiment.File
	var rules string
	for i, kind := range []string{"proportion", "count", "mean", "sum", "proportion", "count", "mean", "sum", "proportion", "mean"} {
		name := fmt.Sprintf("guarded-%d", i)
		all = append(all, metric(name, kind, ""))
		rules += fmt.Sprintf("  - {metric: %s, margin: 0.5, mode: notify}\n", name)
	}
	for i := range n {
		all = append(all, experiment.File{Name: "experiments/" + loopKey(i) + ".yaml", Data: fmt.Appendf(nil, `key: %s
owner: bench
variants: {control: 50%%, treatment: 50%%}
control: control
window: 1h
guardrails:
%s`, loopKey(i), rules)})
	}
	set, problems := experiment.Parse(all)
	return set, problems.Err()
}

// loop lets the guard watch many experiments while their events come in, and then
// for some rounds more on the parts as they are: merges are stopped and nothing is
// made tidy.
func (b *bencher) loop(ctx context.Context, dir string, o options) (*looping, error) {
	g, err := b.guard(ctx, dir, "loop", o.partitions)
	if err != nil {
		return nil, err
	}
	defer g.close()
	g.commits.Store = app.Store(g.db)
	l := &looping{guarded: g, first: loopKey(0)}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	group, watching := errgroup.WithContext(watching)
	group.Go(func() error { return g.watch(watching, 1, false, l.observe) })
	group.Go(func() error {
		defer stop()
		return l.measure(watching, o)
	})
	return l, errors.Join(group.Wait(), ctx.Err())
}

func (l *looping) measure(ctx context.Context, o options) error {
	if err := l.load(ctx, o); err != nil {
		return err
	}
	if err := l.stopMerges(ctx); err != nil {
		return err
	}
	counts, err := l.db.Parts(ctx)
	if err != nil {
		return err
	}
	l.parts.see(counts)
	l.rounds(ctx, 1) // one may have begun before
	l.mu.Lock()
	l.loads = len(l.all)
	l.mu.Unlock()
	before := l.b.spent()
	l.costs = l.rounds(ctx, loopRounds)
	l.cost = l.b.spent().minus(before)
	return ctx.Err()
}

// load consumes a stream of the experiments' events for a time. Rounds before the
// first seconds of it are forgotten.
func (l *looping) load(ctx context.Context, o options) error {
	consuming, stop := context.WithCancel(ctx)
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return l.consume(consuming) })
	cl, err := l.b.producer()
	if err != nil {
		return err
	}
	defer cl.Close()
	began, written := time.Now(), 0
	const perUnit = 4 // one exposure, three purchases on average
	stream := simulate.Load{
		Seed: 7, Units: int(float64(o.rate) * (loopWarm + o.live).Seconds() / perUnit), Variants: []string{"control", "treatment"}, MostBuys: 6,
		Start: began, Every: perUnit * time.Second / time.Duration(o.rate), Partitions: o.partitions,
	}
	for i := range o.loop {
		stream.Experiments = append(stream.Experiments, loopKey(i))
	}
	warm := false
	for r := range stream.Records {
		if written%max(1, o.rate/50) == 0 {
			pause(ctx, time.Duration(float64(written)/float64(o.rate)*float64(time.Second))-time.Since(began))
		}
		if ctx.Err() != nil {
			break
		}
		if !warm && time.Since(began) > loopWarm {
			warm = true
			l.forget()
		}
		cl.Produce(ctx, l.topics.record(r), nil)
		written++
	}
	err = cl.Flush(ctx)
	stop()
	return errors.Join(err, group.Wait())
}

func (l *looping) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = nil
}

// rounds waits for so many more.
func (l *looping) rounds(ctx context.Context, n int) int {
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.all)
	}
	before := count()
	for count() < before+n && ctx.Err() == nil {
		pause(ctx, lookTick)
	}
	return count() - before
}

// observe hears of every experiment of every round, in the order of the file.
func (l *looping) observe(e watch.Event) {
	if e.Kind != watch.Looked {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if e.Document.Experiment == l.first {
		l.all = append(l.all, round{read: e.LookTook, compute: now.Sub(e.Document.At), computed: now})
	}
	if n := len(l.all); n > 0 {
		l.all[n-1].judge = now.Sub(l.all[n-1].computed)
	}
}

func (l *looping) stopMerges(ctx context.Context) error {
	user := l.b.engine.Admin()
	conn, err := driver.Open(&driver.Options{Addr: []string{l.b.engine.Addr()}, Auth: driver.Auth{Username: user.Name, Password: user.Password}})
	if err != nil {
		return fmt.Errorf("connect as the administrator: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Exec(ctx, "SYSTEM STOP MERGES"); err != nil {
		return fmt.Errorf("stop merges: %w", err)
	}
	return nil
}

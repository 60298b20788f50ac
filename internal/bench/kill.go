package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/watch"
)

// The experiments of the trials. Each begins some time after the one before; its
// treatment fails more often from a moment on.
const (
	killUnits   = 100             // of a trial, a second
	killHealthy = 6 * time.Second // before the harm, so that the gates are open
	killRate    = 0.2             // of units that fail
	killHarm    = 0.6             // of the treatment's, harmed
	killMargin  = 0.02
	killTick    = 10 * time.Millisecond
	killEnd     = 2 * time.Minute // for the last trial to be killed, on a machine that cannot keep up
)

// trial is one harmed experiment.
type trial struct {
	key     string
	begins  time.Duration // after the start of the run
	oracle  *oracle
	arms    [2]int // of the next two units
	units   int
	shown   time.Time // the event was produced at which the oracle first breaches
	place   lane      // of that event, once it is acknowledged
	offset  int64
	acked   bool
	looked  time.Time // the look was read that the guard decided on
	decided time.Time // the guard's decision was in the log
	sending time.Time // that it is about to call was in the log
}

// killing is the trials and what feeds them.
type killing struct {
	*guarded
	feeding
	trials []*trial
	byKey  map[string]*trial
	looks  []time.Duration
	costs  []cost // at the begin of the trials and after each minute
}

// feeding sends the events of trials.
type feeding struct {
	mu         sync.Mutex // of the trials' fields that others write
	to         source
	partitions int32
	random     *rand.Rand
}

func trialKey(i int) string { return fmt.Sprintf("harmed-%03d", i) }

// trialFiles are an experiment for each trial, and their metric.
func trialFiles(n int) []experiment.File {
	files := []experiment.File{{Name: "metrics/failures.yaml", Data: []byte(
		"name: failures\nowner: bench\nevent: failure\nkind: proportion\ndirection: decrease\n")}}
	for i := range n {
		files = append(files, experiment.File{Name: "experiments/" + trialKey(i) + ".yaml", Data: fmt.Appendf(nil, `key: %s
owner: bench
variants: {control: 50%%, treatment: 50%%}
control: control
window: 1h
guardrails: [{metric: failures, margin: %v, mode: kill}]
kill_switch: flags
`, trialKey(i), killMargin)})
	}
	return files
}

// kill lets trials be harmed one after the other above a background of events,
// and measures how long each takes until its off call arrives.
func (b *bencher) kill(ctx context.Context, dir string, o options) (*killing, error) {
	g, err := b.guard(ctx, dir, "kill", o.partitions)
	if err != nil {
		return nil, err
	}
	defer g.close()
	g.commits.Store = app.Store(g.db)
	k := &killing{guarded: g, byKey: map[string]*trial{}}
	k.to, k.partitions, k.random = g.topics, o.partitions, rand.New(rand.NewPCG(7, 7))
	for i := range o.ended + o.trials {
		t := &trial{key: trialKey(i), begins: time.Duration(i-o.ended) * o.stagger, oracle: newOracle(g.version.Find(trialKey(i)))}
		k.trials, k.byKey[t.key] = append(k.trials, t), t
	}
	ended := k.trials[:o.ended]
	k.trials = k.trials[o.ended:]
	begin := make(chan struct{})
	running, stop := context.WithCancel(ctx)
	defer stop()
	group, running := errgroup.WithContext(running)
	stopParts := watchParts(running, g.db, &g.parts)
	group.Go(func() error { return g.consume(running) })
	group.Go(func() error { return g.watch(running, max(1, o.guards), o.alike, k.observe) })
	group.Go(func() error {
		select {
		case <-running.Done():
			return nil
		case <-begin:
			return b.background(running, g.topics, o)
		}
	})
	group.Go(func() error {
		defer stop() // ends the others
		if err := k.before(running, ended); err != nil {
			return err
		}
		k.forget()
		close(begin)
		return k.harm(running)
	})
	err = group.Wait()
	return k, errors.Join(err, ctx.Err(), stopParts())
}

// observe hears of the guard's decisions.
func (k *killing) observe(e watch.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case e.Kind == watch.Looked:
		if n := len(k.looks); n == 0 || k.looks[n-1] != e.LookTook { // one look, an event for each experiment
			k.looks = append(k.looks, e.LookTook)
		}
	case e.Kind == watch.Journalled && e.Entry.Kind == guardrails.Decided:
		t := k.byKey[e.Entry.Experiment]
		var evidence guardrails.Evidence
		if json.Unmarshal(e.Entry.Evidence, &evidence) == nil {
			t.looked = evidence.Observation.At
		}
		t.decided = time.Now()
	case e.Kind == watch.Journalled && e.Entry.Kind == guardrails.Sending:
		if t := k.byKey[e.Entry.Experiment]; t.sending.IsZero() {
			t.sending = time.Now()
		}
	}
}

// before harms experiments all at once and waits until they are killed.
func (k *killing) before(ctx context.Context, trials []*trial) error {
	if len(trials) == 0 {
		return nil
	}
	cl, err := k.b.producer()
	if err != nil {
		return err
	}
	defer cl.Close()
	for _, t := range trials {
		k.advance(ctx, cl, t, 3*killHealthy/2)
	}
	if err := cl.Flush(ctx); err != nil {
		return fmt.Errorf("write the experiments to be killed before: %w", err)
	}
	for began := time.Now(); ; pause(ctx, lookTick) {
		left := 0
		for _, t := range trials {
			if k.calls.arrived(t.key).IsZero() {
				left++
			}
		}
		switch {
		case left == 0 || ctx.Err() != nil:
			return ctx.Err()
		case time.Since(began) > killEnd+time.Duration(len(trials))*time.Second:
			return fmt.Errorf("%d of %d experiments were not killed before the trials", left, len(trials))
		}
	}
}

// forget drops the looks from before the trials.
func (k *killing) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.looks = nil
}

// background is a steady stream of other experiments' events until the context ends.
func (b *bencher) background(ctx context.Context, topics source, o options) error {
	for ctx.Err() == nil {
		o.live = time.Minute
		if err := b.feed(ctx, topics, o, &stream{}); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// harm feeds the trials until all of them are killed.
func (k *killing) harm(ctx context.Context) error {
	cl, err := k.b.producer()
	if err != nil {
		return err
	}
	defer cl.Close()
	began := time.Now()
	last := k.trials[len(k.trials)-1].begins + killHealthy + killEnd
	for tick := time.NewTicker(killTick); ; {
		if time.Since(began) >= time.Duration(len(k.costs))*time.Minute {
			k.costs = append(k.costs, k.b.spent())
		}
		left := 0
		for _, t := range k.trials {
			if k.calls.arrived(t.key).IsZero() {
				left++
				k.advance(ctx, cl, t, time.Since(began)-t.begins)
			}
		}
		if left == 0 {
			return cl.Flush(ctx)
		}
		if time.Since(began) > last {
			return fmt.Errorf("%d of %d harmed experiments were not killed after %v", left, len(k.trials), last)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// advance sends the units of a trial that are due at its age.
func (f *feeding) advance(ctx context.Context, cl *kgo.Client, t *trial, age time.Duration) {
	for ; float64(t.units) < age.Seconds()*killUnits; t.units++ {
		if t.units%2 == 0 { // of every two units one is in each arm: the split is never suspect
			t.arms[0] = f.random.IntN(2)
			t.arms[1] = 1 - t.arms[0]
		}
		arm, unit := t.arms[t.units%2], fmt.Sprintf("%s-%d", t.key, t.units)
		rate := killRate
		if arm == 1 && age > killHealthy {
			rate = killHarm
		}
		now := time.Now()
		t.oracle.exposed(arm)
		f.produce(ctx, cl, t, ingest.Exposure, unit, fmt.Sprintf(
			`{"type":"exposure","id":"%s","ts":%d,"unit":"%[1]s","experiment":"%[3]s","variant":"%[4]s"}`,
			unit, now.UnixMilli(), t.key, [...]string{"control", "treatment"}[arm]))
		if f.random.Float64() < rate {
			t.oracle.failed(arm)
			f.produce(ctx, cl, t, ingest.Outcome, unit, fmt.Sprintf(
				`{"type":"outcome","id":"%s-f","ts":%d,"unit":"%[1]s","event":"failure"}`, unit, now.UnixMilli()+1))
		}
	}
}

// produce sends one event of a trial, and starts the clock if it is the one that
// shows the harm.
func (f *feeding) produce(ctx context.Context, cl *kgo.Client, t *trial, kind ingest.Type, unit, value string) {
	topic := 0
	if kind == ingest.Outcome {
		topic = 1
	}
	r := &kgo.Record{Topic: f.to[topic], Key: []byte(unit), Value: []byte(value),
		Partition: ingest.Partition([]byte(unit), f.partitions, ingest.Murmur2)}
	shows := t.shown.IsZero() && t.oracle.breached(time.Now())
	if shows {
		t.shown = time.Now()
	}
	cl.Produce(ctx, r, func(r *kgo.Record, err error) {
		if err != nil || !shows {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		t.place, t.offset, t.acked = lane{topic, r.Partition}, r.Offset, true
	})
}

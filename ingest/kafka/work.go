package kafka

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// work reads, joins and writes until something fails, the shard is to be given
// up (ctx), or the goal is reached. Only hard interrupts what is being written.
func (l *life) work(ctx, hard context.Context) error {
	clients, err := l.open()
	if err != nil {
		return err
	}
	defer closeAll(clients)
	group, working := errgroup.WithContext(hard)
	reading, stop := context.WithCancel(working)
	defer stop()
	defer context.AfterFunc(ctx, stop)()

	w := newWorker(l)
	if l.partly {
		group.Go(w.restoring(reading))
	}
	group.Go(func() error { return l.readInStep(reading, clients, w.fetched) })
	group.Go(func() error { return w.write(working) })
	group.Go(func() error {
		defer stop()
		return w.join(working)
	})
	err = group.Wait()
	if l.reached() {
		evicted, restored := l.joiner.Evicted()
		l.s.log.Info("shard ended", "seq", l.seq, "units", l.joiner.Units(), "evicted", evicted, "read_back", restored)
	}
	return err
}

// behindAges is how many times as old a batch may become while as much as it has, and
// more, waits in the log.
const behindAges = 8

// worker is the middle of a life: between what was fetched and what is written.
type worker struct {
	l       *life
	fetched chan kgo.Fetches
	idle    chan struct{} // holds a token while the writer has nothing to do
	stored  *restoring    // nil: all is in memory, or no more of it is wanted there
	parts   chan work
	spare   chan *batch // written, to be used again

	open    *batch
	pause   *time.Ticker // while stored is to be read: for a look whether there is time for it
	calm    bool         // there is
	looks   int
	age     *time.Timer // since the open batch's first record
	old     bool
	behind  []int64      // by declared topic: records that wait in the log
	took    atomic.Int64 // nanoseconds that the last part took to be written
	ended   bool         // nothing more will be read
	version *experiment.Version
}

// work is a part with the records that it stands for.
type work struct {
	part  ingest.Part
	batch *batch // nil: the part adopts a version, or a gap
	// What units that the version erases leave in the sums; written before the part.
	adjustments []Adjustment
}

func newWorker(l *life) *worker {
	w := &worker{
		l: l, fetched: make(chan kgo.Fetches), idle: make(chan struct{}, 1), parts: make(chan work, 1), spare: make(chan *batch, 2),
		age: time.NewTimer(time.Hour), pause: time.NewTicker(time.Hour),
	}
	w.age.Stop()
	w.pause.Stop()
	w.idle <- struct{}{}
	w.open = l.newBatch(nil)
	w.behind = make([]int64, len(l.source))
	return w
}

// join is the loop that the rule stands above:
//
//	A committed offset never passes a record whose effect is not durable.
//
// It takes each record once, in the order of its partition, and closes a part
// only when the one before it is durable. An offset leaves this loop inside of
// the part that carries the record's effect, and in no other way.
func (w *worker) join(ctx context.Context) error {
	defer close(w.parts)
	defer w.age.Stop()
	defer w.pause.Stop()
	newest, changed := w.l.s.c.versions.latest()
	w.version = newest
	for !w.done() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case fetches, more := <-w.input():
			w.ended = w.ended || !more
			if err := w.take(ctx, fetches); err != nil {
				return err
			}
		case <-w.pause.C:
			w.look()
		case rows, more := <-w.loaded():
			w.load(rows, more)
		case <-w.age.C:
			w.ripen()
		case <-changed:
			w.version, changed = w.l.s.c.versions.latest()
		case <-w.turn():
			part, err := w.next(ctx)
			if err != nil {
				return err
			}
			w.parts <- part
			w.l.shrink()
		}
	}
	return nil
}

// done tells whether nothing is left to do: everything that was read is written
// or on its way, and nothing more will be read.
func (w *worker) done() bool {
	if w.l.reached() && !w.adopts() {
		w.ended = true
	}
	return w.ended && w.open.empty() && len(w.l.accepted) == 0
}

// input is where records come from, nil while there is no room for more. A new
// version waits for no more than what is open, and nothing is read under an old
// one at the start.
func (w *worker) input() <-chan kgo.Fetches {
	if w.ended || w.adopts() || len(w.l.accepted) > 0 || w.full() {
		return nil
	}
	return w.fetched
}

// turn is when the writer is free, nil while there is no reason to write.
func (w *worker) turn() <-chan struct{} {
	due := w.old || w.ended || w.full()
	if len(w.l.accepted) > 0 || w.adopts() || due && !w.open.empty() {
		return w.idle
	}
	return nil
}

// full tells whether the open batch should be written before more is read: by its
// records and bytes, or by the rows that they became. Live events share cells; a
// replay of a month, with its minutes and dimensions, does not. Or the state has
// outgrown its memory: the units of a batch cannot go before it is durable.
func (w *worker) full() bool {
	limit := w.l.s.c.limit()
	return w.open.full(limit) || w.l.joiner.Pending() >= limit.Rows || !w.open.empty() && w.l.over()
}

func (w *worker) adopts() bool {
	return !w.ended && w.version != nil && w.version.Number > w.l.config
}

// take adds what was fetched to the open batch.
func (w *worker) take(ctx context.Context, fetches kgo.Fetches) error {
	var err error
	if w.open.empty() {
		err = w.l.readings(w.open)
	}
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if err == nil && len(p.Records) > 0 {
			declared := w.l.declared(p.Topic)
			err = w.l.add(w.open, declared, p.Records)
			w.behind[declared] = p.HighWatermark - w.l.from[declared]
			recycle(p.Records)
		}
	})
	if err != nil {
		return err
	}
	if !w.old && !w.open.empty() && len(fetches) > 0 {
		w.startAge()
	}
	if w.l.joiner.Whole() || len(w.open.events) >= w.l.recallEvents() {
		return w.l.join(ctx, w.open)
	}
	return nil // reading back is cheaper for many at once
}

func (w *worker) startAge() {
	if w.open.aging {
		return
	}
	w.open.aging = true
	w.ageMore()
}

func (w *worker) ageMore() {
	ages := w.ripeness()
	w.open.ages += ages
	w.age.Reset(time.Duration(ages) * w.l.s.c.limit().Time)
}

// ripeness is how often a batch becomes as old as configured: once, unless the store is
// slow. A shard writes a quarter of the time at most, because what the store pays for a part
// is much the same for any size, and all shards of all consumers share it.
func (w *worker) ripeness() int {
	return int(max(1, min(4*time.Duration(w.took.Load())/w.l.s.c.limit().Time, behindAges)))
}

// ripen is what happens when the open batch has its age. Behind the end of the log
// nobody waits for these records in particular, and what the store pays for a part is
// much the same for any size: the batch goes on to grow until it has as much as waits
// still, so that a shard that cannot keep up with small parts does with larger ones.
func (w *worker) ripen() {
	var waiting int64
	for _, n := range w.behind {
		waiting += n
	}
	if w.old = w.open.ages >= behindAges || waiting <= int64(w.open.records()); !w.old {
		w.ageMore()
	}
}

// next is the part to be written now: a gap that somebody accepted, then what
// was gathered, then a new version as a part of its own.
func (w *worker) next(ctx context.Context) (work, error) {
	l := w.l
	l.settled(w.open)
	if err := l.join(ctx, w.open); err != nil {
		return work{}, err
	}
	l.s.c.metrics.holds(l.s.id, l.joiner.Bytes(), l.joiner.Units())
	l.seq++
	part := ingest.Part{Shard: l.s.id, Seq: l.seq, Config: l.config, Partitions: uint32(l.s.c.layout.partitions)}
	var adjustments []Adjustment
	switch {
	case len(l.accepted) > 0:
		part.Offsets, l.accepted = l.accepted, nil
	case !w.open.empty():
		full := w.open
		part.Offsets, part.Rows = full.offsets(), l.joiner.Take()
		w.reopen()
		return work{part: part, batch: full}, nil
	default:
		var err error
		if adjustments, err = w.adopt(ctx); err != nil {
			return work{}, err
		}
		part.Config, part.Rows = l.config, l.joiner.Take()
	}
	return work{part: part, adjustments: adjustments}, nil
}

// reopen begins the next batch.
func (w *worker) reopen() {
	w.age.Stop()
	w.old = false
	var reuse *batch
	select {
	case reuse = <-w.spare:
	default:
	}
	w.open = w.l.newBatch(reuse)
}

// declared is the index of a declared topic.
func (l *life) declared(name string) int {
	for i, t := range l.s.c.cfg.Topics {
		if t.Name == name {
			return i
		}
	}
	return -1 // nothing else is subscribed
}

// reached tells whether everything up to the goal has been read.
func (l *life) reached() bool {
	if l.goal == nil {
		return false
	}
	for i, next := range l.from {
		if next < l.goal[i] {
			return false
		}
	}
	return true
}

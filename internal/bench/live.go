package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
)

const (
	liveTick = 20 * time.Millisecond
	lookTick = 50 * time.Millisecond // how exactly a delay is known
	liveEnd  = 2 * time.Minute       // for the last record to be in the numbers
)

// lane is one partition of one topic.
type lane struct {
	topic int
	shard int32
}

// mark says that everything in a lane up to an offset was acknowledged at a time.
type mark struct {
	lane
	offset int64
	at     time.Time
}

// live feeds a stream at a steady rate while the consumer runs, and measures how
// long a record takes from the broker's acknowledgement until a query of the
// ledger stands for it.
func (b *bencher) live(ctx context.Context, o options) ([]time.Duration, error) {
	db, _, err := b.database(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	topics := sourceNamed("live")
	if err := b.create(ctx, topics, o.partitions); err != nil {
		return nil, err
	}
	c, err := kafka.New(b.config(topics), app.Store(db))
	if err != nil {
		return nil, err
	}
	consuming, stop := context.WithCancel(ctx)
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return c.Run(consuming) })
	s := &stream{}
	delays, err := s.follow(ctx, db, topics, func() error { return b.feed(ctx, topics, o, s) })
	stop()
	return delays, errors.Join(err, group.Wait())
}

// stream is what was acknowledged and is not yet seen.
type stream struct {
	mu     sync.Mutex
	newest map[lane]mark
	marks  []mark
}

// feed writes the stream, tick by tick.
func (b *bencher) feed(ctx context.Context, topics source, o options, s *stream) error {
	cl, err := b.producer()
	if err != nil {
		return err
	}
	defer cl.Close()
	began, written := time.Now(), 0
	l := load(int(float64(o.rate)*o.live.Seconds())/3, o.partitions)
	for r := range l.Records {
		if due := time.Duration(float64(written) / float64(o.rate) * float64(time.Second)); written%max(1, o.rate/50) == 0 {
			s.sample()
			if wait := due - time.Since(began); wait > 0 {
				pause(ctx, min(wait, liveTick))
			}
		}
		if ctx.Err() != nil || time.Since(began) > o.live {
			break
		}
		written++
		cl.Produce(ctx, topics.record(r), s.acknowledged(lane{int(r.Topic), r.Partition}))
	}
	err = cl.Flush(ctx)
	s.sample()
	return err
}

func (s *stream) acknowledged(in lane) func(*kgo.Record, error) {
	return func(r *kgo.Record, err error) {
		if err != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.newest == nil {
			s.newest = map[lane]mark{}
		}
		s.newest[in] = mark{in, r.Offset, time.Now()}
	}
}

// sample takes the newest acknowledged record of each lane to be looked for.
func (s *stream) sample() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.newest {
		s.marks = append(s.marks, m)
	}
	clear(s.newest)
}

// follow looks at the ledger until everything is seen that feed wrote.
func (s *stream) follow(ctx context.Context, db *clickhouse.DB, topics source, feed func() error) ([]time.Duration, error) {
	fed := make(chan error, 1)
	go func() { fed <- feed() }()
	var delays []time.Duration
	for ended, deadline := false, (time.Time{}); ; pause(ctx, lookTick) {
		next, err := positions(ctx, db, topics)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		var left int
		delays, left = s.seen(next, time.Now(), delays)
		select {
		case err := <-fed:
			if err != nil {
				return nil, err
			}
			ended, deadline = true, time.Now().Add(liveEnd)
			continue // what was acknowledged last is looked for once more
		default:
		}
		if ended && left == 0 {
			return delays, nil
		}
		if ended && time.Now().After(deadline) {
			return nil, fmt.Errorf("%d samples are not in the ledger %v after the last record", left, liveEnd)
		}
	}
}

// seen moves the marks that the ledger stands for into the delays.
func (s *stream) seen(next map[lane]int64, now time.Time, delays []time.Duration) ([]time.Duration, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = slices.DeleteFunc(s.marks, func(m mark) bool {
		in := m.offset < next[m.lane]
		if in {
			delays = append(delays, now.Sub(m.at))
		}
		return in
	})
	return delays, len(s.marks)
}

// positions are how far the ledger's marks reach.
func positions(ctx context.Context, db *clickhouse.DB, topics source) (map[lane]int64, error) {
	all, err := db.Reconcile(ctx)
	if err != nil {
		return nil, err
	}
	out := map[lane]int64{}
	for _, r := range all {
		out[lane{slices.Index(topics[:], r.Topic), int32(r.Shard)}] = r.Next
	}
	return out, nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
)

const (
	readsASecond = 50              // of the wide experiment, as many people with its page open
	listsASecond = 2               // of the whole list
	newLooks     = 2 * time.Second // between new looks at the wide experiment
	allLooks     = time.Minute     // in which every experiment has a new look
)

// reading is what one route took, and how much it answered.
type reading struct {
	name  string
	mu    sync.Mutex
	took  []time.Duration
	bytes int
}

// benchReaders measures how long the API and the pages take while a stream is counted and
// new looks come in.
func benchReaders(ctx context.Context, dir string, o options, r *report) (err error) {
	set, err := shownFiles(o.loop)
	if err != nil {
		return err
	}
	b, err := start(ctx, dir, o, set)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	db, v, err := b.database(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	size, err := storeShown(ctx, db, v, func(int) bool { return true }, time.Now().UTC())
	if err != nil {
		return err
	}
	stop, err := startProfile(o.profile)
	if err != nil {
		return err
	}
	all, counted, err := b.read(ctx, dir, db, v, o)
	if err = errors.Join(err, stop()); err != nil {
		return err
	}
	r.readers(all, o, counted, size)
	return nil
}

// read serves, streams and asks until the time is over.
func (b *bencher) read(ctx context.Context, dir string, db *clickhouse.DB, v *experiment.Version, o options) (_ []*reading, counted int64, err error) {
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.Reports = filepath.Join(dir, "data"), "127.0.0.1:0", filepath.Join(dir, "reports")
	s := &app.Stack{Config: cfg, DB: db, Code: "bench", Log: slog.New(slog.DiscardHandler)}
	defer func() { err = errors.Join(err, s.Close()) }()
	door, err := s.Web(ctx, app.WebOptions{Registry: prometheus.NewRegistry()})
	if err != nil {
		return nil, 0, err
	}
	running, stop := context.WithCancel(ctx)
	group, running := errgroup.WithContext(running)
	group.Go(func() error { return door.Run(running) })
	group.Go(func() error { return freshLooks(running, db, v) })
	stream, err := b.stream(running, group, db, o)
	if err != nil {
		stop()
		return nil, 0, errors.Join(err, group.Wait())
	}
	before := stream.Load()
	all, err := ask(ctx, "http://"+door.Addr(), o)
	counted = stream.Load() - before
	stop()
	return all, counted, errors.Join(err, ended(group.Wait()))
}

// ended drops the error of what was stopped.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// freshLooks stores new looks as guards do: at the wide experiment often, at all the
// others once in a while.
func freshLooks(ctx context.Context, db *clickhouse.DB, v *experiment.Version) error {
	rounds := int(allLooks / newLooks)
	for round := 0; ; round++ {
		if pause(ctx, newLooks); ctx.Err() != nil {
			return ended(ctx.Err())
		}
		turn := func(i int) bool { return v.Experiments[i].Key == wideKey || i%rounds == round%rounds }
		if _, err := storeShown(ctx, db, v, turn, time.Now().UTC()); err != nil {
			return ended(err)
		}
	}
}

// stream has the consumer count a steady stream, and tells how many events were written.
func (b *bencher) stream(ctx context.Context, group *errgroup.Group, db *clickhouse.DB, o options) (*atomic.Int64, error) {
	topics := sourceNamed("read")
	if err := b.create(ctx, topics, o.partitions); err != nil {
		return nil, err
	}
	c, err := kafka.New(b.config(topics), app.Store(db))
	if err != nil {
		return nil, err
	}
	group.Go(func() error { return ended(c.Run(ctx)) })
	var written atomic.Int64
	group.Go(func() error {
		cl, err := b.producer()
		if err != nil {
			return err
		}
		defer cl.Close()
		began := time.Now()
		for r := range load(int(float64(o.rate)*(o.live+time.Minute).Seconds())/3, o.partitions).Records {
			n := written.Add(1)
			if n%int64(max(1, o.rate/50)) == 0 {
				pause(ctx, time.Duration(float64(n)/float64(o.rate)*float64(time.Second))-time.Since(began))
			}
			if ctx.Err() != nil {
				break
			}
			cl.Produce(ctx, topics.record(r), nil)
		}
		return nil
	})
	return &written, nil
}

// ask sends requests at a steady rate, whether the ones before were answered or not: a
// time counts from when the request was due.
func ask(ctx context.Context, base string, o options) ([]*reading, error) {
	wide, list := base+"/api/v1/experiments/"+wideKey, base+"/api/v1/experiments?limit=1000"
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}, Timeout: 5 * time.Minute}
	defer client.CloseIdleConnections()
	routes := []struct {
		reading
		address string
		every   time.Duration
	}{
		{reading{name: "results of 20 metrics and 10,000,000 units"}, wide + "/results", 2 * time.Second / readsASecond},
		{reading{name: "page of the same experiment"}, base + "/experiments/" + wideKey, 2 * time.Second / readsASecond},
		{reading{name: fmt.Sprintf("list of %d experiments", o.loop)}, list, time.Second / listsASecond},
		{reading{name: "page of the list"}, base + "/", time.Second / listsASecond},
	}
	var group errgroup.Group
	var out []*reading
	for i := range routes {
		r := &routes[i]
		if err := r.get(ctx, client, r.address, time.Now()); err != nil { // everything is read once before
			return nil, err
		}
		r.took = nil
		out = append(out, &r.reading)
	}
	began := time.Now()
	for i := range routes {
		r := &routes[i]
		for n := 0; time.Duration(n)*r.every < o.live; n++ {
			due := began.Add(time.Duration(n) * r.every)
			group.Go(func() error {
				pause(ctx, time.Until(due))
				return r.get(ctx, client, r.address, due)
			})
		}
	}
	return out, group.Wait()
}

// get asks once and notes how long it took from when it was due.
func (r *reading) get(ctx context.Context, client *http.Client, address string, due time.Time) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	answer, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	n, err := io.Copy(io.Discard, answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s after %d bytes: %w", address, answer.Status, n, errors.Join(err, errors.New("no answer")))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took, r.bytes = append(r.took, time.Since(due)), int(n)
	return nil
}

// readers prints what each route took.
func (r *report) readers(all []*reading, o options, counted int64, size int) {
	r.say("\nREADERS for %v, while %.0f events/s were written and counted, and new looks came: at the experiment of 20 metrics every %v (%d KB stored), at each of the others every %v",
		o.live, float64(counted)/o.live.Seconds(), newLooks, size>>10, allLooks)
	lines := []string{"asked for\trequests/s\tmedian\tp95\tmost\tKB"}
	for _, x := range all {
		lines = append(lines, fmt.Sprintf("%s\t%.0f\t%v\t%v\t%v\t%d", x.name, float64(len(x.took))/o.live.Seconds(), at(x.took, 0.5), at(x.took, 0.95), at(x.took, 1), x.bytes>>10))
	}
	r.table(lines...)
}

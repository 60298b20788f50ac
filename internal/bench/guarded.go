package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/watch"
)

// guarded is a database that a consumer fills and a guard watches, both of them
// the product's.
type guarded struct {
	b       *bencher
	db      *clickhouse.DB
	version *experiment.Version
	topics  source
	parts   parts
	commits commits
	calls   receiver
	secret  string // file
}

// guard makes a database with the bencher's experiments in force, and topics.
func (b *bencher) guard(ctx context.Context, dir, name string, partitions int32) (*guarded, error) {
	g := &guarded{b: b, topics: sourceNamed(name), secret: filepath.Join(dir, name+".secret")}
	if err := os.WriteFile(g.secret, []byte("of-the-bench"), 0o600); err != nil {
		return nil, fmt.Errorf("write the receiver's secret: %w", err)
	}
	if err := g.calls.listen(ctx); err != nil {
		return nil, err
	}
	var err error
	if g.db, g.version, err = b.database(ctx); err != nil {
		return nil, err
	}
	return g, b.create(ctx, g.topics, partitions)
}

func (g *guarded) close() {
	_ = g.db.Close()
	g.calls.close()
}

// consume runs the product's consumer until the context ends.
func (g *guarded) consume(ctx context.Context) error {
	c, err := kafka.New(g.b.config(g.topics), &g.commits)
	if err != nil {
		return err
	}
	return c.Run(ctx)
}

// watch runs the product's guards until the context ends; the first one is observed.
func (g *guarded) watch(ctx context.Context, guards int, alike bool, observe func(watch.Event)) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range guards {
		name, hear := fmt.Sprintf("guard-%d", i), observe
		if i > 0 {
			hear = nil
		}
		group.Go(func() error { return g.watchAs(ctx, name, alike, hear) })
	}
	return group.Wait()
}

func (g *guarded) watchAs(ctx context.Context, name string, alone bool, observe func(watch.Event)) error {
	cfg := config.Default()
	cfg.Guard.KillsPerHour = 1_000_000 // what holds back a storm would hold back the trials
	cfg.Switches = map[string]config.Switch{"flags": {Webhook: &config.Webhook{
		URL: g.calls.url + "/{flag}/off", Secret: config.Secret{File: g.secret},
		ReadBack: config.ReadBack{URL: g.calls.url + "/{flag}", Path: "on", Off: "false"},
	}}}
	cfg.Guard.Instance = name
	s := app.Stack{Config: cfg, DB: g.db, Code: "bench", Log: slog.New(slog.DiscardHandler)}
	w, err := s.Guard(app.GuardOptions{Observer: observe, Alone: alone})
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

// commits is the store of the consumer, and notes when each offset was in it.
type commits struct {
	kafka.Store
	mu     sync.Mutex
	marked []commit
}

// commit says that the ledger stands for what lies before an offset.
type commit struct {
	lane
	next int64
	at   time.Time
}

// AppendPart implements kafka.Ledger.
func (c *commits) AppendPart(ctx context.Context, topics []kafka.Topic, p ingest.Part) (kafka.Appended, error) {
	result, err := c.Store.AppendPart(ctx, topics, p)
	if result != kafka.Committed {
		return result, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range p.Offsets {
		c.marked = append(c.marked, commit{lane{int(o.Topic), int32(p.Shard)}, o.Next, time.Now()})
	}
	return result, err
}

// of is when an offset was committed; zero when it was not.
func (c *commits) of(in lane, offset int64) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.marked {
		if m.lane == in && offset < m.next {
			return m.at
		}
	}
	return time.Time{}
}

// receiver is the flag system: POST /FLAG/off, GET /FLAG. It notes when the off
// call of a flag has arrived.
type receiver struct {
	url    string
	server *http.Server
	mu     sync.Mutex
	off    map[string]time.Time
}

func (r *receiver) listen(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open the receiver: %w", err)
	}
	r.off, r.url = map[string]time.Time{}, "http://"+l.Addr().String()
	r.server = &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: time.Minute}
	go func() { _ = r.server.Serve(l) }() // it ends when it is closed
	return nil
}

func (r *receiver) close() { _ = r.server.Close() }

func (r *receiver) serve(w http.ResponseWriter, q *http.Request) {
	now := time.Now()
	flag := strings.Split(strings.Trim(q.URL.Path, "/"), "/")[0]
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.Method == http.MethodPost && r.off[flag].IsZero() {
		r.off[flag] = now
	}
	_, _ = fmt.Fprintf(w, `{"on":%v}`, r.off[flag].IsZero())
}

// arrived is when a flag was called off; zero when it was not.
func (r *receiver) arrived(flag string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.off[flag]
}
